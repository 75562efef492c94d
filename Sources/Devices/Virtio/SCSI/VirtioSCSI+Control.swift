import Platform

/// Task management and events (sections 5.6.6.2 and 5.6.6.3).
extension VirtioSCSI {
  private typealias Response = VirtioSCSIRequest.Response

  private enum Control {
    static let taskManagement: UInt32 = 0
    static let query: UInt32 = 1
    static let subscribe: UInt32 = 2
  }
  private enum Function {
    static let abortTask: UInt32 = 0
    static let abortTaskSet: UInt32 = 1
    static let clearTaskSet: UInt32 = 3
    static let nexusReset: UInt32 = 4
    static let unitReset: UInt32 = 5
    static let queryTask: UInt32 = 6
    static let queryTaskSet: UInt32 = 7
  }
  /// Type, function, unit, identifier.
  private static let managementSize = 24
  /// Type, unit, events.
  private static let subscriptionSize = 16

  /// All requests that are there; none waits for anything.
  func control() {
    while let transport, let memory, let chain = transport.take(Queue.control) {
      let answer = transport.attempt { () throws(VirtqueueFault) -> [UInt8]? in
        guard chain.readableCount >= 4 else { throw .malformed }
        let bytes = try chain.bytes(count: min(chain.readableCount, Self.managementSize), memory)
        let answer = try self.answer(bytes)
        guard chain.writableCount >= answer.count else { throw .malformed }
        try chain.write(answer, memory)
        return answer
      }
      guard let answer else { return }
      transport.finish(chain, written: answer.count)
    }
  }

  private func answer(_ bytes: [UInt8]) throws(VirtqueueFault) -> [UInt8] {
    switch bytes.little(0, as: UInt32.self) {
    case Control.taskManagement:
      guard bytes.count >= Self.managementSize else { throw .malformed }
      return [manage(bytes.little(4), Array(bytes[8..<16]), identifier: bytes.little(16)).rawValue]
    case Control.query, Control.subscribe:
      guard bytes.count >= Self.subscriptionSize else { throw .malformed }
      // No asynchronous notifications of units: none of those asked for is there.
      return [0, 0, 0, 0, (find(Array(bytes[4..<12])) == nil ? Response.badTarget : .ok).rawValue]
    default: return [Response.functionRejected.rawValue]
    }
  }

  private func find(_ name: [UInt8]) -> SCSIUnit? { VirtioSCSIUnitNumber(name).flatMap { units[$0.target] } }

  private func manage(_ function: UInt32, _ name: [UInt8], identifier: UInt64) -> Response {
    guard let number = VirtioSCSIUnitNumber(name), let unit = units[number.target] else { return .badTarget }
    guard number.number == 0 || function == Function.nexusReset else { return .incorrectUnit }
    switch function {
    case Function.abortTask: drop(.aborted) { $0.unit == number && $0.identifier == identifier }
    case Function.abortTaskSet, Function.clearTaskSet: drop(.aborted) { $0.unit == number }
    case Function.unitReset, Function.nexusReset:
      drop(.reset) { $0.target == number.target }
      unit.reset(.deviceReset)
    case Function.queryTask:
      return state.requests.contains { $0.unit == number && $0.identifier == identifier } ? .functionSucceeded : .ok
    case Function.queryTaskSet: return state.requests.contains { $0.unit == number } ? .functionSucceeded : .ok
    default: return .functionRejected
    }
    return .ok
  }

  /// Tells the driver, or keeps in mind that it was not told.
  func report(_ event: VirtioSCSIEvent, target: UInt8, reason: UInt32) {
    guard let transport, let memory else { return }
    guard let chain = transport.take(Queue.event) else {
      state.hasMissedEvents = true
      return
    }
    var bytes: [UInt8] = []
    bytes.append(little: event.rawValue | (state.hasMissedEvents ? VirtioSCSIEvent.missed : 0))
    bytes += event == .none ? [UInt8](repeating: 0, count: 8) : VirtioSCSIUnitNumber(target: target).bytes
    bytes.append(little: reason)
    let isStored: Void? = transport.attempt { () throws(VirtqueueFault) in
      guard chain.writableCount >= bytes.count else { throw .malformed }
      try chain.write(bytes, memory)
    }
    guard isStored != nil else { return }
    state.hasMissedEvents = false
    transport.finish(chain, written: bytes.count)
  }
}
