/// How operands look in assembly language.
enum OperandSyntax: Sendable {
  /// A fixed word.
  case word(String)
  /// A register: prefix and number.
  case register(String)
  case applicationRegister, controlRegister
  /// `[r3]`, or an indirect file such as `rr[r3]`.
  case indirect(String)
  case signed, unsigned, hexadecimal, muxType
  /// An address relative to the bundle, written as the absolute address.
  case address
}

extension OperandKind {
  /// Spelling of the operand, as GNU's disassembler writes it.
  var syntax: OperandSyntax {
    switch self {
    case .arCSD: return .word("ar.csd")
    case .arCCV: return .word("ar.ccv")
    case .arPFS: return .word("ar.pfs")
    case .one: return .word("1")
    case .eight: return .word("8")
    case .sixteen: return .word("16")
    case .gr0: return .word("r0")
    case .ip: return .word("ip")
    case .pr: return .word("pr")
    case .prRot: return .word("pr.rot")
    case .psr: return .word("psr")
    case .psrL: return .word("psr.l")
    case .psrUM: return .word("psr.um")
    case .ar3: return .applicationRegister
    case .cr3: return .controlRegister
    case .b1, .b2: return .register("b")
    case .f1, .f2, .f3, .f4: return .register("f")
    case .p1, .p2: return .register("p")
    case .r1, .r2, .r3, .r3Short: return .register("r")
    case .dahr3: return .register("dahr")
    case .mr3: return .indirect("")
    case .cpuid, .dbr, .dtr, .itr, .ibr, .msr, .pkr, .pmc, .pmd, .dahr, .rr: return .indirect("\(self)")
    case .ccnt5, .cnt2a, .cnt2b, .cnt2c, .cnt5, .cnt6, .cpos6a, .cpos6b, .cpos6c, .pos6, .len4, .len6, .immu2, .immu5,
      .immu16, .immu19, .sof, .sol, .sor, .lfetchCount:
      return .unsigned
    case .imm1, .imm8, .imm8MinusOne, .imm8Unsigned4, .imm8MinusOneUnsigned4, .imm8MinusOneUnsigned8, .imm9Load,
      .imm9Store, .imm14, .imm22, .fetchAddIncrement, .lfetchStride:
      return .signed
    case .imm44, .mask17, .amask7, .omask7, .fclass9, .immu21, .immu24, .immu62, .immu64, .muxHalfType, .relaxation:
      return .hexadecimal
    case .muxByteType: return .muxType
    case .target25, .target25Check, .target25Fchkf, .target64, .tag13, .tag13Move: return .address
    }
  }

  /// Spellings by raw value, so that printing need not build strings anew.
  static let syntaxes: [OperandSyntax] = OperandKind.allCases.map(\.syntax)
}
