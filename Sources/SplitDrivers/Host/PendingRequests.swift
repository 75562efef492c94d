/// Requests that a medium works on. They end in the order in which they came, which is that of the cycles at which the medium is done with
/// them.
final class PendingRequests<Request> {
  private unowned let host: DriverHost
  private let finish: (Request) -> Void
  private let goOn: () -> Void
  private var underway: [(request: Request, end: UInt64)] = []
  private var event: UInt64?

  /// `finish`: a request's time has come. `goOn`: some have ended, and there may be room for more.
  init(_ host: DriverHost, finish: @escaping (Request) -> Void, goOn: @escaping () -> Void) {
    (self.host, self.finish, self.goOn) = (host, finish, goOn)
  }

  func add(_ request: Request, end: UInt64) {
    underway.append((request, max(end, underway.last?.end ?? 0)))
    schedule()
  }

  private func schedule() {
    guard event == nil, let first = underway.first else { return }
    event = host.schedule(at: first.end) { [weak self] in self?.happened() }
  }

  private func happened() {
    event = nil
    while let first = underway.first, first.end <= host.now {
      underway.removeFirst()
      finish(first.request)
    }
    goOn()
    schedule()
  }

  /// Forgets all of them, and says what they were.
  func cancel() -> [Request] {
    if let event { host.cancel(event) }
    event = nil
    defer { underway = [] }
    return underway.map(\.request)
  }
}
