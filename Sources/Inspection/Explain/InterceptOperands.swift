import Processor

/// What a virtualized instruction worked on, from its 41 bits and the registers that the record has.
enum InterceptOperands {
  /// Nil: it has no operands.
  static func text(_ r: TraceRecord, _ cause: InterceptCause) -> String? {
    let hex = TraceText.hex
    let opcode = r.detail
    let (r1, r2, r3) = (opcode >> 6 & 0x7F, opcode >> 13 & 0x7F, opcode >> 20 & 0x7F)
    switch cause {
    case .ssm, .rsm:
      // Format M44: imm24 = i : i2d : imm21a.
      let mask = (opcode >> 36 & 1) << 23 | (opcode >> 31 & 3) << 21 | opcode >> 6 & 0x1F_FFFF
      return "mask \(hex(mask)): " + psrNames(mask)
    case .movToCR: return "cr\(r3) = r\(r2), which was \(hex(r.b))"
    case .movFromCR: return "r\(r1) = cr\(r3): \(hex(r.c))"
    case .movToRR, .movToDBR, .movToIBR, .movToPKR, .movToPMC, .movToPMD, .itrD, .itrI, .ptcL, .ptcG, .ptcGA, .ptrD, .ptrI:
      return "r\(r3) was \(hex(r.a)), r\(r2) was \(hex(r.b))"
    case .movToPSR, .itcD, .itcI: return "r\(r2) was \(hex(r.b))"
    case .movToAR: return "ar\(r3) = r\(r2), which was \(hex(r.b))"
    case .movFromAR: return "r\(r1) = ar\(r3): \(hex(r.c))"
    case .movFromPSR: return "r\(r1) became \(hex(r.c))"
    case .movFromRR, .movFromDBR, .movFromIBR, .movFromPKR, .movFromPMC, .movFromCPUID, .thash, .ttag, .tpa, .tak:
      return "r\(r3) was \(hex(r.a)); r\(r1) became \(hex(r.c))"
    case .ptcE: return "r\(r3) was \(hex(r.a))"
    case .movToARImmediate, .cover, .rfi, .bsw0, .bsw1, .vmsw: return nil
    }
  }

  private static func psrNames(_ mask: UInt64) -> String {
    let names: [(UInt64, String)] = [
      (1, "be"), (2, "up"), (3, "ac"), (4, "mfl"), (5, "mfh"), (13, "ic"), (14, "i"), (15, "pk"), (17, "dt"), (18, "dfl"),
      (19, "dfh"),
      (20, "sp"), (21, "pp"), (22, "di"), (23, "si"),
    ]
    return names.filter { mask >> $0.0 & 1 != 0 }.map { "PSR." + $0.1 }.joined(separator: ", ")
  }
}
