# Epicure's front door. On a Debian machine that has Swift and git:
#
#   make boot      installs what is missing, builds, boots the built-in guest
#   make test      installs what is missing, builds, runs every test
#
# `make help` lists the rest.

SWIFT      ?= swift
EPICURE    := .build/release/epicure
SUDO       := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
GUESTS     ?= $(or $(EPICURE_GUEST_CACHE),GuestImages/cache)
# What only tests need in the guest: from the guests' folder, or built with a ready cross compiler in a few minutes.
GUEST_TOOLS ?= $(or $(EPICURE_GUEST_TOOLS),$(if $(wildcard $(GUESTS)/linux-6.1/tools.cpio.gz),$(GUESTS),GuestImages/cache))

# What building needs (of g++ only libstdc++, which Swift's static libraries use), and what the tests' oracles need on top; valgrind measures a copy of the program that strip (binutils) has made.
BUILD_PACKAGES := libelf-dev zlib1g-dev libslirp-dev libnbd-dev libvncserver-dev g++
TEST_PACKAGES  := $(BUILD_PACKAGES) binutils python3 binutils-ia64-linux-gnu acpica-tools valgrind xz-utils cpio e2fsprogs dosfstools mtools qemu-utils nbdkit xorriso gdisk fdisk tshark iproute2 gdb-multiarch babeltrace2 python3-venv
# Perfetto's own reader of its format is not in Debian. A Python that has it is used as it is.
TEST_PYTHON    := $(if $(shell python3 -c 'import perfetto.protos' 2>&1),$(abspath .build/python/bin/python3),python3)

# What the guests need: Debian 12's sources of the big ones, and what those are built with.
GUEST_PACKAGES := binutils-ia64-linux-gnu gcc-12-source glibc-source linux-source-6.1 build-essential patch xz-utils bzip2 \
                  libgmp-dev libmpfr-dev libmpc-dev flex bison gawk python3 bc rsync \
                  autoconf automake autopoint gettext pkg-config cpio

# What the guest tools need beside a ready cross compiler.
GUEST_TOOL_PACKAGES := binutils-ia64-linux-gnu build-essential patch xz-utils flex bison gawk python3 autoconf automake autopoint gettext pkg-config \
                       cpio

# install(packages): asks dpkg first, so that a machine that has everything needs neither network nor rights.
define install
	@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "installing" $$missing; \
	  $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
endef

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

.PHONY: build
build: build-packages ## build the program: .build/release/epicure
	$(SWIFT) build -c release --product epicure

.PHONY: boot
boot: build ## build, then boot the built-in guest
	$(EPICURE) boot --virtualization none

.PHONY: test
test: test-packages ## build and run every test, GCC's torture suite, a sample in lockstep, and the speed thresholds
	$(SWIFT) build -c release --build-tests
	$(if $(wildcard $(GUESTS)/linux-6.1/vmlinux.gz),EPICURE_GUEST_CACHE="$(abspath $(GUESTS))") EPICURE_GUEST_TOOLS="$(abspath $(GUEST_TOOLS))" EPICURE_PYTHON="$(TEST_PYTHON)" $(SWIFT) test -c release --skip-build
	Benchmarks/ci.sh $(EPICURE) "$(GUESTS)"

.PHONY: guests
guests: guest-packages ## build the Linux guest and the test programs from Debian's sources (Debian 12; takes long)
	@$(MAKE) --no-print-directory -C GuestImages all

.PHONY: guest-tools
guest-tools: guest-tool-packages ## build only what tests run in the guest; GUESTS_TOOLCHAIN names a cross compiler
	@$(MAKE) --no-print-directory -C GuestImages tools

.PHONY: guest-tool-packages
guest-tool-packages:
	$(call install,$(if $(GUESTS_TOOLCHAIN),$(GUEST_TOOL_PACKAGES),$(GUEST_PACKAGES)))

.PHONY: guests-clean
guests-clean: ## remove what building the guests needed, keep the guests
	@$(MAKE) --no-print-directory -C GuestImages clean

.PHONY: guest-packages
guest-packages:
	$(call install,$(GUEST_PACKAGES))

.PHONY: build-packages
build-packages:
	$(call install,$(BUILD_PACKAGES))

.PHONY: test-packages
test-packages:
	$(call install,$(TEST_PACKAGES))
	@$(TEST_PYTHON) -c 'import perfetto.protos' 2>/dev/null || { echo "installing perfetto"; \
	  python3 -m venv .build/python && .build/python/bin/pip install --quiet perfetto; }

.PHONY: torture
torture: build ## GCC's C execution torture suite
	Benchmarks/torture.sh $(EPICURE) $(GUESTS)/torture/gcc-execute-O2.tar.xz

.PHONY: lockstep
lockstep: build ## the engine against the stepper, then with the cycle model watching: all torture programs, a whole boot of Linux
	Benchmarks/lockstep.sh $(EPICURE) $(GUESTS)
	Benchmarks/lockstep.sh $(EPICURE) $(GUESTS) --timing cycle

.PHONY: speed
speed: build test-packages ## host instructions per guest slot, whole programs
	Benchmarks/speed.sh $(EPICURE) $(GUESTS)/programs

.PHONY: cycle-speed
cycle-speed: build test-packages ## what cycle timing costs: host instructions against functional timing
	Benchmarks/cycle-speed.sh $(EPICURE) $(GUESTS)/programs
	Benchmarks/cycle-speed.sh $(EPICURE) $(GUESTS)/programs --complete

.PHONY: cycles
cycles: build ## the cycle timing against published figures: writes Documentation/Cycles-table.md
	Benchmarks/cycles.sh $(EPICURE)

.PHONY: firmware
firmware: test-packages ## assemble Firmware/ into the files that are committed
	$(MAKE) -C Firmware install

.PHONY: decoding-table
decoding-table: build-packages ## write what the decoder reads at its start, after a change of the instruction table
	$(SWIFT) run -c release decoding-table Sources/CDecodingTable/decoding.bin

.PHONY: guest-images
guest-images: test-packages ## assemble what is committed of GuestImages: selftest, vmm, virtbench; compile pv and iobench (TOOLCHAIN=...)
	$(MAKE) -C GuestImages/selftest install
	$(MAKE) -C GuestImages/vmm install
	$(MAKE) -C GuestImages/virtbench install
	$(MAKE) -C GuestImages/pv install
	$(MAKE) -C GuestImages/iobench install

.PHONY: lint
lint: ## check the format of the sources
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

.PHONY: clean
clean: ## remove what was built
	rm -rf .build
