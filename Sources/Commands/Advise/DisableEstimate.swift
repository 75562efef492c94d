import Hypervisor
import Inspection
import Processor

/// What a bit of the virtualization disable control would spare a guest, by the exits of a trace: those instructions would have worked on the
/// processor itself. An estimate: the hypervisor could not have had that part of the processor for itself any more.
struct DisableEstimate: Encodable {
  var name: String
  var exits: UInt64 = 0
  var cycles: UInt64 = 0

  /// All that spare instructions.
  static func all(of reader: TraceReader) -> [DisableEstimate] {
    var estimates = ["d_itm", "d_extint", "d_ibr_dbr", "d_pmc", "d_to_pmd"].map { DisableEstimate(name: $0) }
    reader.forEach { record in
      guard case .instruction(let cause)? = record.exitKind, let name = name(cause, record.detail),
        let index = estimates.firstIndex(where: { $0.name == name })
      else { return }
      estimates[index].exits += 1
      estimates[index].cycles &+= record.cost
    }
    return estimates
  }

  /// Volume 2, table 11-46. Control registers are named by bits 26:20 of their moves (formats M32 and M33).
  private static func name(_ cause: InterceptCause, _ opcode: UInt64) -> String? {
    switch cause {
    case .movToCR, .movFromCR:
      let register = Int(opcode >> 20 & 0x7F)
      // LID to IRR3, and what a guest's end of interrupt is.
      return register == CR.itm ? "d_itm" : (CR.ivr - 1...CR.irr0 + 3).contains(register) ? "d_extint" : nil
    case .movToDBR, .movFromDBR, .movToIBR, .movFromIBR: return "d_ibr_dbr"
    case .movToPMC, .movFromPMC: return "d_pmc"
    case .movToPMD: return "d_to_pmd"
    default: return nil
    }
  }
}
