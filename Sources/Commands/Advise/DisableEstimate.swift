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
    // d_vmsw is the contrary: with it there are more exits.
    let disables = VirtualProcessorDescriptor.Disables.names.filter { $0.1 != .vmsw }
    var estimates = disables.map { DisableEstimate(name: $0.0) }
    reader.forEach { record in
      guard case .instruction(let cause)? = record.exitKind, let disable = disable(cause, record.detail),
        let index = disables.firstIndex(where: { $0.1 == disable })
      else { return }
      estimates[index].exits += 1
      estimates[index].cycles &+= record.cost
    }
    return estimates
  }

  /// Volume 2, table 11-46. Control registers are named by bits 26:20 of their moves (formats M32 and M33).
  private static func disable(_ cause: InterceptCause, _ opcode: UInt64) -> VirtualProcessorDescriptor.Disables? {
    switch cause {
    case .movToCR, .movFromCR: .covering(controlRegister: Int(opcode >> 20 & 0x7F))
    case .movToDBR, .movFromDBR, .movToIBR, .movFromIBR: .breakpoints
    case .movToPMC, .movFromPMC: .performanceControls
    case .movToPMD: .performanceData
    default: nil
    }
  }
}
