import Processor

extension SystemFirmware {
  /// FPSWA placeholder
  func softwareAssist(_ call: GuestCall) throws(GuestAccessFailure) -> GateOutcome {
    let isr: UInt64 = try call.load(call.argument(4))
    _ = isr
    call.set(8, 1)
    return .proceed
  }
}
