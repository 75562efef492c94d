/// Numbers of the firmware gates, as `Firmware/gates.inc` has them.
public enum Gate {
  /// Reset vector of the bootstrap processor.
  public static let powerOn: UInt64 = 0x000
  /// What was booted has returned.
  public static let returned: UInt64 = 0x001
  /// A waiting processor has taken an interrupt.
  public static let wakeup: UInt64 = 0x002
  /// A waiting processor sleeps.
  public static let wait: UInt64 = 0x003
  /// The translation of one page, asked for by a handler.
  public static let translated: UInt64 = 0x004
  /// The next call of the guest's code that a boot service makes.
  public static let callNext: UInt64 = 0x005
  /// Where Exit unwinds to.
  public static let callMark: UInt64 = 0x006
  /// A boot service waits.
  public static let nap: UInt64 = 0x007
  /// The notifications that an interrupt has brought are done.
  public static let notified: UInt64 = 0x008
  /// OS_INIT returns to SAL.
  public static let initializationReturn: UInt64 = 0x009
  public static let pal: UInt64 = 0x010
  public static let sal: UInt64 = 0x020
  public static let softwareAssist: UInt64 = 0x030
  /// Plus the offset of a PAL virtualization service / 0x400.
  public static let virtualizationService: UInt64 = 0x040
  /// Plus the index in the EFI runtime services table.
  public static let runtimeService: UInt64 = 0x100
  /// Plus the index in the EFI boot services table.
  public static let bootService: UInt64 = 0x200
  /// Plus the number of a function of an EFI protocol.
  public static let protocolFunction: UInt64 = 0x300
  /// Plus the offset in the interruption vector table / 256.
  public static let vector: UInt64 = 0x400

  public static let virtualizationServiceCount = 9
  public static let runtimeServiceCount = 11
  public static let bootServiceCount = 44
  public static let protocolFunctionCount = 64
  public static let vectorCount = 0x80
}
