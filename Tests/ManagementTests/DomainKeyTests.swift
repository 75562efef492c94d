import Management
import Testing

/// Each key's right and wrong values.
@Suite struct DomainKeyTests {
  private func hardware(_ text: String) throws -> DomainConfiguration { try read("builder = 'hvm'\n" + text).configuration }
  private func paravirtual(_ text: String) throws -> DomainConfiguration { try read("kernel = '/k'\n" + text).configuration }

  @Test func identity() throws {
    #expect(try hardware("name = 'a.b-c_d:e+f9'").name == "a.b-c_d:e+f9")
    #expect(try hardware("type = 'pv'; kernel = '/k'").kind == .paravirtualized)
    #expect(try read("builder = 'linux'; kernel = '/k'").configuration.kind == .paravirtualized)
    #expect(try read("builder = 'generic'; kernel = '/k'").configuration.kind == .paravirtualized)
    #expect(try read("uuid = None; builder = 'hvm'").configuration.uuid == nil)
  }

  @Test func boot() throws {
    let direct = try hardware(
      "kernel = '/boot/vmlinux'; ramdisk = '/r'; epicure_append = 'console=ttyS0'; epicure_nvram = '/v'; epicure_system_map = '/m'")
    #expect(direct.systemMap == "/m")
    #expect(
      direct.kernel == "/boot/vmlinux" && direct.ramdisk == "/r" && direct.commandLine == "console=ttyS0" && direct.firmware == nil)
    #expect(direct.firmwareVariables == "/v")
    let firmware = try hardware("kernel = '/usr/lib/xen/boot/guest_firmware.bin'")
    #expect(firmware.kernel == nil && firmware.firmware == "/usr/lib/xen/boot/guest_firmware.bin")
    let both = try hardware("loader = '/usr/lib/xen/boot/hvmloader'; kernel = '/boot/vmlinux'")
    #expect(both.kernel == "/boot/vmlinux" && both.firmware == "/usr/lib/xen/boot/hvmloader")
    #expect(try hardware("boot = 'dcn'").bootOrder == [.optical, .disk, .network])
    let grub = try read("bootloader = '/usr/bin/pygrub'; bootargs = '-q'").configuration
    #expect(grub.kernel == nil && grub.bootloader == "/usr/bin/pygrub" && grub.bootloaderArguments == "-q")
  }

  @Test(arguments: [
    ("root = '/dev/hda1 ro'; extra = '4'", "root=/dev/hda1 ro 4"), ("root = 'root=/dev/hda1'", "root=/dev/hda1"),
    ("extra = 4", "4"),
    ("root = '/dev/a'; extra = 'root=/dev/b x'", "root=/dev/b x"),
    (
      "ip = '10.0.0.2'; gateway = '10.0.0.1'; netmask = '255.0.0.0'; hostname = 'g'",
      "ip=10.0.0.2:1.2.3.4:10.0.0.1:255.0.0.0:g:eth0:off"
    ),
    ("dhcp = 'dhcp'; interface = 'eth1'", "ip=:1.2.3.4::::eth1:dhcp"),
    ("nfs_server = '10.0.0.9'; nfs_root = '/x'; root = '/dev/nfs'", "root=/dev/nfs nfsroot=10.0.0.9:/x"),
    ("cmdline = 'all of it'; extra = 'x'", "all of it"),
  ]) func kernelCommandLine(_ text: String, _ expected: String) throws {
    #expect(try paravirtual(text).commandLine == expected)
  }

  @Test func resources() throws {
    let domain = try hardware(
      "memory = '384'; maxmem = 512.0; vcpus = 4; vcpu_avail = 0x5; cpu_weight = 512; cpu_cap = 150; vhpt = 24; guest_os_type = 'windows'"
    )
    #expect(
      domain.memory == 384 && domain.maximumMemory == 512 && domain.virtualProcessors == 4 && domain.onlineProcessors.bits == 5)
    #expect(domain.weight == 512 && domain.cap == 150 && domain.vhpt == 24 && domain.guestSystem == .windows)
    #expect(try hardware("vcpus = 64; vcpu_avail = 0xFFFFFFFFFFFFFFFF").onlineProcessors.bits == .max)
    #expect(try hardware("vcpus = 2; maxvcpus = 4").onlineProcessors.bits == 3)
    #expect(try hardware("vcpus = 2; maxvcpus = 4").virtualProcessors == 4)
  }

  @Test(
    arguments: [
      ("cpus = '0-3,5,^1'", [0b101101, 0b101101, 0b101101]), ("cpus = 2", [4, 4, 4]), ("cpus = ''", [.max, .max, .max]),
      ("cpus = 'all,^0'", [.max - 1, .max - 1, .max - 1]), ("cpus = '^1,0-3'", [15, 15, 15]), ("cpus = ['2', '3']", [4, 8, .max]),
      ("cpus = ['0-1', 2, '3,4']", [3, 4, 0x18]), ("cpu = 5", [32, .max, .max]), ("cpu = 5; cpus = '0-1'", [32, 3, 3]),
      ("cpu = -1", [.max, .max, .max]), ("cpus = '63'", [1 << 63, 1 << 63, 1 << 63]), ("cpus = ' 0 - 1 , 4 '", [19, 19, 19]),
    ] as [(String, [UInt64])]) func affinity(_ text: String, _ expected: [UInt64]) throws
  {
    #expect(try paravirtual("vcpus = 3; " + text).affinity.map(\.bits) == expected)
  }

  @Test func devices() throws {
    let domain = try hardware(
      """
      vscsi = ['/dev/sdb, 0:0:1:2', '5:0:0:0, host, 3']
      pci = ['00:1d.0', '0001:ff:1f.7']
      vfb = ['vnc=1,vncdisplay=3,vncpasswd=x']
      serial = 'file:/tmp/log'; acpi = 0; apic = False; localtime = 'yes'; rtc_timeoffset = '-3600'
      """)
    #expect(domain.scsiDevices[0].physical == "/dev/sdb" && domain.scsiDevices[0].virtual?.description == "0:0:1:2")
    #expect(domain.scsiDevices[1].virtual == nil && domain.scsiDevices[1].backendDomain == "3")
    #expect(domain.pciDevices.map(\.description) == ["0000:00:1d.0", "0001:ff:1f.7"])
    #expect(domain.framebuffers[0].kind == .vnc && domain.framebuffers[0].display == 3 && domain.framebuffers[0].password == "x")
    #expect(domain.serial == "file:/tmp/log" && !domain.acpi && !domain.apic && domain.hasLocalTime && domain.clockOffset == -3600)
  }

  /// xm's keys of HVM domains are not those of PV domains.
  @Test func screens() throws {
    let pv = try paravirtual("vfb = ['type=vnc,vnclisten=0.0.0.0,vncdisplay=7,vncpasswd=x']; vnc = 1; vncdisplay = 9").guestScreen
    #expect(pv.isThere && pv.isShown && pv.listen == "0.0.0.0" && pv.display == 7 && !pv.takesUnusedDisplay && pv.password == "x")
    let any = try paravirtual("vfb = ['type=vnc']").guestScreen
    #expect(any.isShown && any.listen == "127.0.0.1" && any.display == nil && any.takesUnusedDisplay && any.password == nil)
    let hidden = try paravirtual("vfb = ['type=sdl']").guestScreen
    #expect(hidden.isThere && !hidden.isShown)
    #expect(try !paravirtual("vnc = 1; stdvga = 1").guestScreen.isThere)
    #expect(try hardware("vnc = 1; vncdisplay = 9").guestScreen.display == 9)
    #expect(try !hardware("vfb = ['type=vnc']").guestScreen.isThere)
  }

  @Test func ends() throws {
    let domain = try hardware(
      "on_poweroff = 'preserve'; on_reboot = 'rename-restart'; on_crash = 'coredump-restart'; on_xend_start = 'start'; on_xend_stop = 'suspend'"
    )
    #expect(domain.onPoweroff == .preserve && domain.onReboot == .renameRestart && domain.onCrash == .coredumpRestart)
    #expect(domain.onServerStart == .start && domain.onServerStop == .suspend)
    // The comments of xmexample1.
    let old = try read("builder = 'hvm'; on_crash = 'preserve'; restart = 'onreboot'")
    #expect(
      old.configuration.onPoweroff == .destroy && old.configuration.onReboot == .restart && old.configuration.onCrash == .preserve)
    #expect(old.warnings.map(\.key) == ["restart"])
    #expect(try hardware("restart = 'never'").onReboot == .destroy)
    #expect(try hardware("restart = 'always'").onPoweroff == .restart)
  }

  @Test(arguments: [
    ("memory = 'abc'", "memory: expected an integer from 1 to 16777216, found 'abc'"),
    ("memory = 0", "memory: expected an integer from 1 to 16777216, found 0"),
    ("memory = [1]", "memory: expected an integer from 1 to 16777216, found a list"),
    ("memory = 1.5", "memory: expected an integer from 1 to 16777216, found 1.5"),
    ("memory = 1 << 100", "memory: expected an integer from 1 to 16777216, found 1267650600228229401496703205376"),
    ("maxmem = 64", "maxmem: 64 MiB is less than memory, 128 MiB"),
    ("vcpus = 65", "vcpus: expected an integer from 1 to 64, found 65"),
    ("maxvcpus = 65", "maxvcpus: expected an integer from 1 to 64, found 65"),
    ("vcpus = 3; maxvcpus = 2", "maxvcpus: 2 is less than vcpus, 3"),
    ("vcpu_avail = 2", "vcpu_avail: names processor 1, but there are 1"),
    ("vcpus = 2; vcpu_avail = 2", "vcpu_avail: a domain starts on its processor 0: bit 0 is missing"),
    ("vcpu_avail = -1", "vcpu_avail: expected a mask of 64 bits, found -1"),
    ("cpu = 64", "cpu: expected an integer from -1 to 63, found 64"),
    ("cpus = '0-64'", "cpus: expected processors from 0 to 63 like 0-3,5,^1, found '0-64'"),
    ("cpus = '3-1'", "cpus: the range '3-1' runs backwards"),
    ("cpus = '0,^0'", "cpus: '0,^0' leaves no processor"),
    ("cpus = 'node:0'", "cpus: 'node:0': this server has no NUMA nodes"),
    ("cpus = ['1', '2']", "cpus: has 2 entries, but vcpus is 1"),
    ("cpus = [None]", "cpus: expected processors like \"0-3,5,^1\", found None"),
    ("cpu_weight = 0", "cpu_weight: expected an integer from 1 to 65535, found 0"),
    ("cpu_weight = 65536", "cpu_weight: expected an integer from 1 to 65535, found 65536"),
    ("cpu_cap = 101", "cpu_cap: expected an integer from 0 to 100, 100 for each processor, found 101"),
    ("cpu_cap = -1", "cpu_cap: expected an integer from 0 to 6400, found -1"),
    ("vhpt = 14", "vhpt: expected an integer from 15 to 30, found 14"),
    ("guest_os_type = 'hpux'", "guest_os_type: expected one of default, linux, windows, found 'hpux'"),
    ("builder = 'domU'", "builder: expected 'linux' or 'hvm', found 'domU'"),
    ("type = 'pvh'", "type: expected one of pv, hvm, found 'pvh'"),
    ("name = 'a/b'", "name: expected up to 255 letters, digits and _ - . : +, found 'a/b'"),
    ("name = ''", "name: expected up to 255 letters, digits and _ - . : +, found ''"),
    ("name = '..'", "name: expected up to 255 letters, digits and _ - . : +, found '..'"),
    ("name = ['a']", "name: expected a string, found a list"),
    ("uuid = 'abc'", "uuid: expected a UUID like 06ed00fe-1162-4fc4-b5d8-11993ee4a8b9, found 'abc'"),
    ("kernel = ['x']", "kernel: expected a string, found a list"),
    ("loader = 1.5", "loader: expected a string, found 1.5"),
    ("ramdisk = 'a\\nb'", "ramdisk: contains a control character"),
    ("root = {}", "root: expected a string, found a dictionary"),
    ("extra = 'a\\0'", "extra: contains a control character"),
    ("cmdline = []", "cmdline: expected a string, found a list"),
    ("ip = ()", "ip: expected a string, found a tuple"),
    ("gateway = []", "gateway: expected a string, found a list"),
    ("netmask = []", "netmask: expected a string, found a list"),
    ("hostname = []", "hostname: expected a string, found a list"),
    ("interface = []", "interface: expected a string, found a list"),
    ("dhcp = True", "dhcp: expected a string, found True"),
    ("nfs_root = '/x'", "nfs_root: needs nfs_server, too"),
    ("nfs_server = []", "nfs_server: expected a string, found a list"),
    ("bootloader = []", "bootloader: expected a string, found a list"),
    ("bootargs = []", "bootargs: expected a string, found a list"),
    ("boot = 'x'", "boot: expected an order of a (floppy), c (disk), d (CD) and n (network), each at most once, found 'x'"),
    ("boot = 'cc'", "boot: expected an order of a (floppy), c (disk), d (CD) and n (network), each at most once, found 'cc'"),
    ("epicure_append = 'x'", "epicure_append: is for HVM domains; a PV domain has extra"),
    ("builder = 'hvm'; kernel = ''; epicure_append = 'x'", "epicure_append: needs a kernel that is started directly"),
    ("epicure_nvram = []", "epicure_nvram: expected a string, found a list"),
    ("disk = 'phy:a,hda,w'", "disk: expected a list of strings, found 'phy:a,hda,w'"),
    ("disk = [1]", "disk: expected a list of strings, found 1 in it"),
    ("disk = ['phy:a,hda,w', 'phy:b,hda,w']", "disk: hda is there twice"),
    ("disk = ['phy:a,xvda,w', 'phy:b,d0,w']", "disk: xvda and d0 are the same device"),
    ("disk = ['phy:a']", "disk: 'phy:a': the disk has no vdev, like hda"),
    ("vif = ['colour=red']", "vif: 'colour=red': a vif has no option 'colour'"),
    ("vif = ['mac']", "vif: 'mac': expected option=value, found 'mac'"),
    ("vif = 1", "vif: expected a list of strings, found 1"),
    ("vscsi = ['/dev/sdb']", "vscsi: '/dev/sdb': expected 'PDEV, VDEV'"),
    ("vscsi = ['/dev/sdb, 0:0:0']", "vscsi: '/dev/sdb, 0:0:0': expected host:channel:target:lun like 0:0:1:0, found '0:0:0'"),
    ("vfb = ['type=x11']", "vfb: 'type=x11': expected one of vnc, sdl, found 'x11'"),
    ("vfb = ['type=vnc,vncdisplay=99999']", "vfb: 'type=vnc,vncdisplay=99999': expected a display from 0 to 59635"),
    ("pci = ['00:1d']", "pci: expected a PCI device like 00:1d.0, found '00:1d'"),
    ("pci = ['00:20.0']", "pci: expected a PCI device like 00:1d.0, found '00:20.0'"),
    (
      "serial = 'telepathy'",
      "serial: expected pty, null, stdio, none, file:NAME, unix:, tcp:, telnet: or a device below /dev, found 'telepathy'"
    ),
    ("acpi = 2", "acpi: expected 0 or 1, found 2"),
    ("apic = 'perhaps'", "apic: expected 0 or 1, found 'perhaps'"),
    ("localtime = []", "localtime: expected 0 or 1, found a list"),
    ("rtc_timeoffset = 'soon'", "rtc_timeoffset: expected an integer from -1099511627776 to 1099511627776, found 'soon'"),
    (
      "on_poweroff = 'explode'",
      "on_poweroff: expected one of destroy, restart, preserve, rename-restart, coredump-destroy, coredump-restart, found 'explode'"
    ),
    ("on_reboot = 'coredump-restart'", "on_reboot: 'coredump-restart' is only possible with on_crash"),
    ("on_crash = 1.5", "on_crash: expected a string, found 1.5"),
    ("restart = 'sometimes'", "restart: expected onreboot, always or never, found 'sometimes'"),
    ("on_xend_start = 'run'", "on_xend_start: expected one of ignore, start, found 'run'"),
    ("on_xend_stop = 'kill'", "on_xend_stop: expected one of ignore, shutdown, suspend, found 'kill'"),
    ("kernel = ''", "kernel: a PV domain needs kernel or bootloader"),
  ]) func wrongValues(_ text: String, _ expected: String) {
    let message = refusal("kernel = '/k'\n\(text)\n")
    #expect(message?.hasPrefix("/etc/xen/guest:2: " + expected) == true, "\(message ?? "accepted")")
  }

  /// What comes as JSON is as little to be trusted as a file.
  @Test func validation() throws {
    let good = try read(ExampleFiles.paravirtual).configuration
    try good.validate()
    func problem(_ change: (inout DomainConfiguration) -> Void) -> String? {
      var bad = good
      change(&bad)
      do {
        try bad.validate()
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(problem { $0.name = "../x" } == "name: expected up to 255 letters, digits and _ - . : +, found '../x'")
    #expect(problem { $0.uuid = "x" }?.hasPrefix("name: expected a UUID") == true)
    #expect(problem { $0.memory = 0 } == "memory: expected an integer from 1 to 16777216, found 0")
    #expect(problem { $0.maximumMemory = 63 } == "maxmem: 63 MiB is less than memory, 64 MiB")
    #expect(problem { $0.virtualProcessors = 65 } == "vcpus: expected an integer from 1 to 64, found 65")
    #expect(problem { $0.virtualProcessors = .min } != nil)
    #expect(problem { $0.onlineProcessors = .all } == "vcpu_avail: names processor 63, but there are 4")
    #expect(problem { $0.affinity = [] } == "cpus: has 0 entries, but vcpus is 4")
    #expect(problem { $0.affinity[1].bits = 0 } == "cpus: leaves no processor")
    #expect(problem { $0.weight = 0 } != nil && problem { $0.cap = 401 } != nil && problem { $0.vhpt = 31 } != nil)
    #expect(problem { $0.disks.append($0.disks[0]) } == "disk: sda1 is there twice")
    #expect(problem { $0.disks[0].target = nil } == "disk: sda1 has no file; only a CD drive may be empty")
    #expect(problem { $0.kernel = nil } == "kernel: a PV domain needs kernel or bootloader")
    #expect(problem { $0.onReboot = .coredumpRestart } == "on_reboot: 'coredump-restart' is only possible with on_crash")
  }

  @Test func warnings() throws {
    func warnings(_ text: String) throws -> [String] { try read(text).warnings.map(\.description) }
    #expect(try warnings("kernel = '/k'\nserial = 'pty'") == ["/etc/xen/guest:2: serial: only HVM domains have a serial port"])
    #expect(try warnings("builder = 'hvm'\nboot = 'ac'") == ["/etc/xen/guest:2: boot: this server has no floppy drive"])
    #expect(
      try warnings("builder = 'hvm'\nextra = 'x'") == ["/etc/xen/guest:2: extra: an HVM kernel's command line is epicure_append"])
    #expect(
      try warnings("builder = 'hvm'\nramdisk = '/r'") == [
        "/etc/xen/guest:2: ramdisk: without a kernel to start directly, it is not used"
      ])
    #expect(try warnings("kernel = '/k'\nloader = '/l'") == ["/etc/xen/guest:2: loader: a PV domain has no firmware"])
    #expect(try warnings("kernel = '/k'\nextra = 'x' * 1024").count == 1)
  }

  /// A file without a name for its domain, a key that is missing altogether.
  @Test func missing() {
    #expect(refusal("memory = 64") == "/etc/xen/guest: kernel: a PV domain needs kernel or bootloader")
  }

  @Test func everyKeyIsKnownAndDocumented() throws {
    // Section 9.1 of the reference.
    let keys = """
      name uuid builder kernel loader ramdisk root extra ip gateway netmask hostname interface dhcp nfs_server nfs_root bootloader bootargs
      memory maxmem shadow_memory vcpus vcpu_avail cpu cpus cpu_weight cpu_cap vhpt guest_os_type disk vif vfb vscsi pci device_model boot
      serial sdl vnc vncdisplay vnclisten vncunused vncpasswd vncviewer vncconsole nographic stdvga isa soundhw usb usbdevice localtime
      keymap monitor fda fdb acpi apic rtc_timeoffset on_poweroff on_reboot on_crash on_xend_start on_xend_stop blkif netif tpmif
      access_control restart nics
      """.split { $0.isWhitespace }.map(String.init)
    #expect(Set(keys).subtracting(DomainConfiguration.knownKeys) == [])
    let documentation = try Documentation.text("DomainConfiguration.md")
    for key in DomainConfiguration.knownKeys {
      #expect(documentation.contains("`\(key)`"), "\(key) is not in DomainConfiguration.md")
    }
  }

  @Test func ignoredKeysAreListed() throws {
    for key in DomainConfiguration.ignoredKeys where !key.contains("-") {
      let file = try read("kernel = '/k'\n\(key) = 1")
      #expect(file.ignored.map(\.key) == [key] && file.warnings.isEmpty, "\(key)")
      #expect(file.configuration == (try read("kernel = '/k'").configuration), "\(key)")
    }
  }
}
