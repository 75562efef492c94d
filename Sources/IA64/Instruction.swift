/// One decoded instruction: the row of the table it matched, and its operands.
///
/// Register fields stand at the same place in every format that has them (Volume 3, chapter 4), so they are
/// read from the encoding; immediates are assembled by the decoder.
public struct Instruction: Sendable {
  public var operation: Operation
  public var attributes: Attributes
  /// Execution unit type of the slot it was decoded for.
  public var unit: SlotUnit
  /// Index of the row in ``InstructionTable``.
  public var row: Int
  /// The 41 bits of the slot; of the X slot for an MLX bundle.
  public var encoding: UInt64
  /// The 41 bits of the L slot; 0 unless the bundle is MLX.
  public var longEncoding: UInt64
  /// Main immediate: sign- or zero-extended as the format says. Branches and checks: signed byte displacement
  /// from the bundle (multiple of 16). extr/dep/tbit: pos. break/nop/hint: zero-extended. alloc: 0.
  public var immediate: Int64
  /// Second immediate: len of extr/dep, count of shifts, mux type, the deposited value of dep imm1 / dep.z imm8
  /// when `immediate` is pos and `length` is len.
  public var immediate2: Int64
  /// len of dep/dep.z/extr forms.
  public var length: UInt8

  public init(
    operation: Operation, attributes: Attributes = Attributes(), unit: SlotUnit, row: Int, encoding: UInt64,
    longEncoding: UInt64 = 0, immediate: Int64 = 0, immediate2: Int64 = 0, length: UInt8 = 0
  ) {
    self.operation = operation
    self.attributes = attributes
    self.unit = unit
    self.row = row
    self.encoding = encoding
    self.longEncoding = longEncoding
    self.immediate = immediate
    self.immediate2 = immediate2
    self.length = length
  }

  @inline(__always) private func field(_ low: UInt64, _ width: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: (encoding >> low) & ((1 << width) - 1))
  }
  /// Qualifying predicate; 0 for instructions that have none.
  public var qp: UInt8 { attributes.flags.contains(.unpredicated) ? 0 : field(0, 6) }
  public var r1: UInt8 { field(6, 7) }
  public var r2: UInt8 { field(13, 7) }
  public var r3: UInt8 { field(20, 7) }
  /// r3 of addl (A5), two bits.
  public var r3Short: UInt8 { field(20, 2) }
  public var f1: UInt8 { field(6, 7) }
  public var f2: UInt8 { field(13, 7) }
  public var f3: UInt8 { field(20, 7) }
  public var f4: UInt8 { field(27, 7) }
  public var p1: UInt8 { field(6, 6) }
  public var p2: UInt8 { field(27, 6) }
  public var b1: UInt8 { field(6, 3) }
  public var b2: UInt8 { field(13, 3) }
  public var ar3: UInt8 { field(20, 7) }
  public var cr3: UInt8 { field(20, 7) }
  /// FPSR status field of F1 and kin (bits 35:34).
  public var statusField: UInt8 { field(34, 2) }
  /// Frame of `alloc`: sof, sol, sor (in units of eight registers).
  public var allocFrame: (sof: UInt8, sol: UInt8, sor: UInt8) { (field(13, 7), field(20, 7), field(27, 4)) }
}

/// Execution unit type that a template assigns to a slot.
public enum SlotUnit: UInt8, Sendable { case m, i, f, b, l, x }
