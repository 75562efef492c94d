/// One operand of an instruction: what it is and in which bits of the encoding it stands.
///
/// Names follow Volume 3, chapter 4. Where the manual gives one name to several layouts, a letter tells them apart.
public enum OperandKind: UInt8, CaseIterable, Sendable {
  // MARK: Implied operands, written in assembly language but not encoded
  case arCSD, arCCV, arPFS, one, eight, sixteen, gr0, ip, pr, prRot, psr, psrL, psrUM
  // MARK: Registers
  case ar3, b1, b2, cr3, f1, f2, f3, f4, p1, p2, r1, r2, r3, r3Short, dahr3
  // MARK: Memory addressed by r3
  case mr3
  // MARK: Register files indexed by r3
  case cpuid, dbr, dtr, itr, ibr, msr, pkr, pmc, pmd, dahr, rr
  // MARK: Counts and positions
  /// pshl count, stored as 31 - count.
  case ccnt5
  /// shladd count 1...4.
  case cnt2a
  /// pshladd2 count 1...3.
  case cnt2b
  /// pmpyshr2 count 0, 7, 15, 16.
  case cnt2c
  case cnt5, cnt6
  /// Deposit position, stored as 63 - pos: I12 and I13, I14, I15.
  case cpos6a, cpos6b, cpos6c
  case pos6, len4, len6
  // MARK: Immediates
  case imm1, imm8
  /// imm8 + 1: the immediate of the `le` and `gt` pseudo-compares.
  case imm8MinusOne
  /// imm8 of an unsigned 4-byte compare, written as 32-bit number.
  case imm8Unsigned4
  /// imm8 + 1 of the `leu` and `gtu` pseudo-compares; these cannot express imm8 = -1.
  case imm8MinusOneUnsigned4, imm8MinusOneUnsigned8
  /// Update of a load, of a store.
  case imm9Load, imm9Store
  case imm14, imm22, imm44
  /// mask17 of `mov pr`: bit 0 is not encoded.
  case mask17
  case immu2, immu5, amask7, omask7, fclass9, immu16, immu19, immu21, immu24, immu62, immu64
  case fetchAddIncrement
  case sof, sol, sor
  case muxByteType, muxHalfType
  case lfetchCount, lfetchStride
  // MARK: Addresses relative to the bundle
  /// Branch target (B1...B3, M22, M23), check target (I20, M20, M21), fchkf target (F14), long branch target.
  case target25, target25Check, target25Fchkf, target64
  /// Address of the predicted branch: brp, mov to BR.
  case tag13, tag13Move
  /// Marks a load that a linker may relax to a move (`ld8.mov`); nothing is encoded.
  case relaxation
}

/// How the concatenated bits of an operand turn into its value.
enum OperandCoding: UInt8, Sendable {
  /// Constant operands.
  case none
  case unsigned, signed
  /// The value is the stored number plus one.
  case unsignedPlusOne, signedPlusOne
  /// The value is the one's complement, in the width of the field.
  case complement
  /// The value is the stored number plus 32 (tf).
  case plus32
  /// 0, 7, 15, 16.
  case shiftCount
  /// Sign and 16, 8, 4, 1.
  case increment
}

/// A run of bits in the encoding. `shift` 64 and up is in the L slot.
struct OperandPart: Sendable {
  var width: UInt8
  var shift: UInt8
}

/// Where an operand is encoded: least significant part first, then coding, then a scale as power of two.
struct OperandLayout: Sendable {
  var parts: [OperandPart]
  var coding: OperandCoding
  var scale: UInt8

  var width: Int { parts.reduce(0) { $0 + Int($1.width) } }
}

extension OperandKind {
  /// Encoding of the operand.
  var layout: OperandLayout {
    switch self {
    case .arCSD, .arCCV, .arPFS, .one, .eight, .sixteen, .gr0, .ip, .pr, .prRot, .psr, .psrL, .psrUM, .relaxation:
      return make(.none)
    case .b1: return make(.unsigned, (3, 6))
    case .b2: return make(.unsigned, (3, 13))
    case .p1: return make(.unsigned, (6, 6))
    case .p2: return make(.unsigned, (6, 27))
    case .r1, .f1: return make(.unsigned, (7, 6))
    case .r2, .f2: return make(.unsigned, (7, 13))
    case .ar3, .cr3, .r3, .f3, .mr3, .cpuid, .dbr, .dtr, .itr, .ibr, .msr, .pkr, .pmc, .pmd, .dahr, .rr:
      return make(.unsigned, (7, 20))
    case .f4: return make(.unsigned, (7, 27))
    case .r3Short: return make(.unsigned, (2, 20))
    case .dahr3: return make(.unsigned, (3, 23))
    case .ccnt5: return make(.complement, (5, 20))
    case .cnt2a, .cnt2b: return make(.unsignedPlusOne, (2, 27))
    case .cnt2c: return make(.shiftCount, (2, 30))
    case .cnt5: return make(.unsigned, (5, 14))
    case .cnt6: return make(.unsigned, (6, 27))
    case .cpos6a: return make(.complement, (6, 20))
    case .cpos6b: return make(.complement, (6, 14))
    case .cpos6c: return make(.complement, (6, 31))
    case .pos6: return make(.unsigned, (6, 14))
    case .len4: return make(.unsignedPlusOne, (4, 27))
    case .len6: return make(.unsignedPlusOne, (6, 27))
    case .imm1: return make(.signed, (1, 36))
    case .imm8, .imm8Unsigned4: return make(.signed, (7, 13), (1, 36))
    case .imm8MinusOne, .imm8MinusOneUnsigned4, .imm8MinusOneUnsigned8:
      return make(.signedPlusOne, (7, 13), (1, 36))
    case .imm9Load: return make(.signed, (7, 13), (1, 27), (1, 36))
    case .imm9Store: return make(.signed, (7, 6), (1, 27), (1, 36))
    case .imm14: return make(.signed, (7, 13), (6, 27), (1, 36))
    case .imm22: return make(.signed, (7, 13), (9, 27), (5, 22), (1, 36))
    case .imm44: return make(.signed, scale: 16, (27, 6), (1, 36))
    case .mask17: return make(.signed, scale: 1, (7, 6), (8, 24), (1, 36))
    case .immu2: return make(.unsigned, (2, 13))
    case .immu5: return make(.plus32, (5, 14))
    case .amask7: return make(.unsigned, (7, 13))
    case .omask7: return make(.unsigned, (7, 20))
    case .fclass9: return make(.unsigned, (2, 33), (7, 20))
    case .immu16: return make(.unsigned, (4, 6), (11, 12), (1, 36))
    case .immu19: return make(.unsigned, (4, 6), (14, 12), (1, 36))
    case .immu21: return make(.unsigned, (20, 6), (1, 36))
    case .immu24: return make(.unsigned, (21, 6), (2, 31), (1, 36))
    case .immu62: return make(.unsigned, (20, 6), (1, 36), (41, 64))
    case .immu64: return make(.unsigned, (7, 13), (9, 27), (5, 22), (1, 21), (41, 64), (1, 36))
    case .fetchAddIncrement: return make(.increment, (3, 13))
    case .sof: return make(.unsigned, (7, 13))
    case .sol: return make(.unsigned, (7, 20))
    case .sor: return make(.unsigned, scale: 3, (4, 27))
    case .muxByteType: return make(.unsigned, (4, 20))
    case .muxHalfType: return make(.unsigned, (8, 20))
    case .lfetchCount: return make(.unsignedPlusOne, (6, 6))
    case .lfetchStride: return make(.signed, scale: 6, (5, 13))
    case .target25: return make(.signed, scale: 4, (20, 13), (1, 36))
    case .target25Check: return make(.signed, scale: 4, (7, 6), (13, 20), (1, 36))
    case .target25Fchkf: return make(.signed, scale: 4, (20, 6), (1, 36))
    case .target64: return make(.signed, scale: 4, (20, 13), (39, 66), (1, 36))
    case .tag13: return make(.signed, scale: 4, (7, 6), (2, 33))
    case .tag13Move: return make(.signed, scale: 4, (9, 24))
    }
  }

  private func make(_ coding: OperandCoding, scale: UInt8 = 0, _ parts: (UInt8, UInt8)...) -> OperandLayout {
    OperandLayout(parts: parts.map { OperandPart(width: $0.0, shift: $0.1) }, coding: coding, scale: scale)
  }

  /// Value of an implied operand; 0 for names of registers.
  var constant: Int64 {
    switch self {
    case .one: return 1
    case .eight: return 8
    case .sixteen: return 16
    default: return 0
    }
  }
}

/// The layouts in flat memory for the decoder, which must not touch arrays or reference counts.
struct OperandExtractor: @unchecked Sendable {
  private struct Entry {
    var first: Int32
    var end: Int32
    var width: UInt8
    var scale: UInt8
    var coding: OperandCoding
    var constant: Int64
  }

  /// The instance; built once, never freed, never written again.
  static let shared = OperandExtractor()

  private let entries: UnsafeMutablePointer<Entry>
  private let parts: UnsafeMutablePointer<OperandPart>

  private init() {
    let layouts = OperandKind.allCases.map { ($0, $0.layout) }
    entries = .allocate(capacity: layouts.count)
    parts = .allocate(capacity: layouts.reduce(0) { $0 + $1.1.parts.count })
    var used = 0
    for (kind, layout) in layouts {
      let first = used
      for part in layout.parts {
        (parts + used).initialize(to: part)
        used += 1
      }
      (entries + Int(kind.rawValue)).initialize(
        to: Entry(
          first: Int32(first), end: Int32(used), width: UInt8(layout.width), scale: layout.scale,
          coding: layout.coding, constant: kind.constant))
    }
  }

  /// Value of an operand of the instruction with these slot bits.
  func value(_ kind: OperandKind, slot: UInt64, long: UInt64) -> Int64 {
    let entry = entries[Int(kind.rawValue)]
    var raw: UInt64 = 0
    var position: UInt64 = 0
    var index = entry.first
    while index != entry.end {
      let part = parts[Int(index)]
      let source = part.shift >= 64 ? long : slot
      let width = UInt64(part.width)
      raw |= ((source &>> UInt64(part.shift & 63)) & ((1 &<< width) &- 1)) &<< position
      position &+= width
      index &+= 1
    }
    let width = UInt64(entry.width)
    switch entry.coding {
    case .none: return entry.constant
    case .unsigned: return Int64(bitPattern: raw &<< UInt64(entry.scale))
    case .signed: return signExtend(raw, width) &<< Int64(entry.scale)
    case .unsignedPlusOne: return Int64(bitPattern: raw &+ 1)
    case .signedPlusOne: return signExtend(raw, width) &+ 1
    case .complement: return Int64(bitPattern: ((1 &<< width) &- 1) ^ raw)
    case .plus32: return Int64(bitPattern: raw &+ 32)
    case .shiftCount: return raw == 0 ? 0 : raw == 1 ? 7 : raw == 2 ? 15 : 16
    case .increment:
      let magnitude: Int64 = raw & 3 == 3 ? 1 : 16 &>> Int64(raw & 3)
      return raw & 4 == 0 ? magnitude : 0 &- magnitude
    }
  }

  private func signExtend(_ value: UInt64, _ width: UInt64) -> Int64 {
    let unused = 64 &- width
    return Int64(bitPattern: value &<< unused) &>> Int64(unused)
  }
}
