/// When a disk of the machine has done what it was asked for, whatever path the request came by: an IDE, SCSI or virtio controller, or a
/// domain's back end. It is one of 2002 behind a SCSI bus: one head, and a link that is shared as well, so that one request is on the
/// medium while another one's data are on the link.
///
/// All that use one disk share one object, several machines' controllers among them.
public final class MediumTiming {
  /// Everything that a saved machine needs of it.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    /// Cycles at which the head and the link are free.
    var headIsBusyUntil: UInt64 = 0
    var linkIsBusyUntil: UInt64 = 0
  }
  public private(set) var state = State()
  /// The operating system of the host, which requests of domains go through; nil: the machine has the disk for itself.
  public var host: HostProcessor?

  /// Told of every request: its bytes, when it came, when it is done, or when the medium has done its part.
  public var observer: ((_ bytes: UInt64, _ isWrite: Bool, _ start: UInt64, _ end: UInt64) -> Void)?

  public init() {}

  /// Command decoding and the way to the medium.
  static let accessTime = Cycles.from(nanoseconds: 60_000)
  static let mediumBytesPerSecond: UInt64 = 200_000_000
  /// Ultra2 Wide SCSI, and what a command needs of the bus besides its data: arbitration, selection, reselection, messages, status
  /// (``SCSITarget`` and its controller spend it phase by phase). For a write there is one disconnection more, before its data come.
  static let linkBytesPerSecond: UInt64 = 80_000_000
  static func linkTime(isWrite: Bool) -> UInt64 { Cycles.from(nanoseconds: isWrite ? 16_200 : 14_000) }
  /// More bytes than any request has: nothing takes longer at once.
  private static let mostBytes: UInt64 = 64 << 20

  private static func time(_ bytes: UInt64, at rate: UInt64) -> UInt64 {
    Cycles.reaching(ticks: min(bytes, mostBytes), frequency: rate)
  }

  /// The end of what the medium does for a request that comes now: one thing after another.
  private func useHead(_ bytes: UInt64, from now: UInt64) -> UInt64 {
    let start = max(now, state.headIsBusyUntil)
    state.headIsBusyUntil = start + Self.accessTime + Self.time(bytes, at: Self.mediumBytesPerSecond)
    return state.headIsBusyUntil
  }

  /// When the link begins to serve a request, and when it has moved its data.
  private func useLink(_ bytes: UInt64, isWrite: Bool, from now: UInt64) -> (start: UInt64, end: UInt64) {
    let start = max(now, state.linkIsBusyUntil)
    state.linkIsBusyUntil = start + Self.linkTime(isWrite: isWrite) + Self.time(bytes, at: Self.linkBytesPerSecond)
    return (start, state.linkIsBusyUntil)
  }

  /// The end of a request that comes now, its way through the host and over the link included. What is read is read first, and then
  /// moved; a write begins as its data come.
  public func request(_ bytes: UInt64, isWrite: Bool, now: UInt64) -> UInt64 {
    let end = end(of: bytes, isWrite: isWrite, from: host?.request(bytes, now: now) ?? now)
    observer?(bytes, isWrite, now, end)
    return end
  }

  private func end(of bytes: UInt64, isWrite: Bool, from arrival: UInt64) -> UInt64 {
    guard isWrite else { return useLink(bytes, isWrite: false, from: useHead(bytes, from: arrival)).end }
    let (start, end) = useLink(bytes, isWrite: true, from: arrival)
    return max(end, useHead(bytes, from: start + Self.linkTime(isWrite: true)))
  }

  /// The same for a controller whose bus has a life of its own: when the medium has done its part, and, for an emulated bus, the link
  /// that all domains share is free for the data.
  public func access(_ bytes: UInt64, isWrite: Bool, now: UInt64) -> UInt64 {
    let end: UInt64
    switch host?.request(bytes, now: now) {
    case nil: end = useHead(bytes, from: now)
    // A write's data come over the link while they come over the emulated bus.
    case let arrival? where isWrite: end = useHead(bytes, from: useLink(bytes, isWrite: true, from: arrival).start)
    case let arrival?: end = useLink(bytes, isWrite: false, from: useHead(bytes, from: arrival)).start
    }
    observer?(bytes, isWrite, now, end)
    return end
  }
}

/// A processor of the host that its operating system does domains' input and output on. What that costs are parameters: nothing of the
/// operating system is executed.
public final class HostProcessor {
  /// Cycles.
  public struct Costs: Sendable, Equatable {
    /// From a request in the host to its answer: block layer or network stack, driver, the device's interrupt.
    public var request: UInt64
    /// Each page of it: mapped or copied.
    public var page: UInt64
    /// One side wakes the other.
    public var notification: UInt64
    public init(request: UInt64, page: UInt64, notification: UInt64) {
      (self.request, self.page, self.notification) = (request, page, notification)
    }
  }

  public let costs: Costs
  /// That were spent.
  public private(set) var cycles: UInt64 = 0
  private var busyUntil: UInt64 = 0
  private static let pageSize: UInt64 = 16 << 10

  public init(_ costs: Costs) { self.costs = costs }

  /// A request that comes now: when the host hands it on. Its end, with the notification of the domain, is on the host's time as well.
  public func request(_ bytes: UInt64, now: UInt64) -> UInt64 {
    let pages = (bytes + Self.pageSize - 1) / Self.pageSize
    let work = costs.request + pages * costs.page + 2 * costs.notification
    cycles += work
    busyUntil = max(now, busyUntil) + work
    return busyUntil
  }
}
