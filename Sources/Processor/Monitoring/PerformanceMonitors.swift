/// Which performance monitors the Montecito has, and what their registers hold (Volume 2, chapter 7.2; the fields and reset values of
/// PMC4 and up are those of Linux' table for this processor).
public enum PerformanceMonitors {
  /// PMC4...PMC15 and PMD4...PMD15 are the generic counters.
  static let counters = 4..<16
  /// Counters have 47 bits.
  static let width: UInt64 = 47
  static let countMask: UInt64 = 1 << width - 1

  // MARK: PMC0

  /// The freeze bit, and the overflow bits of PMD4...PMD15. There is no monitor above 63, so PMC1...PMC3 hold nothing.
  static let freeze: UInt64 = 1
  private static let status: UInt64 = 0xFFF1

  // MARK: Configuration

  /// What a configuration register holds after reset, and which of its bits software changes.
  private static func configuration(_ index: Int) -> (reset: UInt64, writable: UInt64)? {
    switch index {
    // Generic counters. Bit 25, half of the instruction set mask, is always one; there is no other instruction set.
    case 4...15: (0x200_0000, 0x7C7F_FF7F)
    // Opcode matching.
    case 32: (0x30F_01FF_FFFF_FFFF, 0x30F_01FF_FFFF_FFFF)
    case 34: (0xF_01FF_FFFF_FFFF, 0xF_01FF_FFFF_FFFF)
    case 33, 35: (0, 0x1FF_FFFF_FFFF)
    case 36: (0xFFFF_FFF0, 0xF)
    // Instruction event address register; instruction address ranges.
    case 37: (0, 0x3FFF)
    case 38: (0xDB6, 0x2492)
    // Execution trace buffer.
    case 39: (0, 0xFFCF)
    // Data event address register; data address ranges; the trace buffer's other mode.
    case 40: (0x200_0000, 0xF_01CF)
    case 41: (0x2078_FEFE_FEFE, 0x1_E000_1818_1818)
    case 42: (0, 0x7_FF4F)
    default: nil
    }
  }

  static func reset(control index: Int) -> UInt64 { configuration(index)?.reset ?? 0 }

  /// What PMC `index` holds after a write. Those that are not implemented ignore it (Volume 2, section 7.2).
  static func written(_ value: UInt64, control index: Int) -> UInt64 {
    if index == 0 { return value & status }
    guard let (reset, writable) = configuration(index) else { return 0 }
    return value & writable | reset & ~writable
  }

  // MARK: Data

  static func isImplemented(data index: Int) -> Bool {
    switch index {
    case 4...15, 32...36, 38, 39, 48...63: true
    default: false
    }
  }

  /// What a read of the counter returns. This processor is one of those that copy the highest bit of the count into the bits above it
  /// (Volume 2, table 7-3).
  static func read(counter value: UInt64) -> UInt64 {
    UInt64(bitPattern: Int64(bitPattern: value &<< (64 - width)) >> (64 - width))
  }

  /// The configuration register and the bit of it that makes a data register privileged.
  static func privilege(data index: Int) -> (control: Int, bit: UInt64) {
    switch index {
    case 32, 33, 36: (40, 6)
    case 34, 35: (37, 4)
    case 38, 39, 48...63: (39, 6)
    default: (index, 6)
    }
  }
}

/// PMC4...PMC15: what a generic counter counts, and when (Volume 2, table 7-4; from `umask` on the fields are this processor's).
public struct CounterControl: Sendable, Equatable {
  public var rawValue: UInt64
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// Counts at the privilege level.
  @inline(__always) public func counts(at level: UInt64) -> Bool { rawValue >> level & 1 != 0 }
  /// An overflow interrupts.
  @inline(__always) public var interrupts: Bool { rawValue & 1 << 5 != 0 }
  /// A privileged monitor: PSR.pp starts it instead of PSR.up.
  @inline(__always) public var isPrivileged: Bool { rawValue & 1 << 6 != 0 }
  /// Event select and unit mask: ``PerformanceEvent/code(_:_:)``.
  @inline(__always) public var event: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 8 & 0xFFF) }
  /// Not 0: count the cycles in which the event happens more often than that.
  @inline(__always) public var threshold: UInt64 { rawValue >> 20 & 7 }
}

/// Names of events: the event select in bits 7:0 and the unit mask in bits 11:8, as they lie in a PMC from bit 8 on.
public enum PerformanceEvent {
  @inline(__always) public static func code(_ select: UInt16, _ umask: UInt16) -> UInt16 { select | umask << 8 }

  /// Events that need no model of time.
  public static let instructionsRetired = code(0x08, 0)
  public static let cycles = code(0x12, 0)
  public static let cyclesHalted = code(0x18, 0)
  public static let levelChanges = code(0x13, 0xF)
}

extension LogicalProcessor {
  func readMonitorControl(_ index: Int) -> UInt64 {
    guard index < 64 else { return 0 }
    if index == 0 { settleMonitors() }
    return state.pmc[index]
  }

  /// Secure and privileged monitors read as zero below privilege 0 (Volume 2, section 7.2.1).
  func readMonitorData(_ index: Int) -> UInt64 {
    let s = state
    guard PerformanceMonitors.isImplemented(data: index) else { return 0 }
    let (control, bit) = PerformanceMonitors.privilege(data: index)
    if PSR.cpl(s.pointee.psr) != 0 && (s.pointee.psr & PSR.sp != 0 || s.pmc[control] >> bit & 1 != 0) { return 0 }
    guard PerformanceMonitors.counters.contains(index) else { return s.pmd[index] }
    settleMonitors()
    return PerformanceMonitors.read(counter: s.pmd[index])
  }

  /// What counts from the next instruction on is what PMC says.
  func writeMonitorControl(_ index: Int, _ value: UInt64) {
    guard index < 64 else { return }
    settleMonitors(after: 1)
    state.pmc[index] = PerformanceMonitors.written(value, control: index)
    resumeMonitors(after: 1)
  }

  func writeMonitorData(_ index: Int, _ value: UInt64) {
    guard PerformanceMonitors.isImplemented(data: index) else { return }
    settleMonitors(after: 1)
    state.pmd[index] = PerformanceMonitors.counters.contains(index) ? value & PerformanceMonitors.countMask : value
    resumeMonitors(after: 1)
  }
}
