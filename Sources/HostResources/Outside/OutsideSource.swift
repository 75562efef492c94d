#if canImport(Glibc)
  import Glibc
#endif

/// The descriptors of one call of `poll`, and how long it may take.
public struct PollSet {
  public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let input = Interest(rawValue: 1)
    public static let output = Interest(rawValue: 2)
    public static let priority = Interest(rawValue: 4)
    public static let error = Interest(rawValue: 8)
    public static let hangUp = Interest(rawValue: 16)
  }

  var descriptors: [pollfd] = []
  /// Milliseconds; nil: as long as it takes.
  public private(set) var timeout: UInt32?

  init(timeout: UInt32?) { self.timeout = timeout }

  /// Returns the index under which ``events(_:)`` has the result.
  @discardableResult
  public mutating func add(_ descriptor: Int32, _ interest: Interest) -> Int {
    var events: Int32 = 0
    if interest.contains(.input) { events |= Int32(POLLIN) }
    if interest.contains(.output) { events |= Int32(POLLOUT) }
    if interest.contains(.priority) { events |= Int32(POLLPRI) }
    descriptors.append(pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0))
    return descriptors.count - 1
  }

  /// Come back after so many milliseconds at the latest.
  public mutating func limit(_ milliseconds: UInt32) { timeout = min(timeout ?? .max, milliseconds) }

  /// What `poll` found.
  public func events(_ index: Int) -> Interest {
    guard descriptors.indices.contains(index) else { return [] }
    let found = Int32(descriptors[index].revents)
    var result: Interest = []
    if found & Int32(POLLIN) != 0 { result.insert(.input) }
    if found & Int32(POLLOUT) != 0 { result.insert(.output) }
    if found & Int32(POLLPRI) != 0 { result.insert(.priority) }
    if found & Int32(POLLERR | POLLNVAL) != 0 { result.insert(.error) }
    if found & Int32(POLLHUP) != 0 { result.insert(.hangUp) }
    return result
  }

  var isEmpty: Bool { descriptors.isEmpty }

  mutating func wait() -> Bool {
    // poll takes milliseconds as a signed number; less than a month is asked for again.
    let milliseconds = timeout.map { Int32(clamping: $0) } ?? -1
    return poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0
  }
}

/// Something outside the machine that reaches it through descriptors of the host: a terminal, a network.
public protocol OutsideSource: AnyObject {
  /// Something may still come from here that the guest did not cause in the same moment. While that is so, idle time passes at the
  /// host's pace.
  var mayDeliver: Bool { get }
  /// Adds the descriptors to look at.
  func prepare(_ set: inout PollSet)
  /// Takes what is there, without waiting. True if the guest may notice it.
  func collect(_ set: PollSet) -> Bool
}
