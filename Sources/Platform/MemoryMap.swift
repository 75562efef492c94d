/// Physical addresses of the machine, shared by the platform that decodes them and the firmware that describes them.
public enum MemoryMap {
  /// RAM starts at 0 and goes up to here at most; the rest follows at `highMemory`.
  public static let lowMemoryLimit: UInt64 = 0x8000_0000
  public static let highMemory: UInt64 = 0x1_0000_0000
  /// I/O SAPIC registers, 4 KiB; its inputs are GSI 0...
  public static let ioSAPIC: UInt64 = 0xFEC0_0000
  public static let ioSAPICSize: UInt64 = 0x1000
  /// Processor interrupt block, 2 MiB (Volume 2, section 5.8.4).
  public static let interruptBlock: UInt64 = 0xFEE0_0000
  public static let interruptBlockSize: UInt64 = 0x20_0000
  /// Firmware code and data: 16 MiB of RAM of their own, one Linux granule.
  public static let firmware: UInt64 = 0xFF00_0000
  public static let firmwareSize: UInt64 = 0x100_0000
  /// The last 64 KiB of it are pages by which the guest of a domain and its hypervisor talk.
  public static let hypervisorPages: UInt64 = firmware + firmwareSize - 0x1_0000
  /// I/O port space: 64 MiB, sparse: port p is at base + ((p >> 2) << 12 | p & 0xFFF).
  public static let portSpace: UInt64 = 0xFFF_FC00_0000
  public static let portSpaceSize: UInt64 = 0x400_0000

  /// Where PCI functions decode memory below 4 GiB: between RAM and the board's own registers.
  public static let pciMemory = lowMemoryLimit..<0xFE00_0000 as Range<UInt64>
  /// The same for large 64-bit ranges, above all RAM.
  public static let pciHighMemory = 0xE00_0000_0000..<0xF00_0000_0000 as Range<UInt64>
  /// Ports of PCI functions; those below are the board's.
  public static let pciPorts = 0x1000..<0x1_0000 as Range<UInt64>

  /// Where a VGA shows its memory, as on a PC: with one plugged in there is a hole in RAM.
  public static let videoMemory = 0xA_0000..<0xC_0000 as Range<UInt64>

  // Ports
  public static let uartPort: UInt16 = 0x3F8
  public static let uartGSI = 4
  /// ACPI fixed hardware: PM1 event block (4 bytes), PM1 control block (2 bytes), PM timer (4 bytes), GPE0 block (8 bytes).
  public static let pm1EventPort: UInt16 = 0x500
  public static let pm1ControlPort: UInt16 = 0x504
  public static let pmTimerPort: UInt16 = 0x508
  public static let gpe0Port: UInt16 = 0x510
  public static let sciGSI = 9
  /// FADT reset register: writing `resetValue` resets the machine.
  public static let resetPort: UInt16 = 0xCF9
  public static let resetValue: UInt8 = 6
}
