import Platform
import Processor

/// CreateEvent to RestoreTPL (EFI 1.10, section 5.1).
extension SystemFirmware {
  /// Events that may exist at a time.
  private static let maximumEvents = 4096

  /// in0 type, in1 TPL, in2 function, in3 context, in4 event (CreateEventEx: in4 group, in5 event).
  func createEvent(_ call: GuestCall, extended: Bool) throws(GuestAccessFailure) -> ServiceOutcome {
    let type = UInt32(truncatingIfNeeded: call.argument(0))
    let result = call.argument(extended ? 5 : 4)
    let isNotified = type & (EventType.notifyWait | EventType.notifySignal) != 0
    let known = [
      0, EventType.timer, EventType.notifyWait, EventType.notifySignal, EventType.exitBootServices, EventType.virtualAddressChange,
      EventType.timer | EventType.notifySignal, EventType.timer | EventType.notifyWait, EventType.runtime | EventType.notifySignal,
      EventType.runtime, EventType.runtime | EventType.notifyWait,
    ]
    guard result != 0, known.contains(type), !isNotified || call.argument(2) != 0 else { return .status(.invalidParameter) }
    let levels = [TaskPriority.callback, TaskPriority.notify]
    // Before UEFI 2.0 the application level was allowed too.
    guard !isNotified || levels.contains(call.argument(1)) || call.argument(1) == TaskPriority.application else {
      return .status(.invalidParameter)
    }
    var group: GUID?
    if extended, call.argument(4) != 0 {
      guard type != EventType.exitBootServices, type != EventType.virtualAddressChange else { return .status(.invalidParameter) }
      group = GUID(bytes: try call.read(call.argument(4), count: 16))
    }
    try call.check(result, count: 8)
    guard (boot?.events.events.count ?? 0) < Self.maximumEvents,
      let handle = makeEvent(
        .init(
          type: type, level: isNotified ? call.argument(1) : 0, function: isNotified ? call.argument(2) : 0,
          context: call.argument(3), group: group))
    else { return .status(.outOfResources) }
    try call.store(result, handle)
    return .success
  }

  func makeEvent(_ event: EventDatabase.Event) -> UInt64? {
    guard let handle = allocatePool(16, .bootServicesData) else { return nil }
    boot?.events.events[handle] = event
    return handle
  }

  /// in0 event, in1 type (cancel, periodic, relative), in2 time in units of 100 ns.
  func setTimer(_ call: GuestCall) -> ServiceOutcome {
    let handle = call.argument(0)
    guard let event = boot?.events.events[handle], event.type & EventType.timer != 0 else { return .status(.invalidParameter) }
    let (nanoseconds, tooLong) = call.argument(2).multipliedReportingOverflow(by: 100)
    let interval = tooLong ? .max : Cycles.from(nanoseconds: nanoseconds)
    let now = call.processor.currentCycle
    let due = now.addingReportingOverflow(interval)
    switch UInt32(truncatingIfNeeded: call.argument(1)) {
    case 0:
      boot?.events.events[handle]?.due = nil
      boot?.events.events[handle]?.period = nil
    case 1:
      // Period 0 is every tick of the firmware's timer.
      let period = call.argument(2) == 0 ? Self.pollInterval : interval
      boot?.events.events[handle]?.due = now &+ period < now ? UInt64.max : now &+ period
      boot?.events.events[handle]?.period = period
    case 2:
      boot?.events.events[handle]?.due = due.overflow ? UInt64.max : due.partialValue
      boot?.events.events[handle]?.period = nil
    default: return .status(.invalidParameter)
    }
    boot?.events.events[handle]?.isSignalled = false
    armTimer(at: .max, call.processor)
    return .success
  }

  func signalEvent(_ call: GuestCall) -> ServiceOutcome {
    guard boot?.events.events[call.argument(0)] != nil else { return .status(.invalidParameter) }
    boot?.events.signal(call.argument(0))
    return .success
  }

  func closeEvent(_ call: GuestCall) -> ServiceOutcome {
    let handle = call.argument(0)
    guard boot?.events.events[handle] != nil, boot?.events.inputEvents.contains(handle) == false else {
      return .status(.invalidParameter)
    }
    boot?.events.close(handle)
    boot?.handles.forget(event: handle)
    _ = freePool(handle)
    return .success
  }

  /// Takes note of a signal; a notify-wait event's function is called when it is not signalled.
  private func take(_ handle: UInt64, _ call: GuestCall) -> Bool {
    guard let event = boot?.events.events[handle] else { return false }
    if boot?.events.inputEvents.contains(handle) == true { return hasKey(call.processor) }
    if event.isSignalled {
      boot?.events.events[handle]?.isSignalled = false
      return true
    }
    if event.type & EventType.notifyWait != 0 { boot?.events.enqueue(handle) }
    return false
  }

  func checkEvent(_ call: GuestCall) -> ServiceOutcome {
    guard let event = boot?.events.events[call.argument(0)], event.type & EventType.notifySignal == 0 else {
      return .status(.invalidParameter)
    }
    if take(call.argument(0), call) { return .success }
    return checkedAgain(call.argument(0))
  }

  /// Notification functions may signal the event that is asked about: it is looked at again when they have run.
  func checkedAgain(_ handle: UInt64) -> ServiceOutcome {
    if let level = boot?.events.level, let next = boot?.events.next() {
      boot?.events.level = next.event.level
      return .call(
        GuestFunction(descriptor: next.event.function, arguments: [next.handle, next.event.context]),
        then: .checked(event: handle, level: level))
    }
    guard boot?.events.events[handle]?.isSignalled == true else { return .status(.notReady) }
    boot?.events.events[handle]?.isSignalled = false
    return .success
  }

  /// in0 number of events, in1 events, in2 index.
  func waitForEvent(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    let count = call.argument(0)
    guard count > 0, count <= UInt64(Self.maximumEvents), call.argument(1) != 0, call.argument(2) != 0 else {
      return .status(.invalidParameter)
    }
    guard boot?.events.level == TaskPriority.application else { return .status(.unsupported) }
    try call.check(call.argument(2), count: 8)
    var needsPoll = false
    for index in 0..<count {
      let handle: UInt64 = try call.load(call.argument(1) &+ 8 &* index)
      guard let event = boot?.events.events[handle], event.type & EventType.notifySignal == 0 else {
        try call.store(call.argument(2), index)
        return .status(.invalidParameter)
      }
      if take(handle, call) {
        try call.store(call.argument(2), index)
        return .success
      }
      if boot?.events.inputEvents.contains(handle) == true || event.type & EventType.notifyWait != 0 { needsPoll = true }
    }
    return .wait(until: needsPoll ? call.processor.currentCycle &+ Self.pollInterval : .max)
  }

  // MARK: Task priority

  func raiseTPL(_ call: GuestCall) -> ServiceOutcome {
    let old = boot?.events.level ?? TaskPriority.application
    if call.argument(0) >= old, call.argument(0) <= TaskPriority.high { boot?.events.level = call.argument(0) }
    return .value(old)
  }

  func restoreTPL(_ call: GuestCall) -> ServiceOutcome {
    if let old = boot?.events.level, call.argument(0) <= old { boot?.events.level = call.argument(0) }
    return .value(0)
  }

  // MARK: Notifications

  /// Makes the next notification that the level allows; when there is none, the service returns `result`.
  func nextNotification(_ result: UInt64) -> ServiceOutcome {
    guard let level = boot?.events.level, let next = boot?.events.next() else { return .value(result) }
    boot?.events.level = next.event.level
    return .call(
      GuestFunction(descriptor: next.event.function, arguments: [next.handle, next.event.context]),
      then: .notified(level: level, result: result))
  }
}
