import Processor

/// What the handler of a boot service or of a protocol's function has decided.
enum ServiceOutcome {
  /// The service returns.
  case status(EFIStatus)
  /// The service returns something that is not a status.
  case value(UInt64)
  /// The guest's function at `function` is called first; its result goes to the continuation.
  case call(GuestFunction, then: Continuation)
  /// Nothing to return yet: the service is called again after an interrupt, at this cycle at the latest.
  case wait(until: UInt64)
  /// The handler has set the processor's state itself.
  case arranged(GateOutcome)

  static var success: ServiceOutcome { .status(.success) }
}

/// A function of the guest's, with its arguments.
struct GuestFunction: Sendable, Equatable, Codable {
  /// Address of the function descriptor: entry point and global pointer.
  var descriptor: UInt64
  var arguments: [UInt64]
}

/// What a service does with the result of the guest's code that it has called.
enum Continuation: Sendable, Equatable, Codable {
  /// An image's entry point has returned, or Exit has been called. The addresses are those of StartImage's last two arguments.
  case imageEnded(image: UInt64, exitDataSize: UInt64, exitData: UInt64)
  /// An image's unload function has returned.
  case imageUnloads(image: UInt64)
  /// A notification function has returned; the TPL goes back to `level`. The last one lets the service return `result`.
  case notified(level: UInt64, result: UInt64)
  /// The notifications that are pending have yet to be made.
  case notifications(result: UInt64)
  /// A notification function has returned that CheckEvent has had called.
  case checked(event: UInt64, level: UInt64)
  /// A notification function of ExitBootServices has returned.
  case exiting(level: UInt64)
  /// A driver's Supported, or Start, has returned.
  case driver(ConnectionProgress)
  /// A driver's Stop has returned.
  case driverStopped(DisconnectionProgress)
  /// The boot manager: what it started last has come back.
  case bootManager
}

/// One service that waits for the guest's code which it has called.
struct CallFrame: Sendable, Equatable, Codable {
  var continuation: Continuation
  /// The call that is to be made next.
  var pending: GuestFunction?
  /// Where the call that is under way will return to.
  var mark: CallMark?
  /// Interruptions that had been suspended when the frame was made.
  var contexts: Int
  /// TPL at that time.
  var level: UInt64
}
