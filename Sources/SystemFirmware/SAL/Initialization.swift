import Platform
import Processor

/// INIT: the platform wants the operating system to look at the machine (SAL specification, chapter 4; Volume 2, section 11.4).
extension SystemFirmware {
  /// Processor state parameter: an INIT; the area is registered, the context complete and exact, and can be resumed.
  private static let stateParameter: UInt64 = {
    let registered: UInt64 = 1 << 5
    let continuable: UInt64 = 1 << 7 | 1 << 8
    let exact: UInt64 = 1 << 13 | 1 << 14
    let initialization: UInt64 = 1 << 16
    // Register stack engine, then control, performance, debug, translation, region, application, branch, predicate, FP, general registers.
    let valid: UInt64 = 1 << 17 | 0xFFF0_0000
    return registered | continuable | exact | initialization | valid
  }()

  /// Hands a processor over to OS_INIT. The first one is the monarch until its handler returns, the others are slaves.
  public func initialize(_ processor: LogicalProcessor) {
    guard let index = host.processors.firstIndex(where: { $0 === processor }) else { return }
    if state.monarch == nil { state.monarch = index }
    let handler = state.monarch == index ? state.initMonarch : state.initSlave
    let address = minimalState(index)
    guard handler.entry != 0, let words = minimalStateWords(address) else {
      // Nobody to hand over to: the firmware starts over.
      host.perform(.warmReset)
      return
    }
    processor.enterInitializationHandler(at: handler.entry, saving: words, address: address)
    host.memory.noteWrite(address, count: LogicalProcessor.minimalStateSize)
    let gr = processor.state.gr
    gr[1] = handler.globalPointer
    gr[8] = FirmwareLayout.base + image.palEntry
    gr[9] = FirmwareLayout.base + image.salEntry
    gr[10] = FirmwareLayout.base
    gr[11] = 0  // no rendezvous was needed
    gr[12] = FirmwareLayout.base + image.initializationReturn
    gr[17] = address
    gr[18] = Self.stateParameter
  }

  /// OS_INIT has come back: r8 says what next, r22 where the context is.
  func returnFromInitialization(_ call: GuestCall) -> GateOutcome {
    if state.monarch == call.index { state.monarch = nil }
    let address = call.register(22) & ~(1 << 63)
    guard call.register(8) == 0, address & 7 == 0, let words = minimalStateWords(address),
      call.processor.resume(from: words, address: address)
    else {
      host.perform(Int64(bitPattern: call.register(8)) == -2 ? .coldReset : .warmReset)
      return .stop
    }
    return .redirected
  }

  private func minimalState(_ index: Int) -> UInt64 {
    let registered = state.processors[index].minState & ~(1 << 63)
    return registered != 0 ? registered : FirmwareLayout.minimalState(processor: index)
  }

  private func minimalStateWords(_ address: UInt64) -> UnsafeMutablePointer<UInt64>? {
    host.memory.host(address, count: LogicalProcessor.minimalStateSize)?.assumingMemoryBound(to: UInt64.self)
  }
}
