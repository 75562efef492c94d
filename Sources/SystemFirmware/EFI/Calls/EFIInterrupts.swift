import Platform
import Processor

/// The boot services' timer, and exceptions of images.
extension SystemFirmware {
  /// Vector of the interval timer while boot services last.
  static let timerVector: UInt8 = 0xEF
  /// The console's input is looked at so often while something waits for it.
  static let pollInterval = Cycles.from(nanoseconds: 10_000_000)

  /// Signals the timers that are due and arms the interval timer for the next one.
  func advanceTimers(_ processor: LogicalProcessor) {
    guard boot != nil else { return }
    let now = processor.currentCycle
    if let watchdog = boot?.watchdog, watchdog <= now {
      boot?.watchdog = nil
      writeConsole("\r\nThe boot watchdog has expired.\r\n", processor)
      host.perform(.coldReset)
    }
    boot?.events.signalDueTimers(now)
    if processor.state.pointee.interruptPending, processor.state.pointee.psr & PSR.i == 0 { _ = processor.serviceInterrupt() }
    armTimer(at: .max, processor)
  }

  /// The interval timer is to interrupt at `cycle`, or when the first timer is due.
  func armTimer(at cycle: UInt64, _ processor: LogicalProcessor) {
    guard let boot else { return }
    let due = min(cycle, boot.events.nextTimer ?? .max, boot.watchdog ?? .max)
    if due == .max { processor.maskIntervalTimer() } else { processor.armIntervalTimer(at: due, vector: Self.timerVector) }
  }

  /// A bundle of the interruption vector table.
  func interruption(_ number: UInt64, _ call: GuestCall) -> GateOutcome {
    let offset = (number - Gate.vector) << 8
    guard offset == UInt64(Vector.externalInterrupt.rawValue) else { return exception(UInt16(truncatingIfNeeded: offset), call) }
    let processor = call.processor
    while processor.serviceInterrupt() != 15 {}
    advanceTimers(processor)
    // The gate is in the vector's second bundle; the rest of the image is where the caller's mapping has it.
    let base = processor.state.pointee.ip &- (FirmwareLayout.vectors - FirmwareLayout.base) &- offset &- 16
    guard let current = boot, current.events.hasDispatchable, current.contexts.count < Self.deepestInterrupts else {
      processor.state.pointee.ip = base &+ image.resume
      processor.setPSR(processor.state.pointee.psr & ~PSR.riMask)
      return .redirected
    }
    let context = InterruptedContext(processor.state)
    boot?.contexts.append(context)
    boot?.frames.append(
      CallFrame(
        continuation: .notifications(result: 0), pending: nil, mark: nil, contexts: current.contexts.count,
        level: current.events.level))
    let s = processor.state
    processor.setPSR(context.interruptedPSR & (PSR.it | PSR.dt | PSR.rt) | PSR.ic | PSR.i | PSR.bn)
    s.ar[AR.pfs] = 0
    s.br[0] = base &+ image.notified
    // Below the image's stack, with the scratch area that a procedure's caller provides.
    s.gr[12] = s.gr[12] & ~15 &- 32
    s.pointee.ip = base &+ image.callOut
    return .redirected
  }

  private static let deepestInterrupts = 32

  /// Gate behind the last notification of an interrupt.
  func notified(_ call: GuestCall) -> GateOutcome {
    boot?.contexts.popLast()?.restore(to: call.processor)
    return .proceed
  }

  /// An image has done what it must not: there is nobody to handle it.
  private func exception(_ vector: UInt16, _ call: GuestCall) -> GateOutcome {
    let s = call.processor.state
    func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
    let name = Vector(rawValue: vector).map { "\($0)" } ?? "vector \(hex(UInt64(vector)))"
    let place = s.cr[CR.iip]
    var text = "\r\nAn EFI image has failed: \(name) at \(hex(place)), slot \(PSR.ri(s.cr[CR.ipsr]))"
    if let image = boot?.images.values.first(where: { place &- $0.base < $0.size }) {
      text += " (image + \(hex(place - image.base)))"
    }
    text += ", isr \(hex(s.cr[CR.isr])), ifa \(hex(s.cr[CR.ifa])), b0 \(hex(s.br[0]))\r\n"
    writeConsole(text, call.processor)
    host.perform(.imageReturned(EFIStatus.aborted.rawValue))
    return .stop
  }
}
