import Platform

/// What lies where in the firmware's own memory, ``MemoryMap/firmware``. The parts follow each other in the EFI memory map.
enum FirmwareLayout {
  static let base = MemoryMap.firmware
  /// SAL and EFI code, behind the PAL code.
  static let codeEnd = base + 0x1_0000
  /// Interruption vector table while EFI images run.
  static let vectors = base + 0x8000
  /// EFI and SAL tables, function descriptors, SMBIOS, PCDP.
  static let data = codeEnd
  static let dataEnd = base + 0x4_0000
  /// ACPI tables, which the operating system may reclaim.
  static let acpi = dataEnd
  static let acpiEnd = base + 0x6_0000
  /// FACS.
  static let acpiNVS = acpiEnd
  static let acpiNVSEnd = base + 0x7_0000
  /// Register stack and memory stack of each processor while it runs firmware.
  static let stacks = acpiNVSEnd
  static let stackSize: UInt64 = 0x1_0000
  static let end = base + MemoryMap.firmwareSize
  static let maximumProcessors = Int((MemoryMap.hypervisorPages - stacks) / stackSize)

  static func backingStore(processor: Int) -> UInt64 { stacks + UInt64(processor) * stackSize }
  /// PAL's save area unless the operating system has registered another one: in the middle, where neither stack comes.
  static func minimalState(processor: Int) -> UInt64 { stacks + UInt64(processor) * stackSize + stackSize / 2 }
  /// Leaves the 16 bytes of scratch space that a procedure may use above its stack pointer.
  static func stackPointer(processor: Int) -> UInt64 { stacks + UInt64(processor + 1) * stackSize - 16 }
}
