import Platform
import Processor

/// Calls of the guest's code from a handler, and the way back (`Firmware/services.S`).
extension SystemFirmware {
  /// Ends a service: returns its status, or redirects its stub to what must happen first.
  func finish(_ outcome: ServiceOutcome, gate: UInt64, _ call: GuestCall) -> GateOutcome {
    switch outcome {
    case .status(let status): return finish(value: status.rawValue, gate: gate, call)
    case .value(let value): return finish(value: value, gate: gate, call)
    case .call(let function, let continuation):
      push(continuation, pending: function)
      return redirect(call, from: gate, to: image.callOut)
    case .wait(let cycle): return wait(until: cycle, call, gate: gate)
    case .arranged(let outcome): return outcome
    }
  }

  /// A service that returns lets the notifications be made first that it has brought about.
  private func finish(value: UInt64, gate: UInt64, _ call: GuestCall) -> GateOutcome {
    guard boot?.events.hasDispatchable == true else {
      call.set(8, value)
      return .proceed
    }
    push(.notifications(result: value), pending: nil)
    return redirect(call, from: gate, to: image.callOut)
  }

  private func push(_ continuation: Continuation, pending: GuestFunction?) {
    guard let current = boot else { return }
    boot?.frames.append(
      CallFrame(
        continuation: continuation, pending: pending, mark: nil, contexts: current.contexts.count, level: current.events.level))
  }

  /// Calls that handlers may nest. Each takes some of the guest's stack, which ends first.
  static let deepestCalls = 512

  /// Continues at another place of the image, by the mapping that the caller uses for the code.
  func redirect(_ call: GuestCall, from gate: UInt64, to target: UInt64) -> GateOutcome {
    guard let offset = image.offset(ofGate: gate), (boot?.frames.count ?? 0) < Self.deepestCalls else {
      if boot?.frames.isEmpty == false { boot?.frames.removeLast() }
      call.set(8, EFIStatus.outOfResources.rawValue)
      return .proceed
    }
    return jump(call, by: target &- offset)
  }

  func jump(_ call: GuestCall, by distance: UInt64) -> GateOutcome {
    let s = call.processor.state
    s.pointee.ip = s.pointee.ip &+ distance
    call.processor.setPSR(s.pointee.psr & ~PSR.riMask)
    return .redirected
  }

  /// Sleeps until an interrupt, and comes back to the same gate.
  private func wait(until cycle: UInt64, _ call: GuestCall, gate: UInt64) -> GateOutcome {
    armTimer(at: cycle, call.processor)
    call.set(10, call.processor.state.pointee.ip)
    guard let offset = gate == Gate.callNext ? image.callOut + Self.nextCallOffset : image.offset(ofGate: gate) else {
      return .stop
    }
    return jump(call, by: image.nap &- offset)
  }
  /// The bundle of GATE_CALL_NEXT behind `call_out`.
  private static let nextCallOffset: UInt64 = 32

  // MARK: Gates

  /// The innermost service says what to call next, or returns. Out registers begin behind eight inputs and four locals.
  func nextCall(_ call: GuestCall) -> GateOutcome {
    let s = call.processor.state
    s.pr[6] = 0
    while let frame = boot?.frames.last {
      if let function = frame.pending {
        boot?.innermost?.pending = nil
        guard let entry: UInt64 = try? call.load(function.descriptor),
          let pointer: UInt64 = try? call.load(function.descriptor &+ 8)
        else {
          call.set(8, EFIStatus.invalidParameter.rawValue)
          continue
        }
        call.set(8, entry)
        call.set(9, pointer)
        for n in 0..<8 {
          s.gr[44 + n] = n < function.arguments.count ? function.arguments[n] : 0
          s.setNaT(UInt8(44 + n), false)
        }
        s.pr[6] = 1
        return .proceed
      }
      switch resume(frame.continuation, result: call.register(8), call) {
      case .status(let status):
        if leave(status.rawValue, call) { return .proceed }
      case .value(let value):
        if leave(value, call) { return .proceed }
      case .call(let function, let continuation):
        boot?.innermost?.continuation = continuation
        boot?.innermost?.pending = function
      case .wait(let cycle): return wait(until: cycle, call, gate: Gate.callNext)
      case .arranged(let outcome): return outcome
      }
    }
    // Called by nobody.
    call.set(8, EFIStatus.aborted.rawValue)
    return .proceed
  }

  /// The innermost service returns `value`, unless notifications are to be made first.
  private func leave(_ value: UInt64, _ call: GuestCall) -> Bool {
    if boot?.events.hasDispatchable == true {
      boot?.innermost?.continuation = .notifications(result: value)
      return false
    }
    boot?.frames.removeLast()
    call.set(8, value)
    return true
  }

  func markCall(_ call: GuestCall) -> GateOutcome {
    boot?.innermost?.mark = CallMark(call.processor.state)
    return .proceed
  }

  /// Returns to the call that frame `index` has made, with `value` as its result; inner frames are forgotten.
  func unwind(to index: Int, value: UInt64, gate: UInt64, _ call: GuestCall) -> GateOutcome? {
    guard let frame = boot?.frames[index], let mark = frame.mark, let offset = image.offset(ofGate: gate) else { return nil }
    boot?.frames.removeSubrange((index + 1)...)
    boot?.abandon(from: frame.contexts)
    boot?.events.level = frame.level
    mark.restore(to: call.processor.state)
    call.set(8, value)
    return jump(call, by: image.unwind &- offset)
  }

  private func resume(_ continuation: Continuation, result: UInt64, _ call: GuestCall) -> ServiceOutcome {
    switch continuation {
    case .imageEnded(let handle, let size, let data):
      let outcome = imageEnded(handle, status: result, size, data, call)
      // What the boot manager has started is in the outermost frame.
      return boot?.frames.count == 1 ? bootManager(status: result, call) : outcome
    case .imageUnloads(let handle): return imageUnloads(handle, status: result)
    case .notified(let level, let value):
      boot?.events.level = level
      return nextNotification(value)
    case .notifications(let value): return nextNotification(value)
    case .checked(let event, let level):
      boot?.events.level = level
      return checkedAgain(event)
    case .exiting(let level):
      boot?.events.level = level
      return exitAfterNotifications(call)
    case .driver(let progress): return driverAnswered(progress, status: result, call)
    case .driverStopped(let progress): return driverStopped(progress, status: result, call)
    case .bootManager: return bootManager(status: result, call)
    }
  }
}
