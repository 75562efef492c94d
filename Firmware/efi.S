// One procedure per EFI service, in the order of the tables: service i is at (table + 16 * i). Their function descriptors are data
// and written by the emulator, which relocates them in SetVirtualAddressMap.
        .balign 32, 0
runtime_services:
index = 0
        .rept RUNTIME_SERVICES
        procedure GATE_RUNTIME_SERVICE + index
index = index + 1
        .endr

boot_services:
index = 0
        .rept BOOT_SERVICES
        procedure GATE_BOOT_SERVICE + index
index = index + 1
        .endr

// The floating-point software assistance handler that the boot parameters point to.
fpswa:
        procedure GATE_FPSWA
