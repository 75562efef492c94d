import Platform

/// Where the pages go that a guest gives away.
public protocol BalloonHost: AnyObject {
  /// The guest does without these pages of 4096 bytes. Numbers come from the guest: some may not be RAM, or be there twice.
  func inflated(_ pages: [UInt32])
  /// The guest uses these again.
  func deflated(_ pages: [UInt32])
  /// The guest has forgotten which pages are gone: it uses all of them again.
  func reset()
}

/// A virtio memory balloon (section 5.5): asks the guest for pages, and gives them back.
public final class VirtioBalloon: VirtioDevice {
  /// What the guest says about its memory (section 5.5.6.4), by tag.
  public enum Statistic: UInt16, Sendable, CaseIterable, Codable {
    case swapIn, swapOut, majorFaults, minorFaults, freeMemory, totalMemory, availableMemory, diskCaches
  }
  enum Feature {
    static let mustTellHost: UInt64 = 1 << 0
    static let statistics: UInt64 = 1 << 1
    static let deflateOnOOM: UInt64 = 1 << 2
  }

  /// Everything that a saved machine needs of it; which pages are gone is the host's part.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    /// Pages that the guest should give away.
    var target: UInt32 = 0
    /// Pages that it says it has given.
    var actual: UInt32 = 0
    /// The buffer for statistics, which waits for somebody who wants them.
    var statisticsBuffer: VirtqueueChain?
    var statistics: [UInt16: UInt64] = [:]
    var inflated: UInt64 = 0
    var deflated: UInt64 = 0
  }

  private enum Queue {
    static let inflate = 0
    static let deflate = 1
    static let statistics = 2
  }
  /// Page numbers of one request; longer ones are no request of any driver.
  static let largestRequest = 4096
  /// Tag and value.
  private static let statisticSize = 10
  /// A page is taken out of, or put into, tables.
  private static let pageTime = Cycles.from(nanoseconds: 200)

  public var state = State()
  public weak var host: (any BalloonHost)?

  override public init(events: EventQueue, clock: any VirtualClock) { super.init(events: events, clock: clock) }

  override var kind: VirtioKind { .balloon }
  override var queueSizes: [UInt16] { [128, 128, 128] }
  override var features: UInt64 { Feature.mustTellHost | Feature.statistics | Feature.deflateOnOOM }
  override var configuration: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: state.target)
    bytes.append(little: state.actual)
    return bytes
  }
  override var counters: [String: UInt64] {
    [
      "target_pages": UInt64(state.target), "actual_pages": UInt64(state.actual), "inflated_pages": state.inflated,
      "deflated_pages": state.deflated,
    ]
  }

  override func configurationWritten(_ offset: Int, _ bytes: [UInt8]) {
    var actual: [UInt8] = []
    actual.append(little: state.actual)
    for (n, byte) in bytes.enumerated() where actual.indices.contains(offset + n - 4) { actual[offset + n - 4] = byte }
    state.actual = actual.little(0)
  }

  /// Asks the guest for so many pages of 4096 bytes in all.
  public func setTarget(pages: UInt32) {
    guard pages != state.target else { return }
    state.target = pages
    transport?.configurationChanged()
  }

  /// Statistics that the guest gave last, in bytes or counts.
  public var guestStatistics: [Statistic: UInt64] {
    Dictionary(uniqueKeysWithValues: state.statistics.compactMap { tag, value in Statistic(rawValue: tag).map { ($0, value) } })
  }

  /// Asks for new ones; false: the guest has none to give now.
  @discardableResult public func requestStatistics() -> Bool {
    guard let buffer = state.statisticsBuffer else { return false }
    state.statisticsBuffer = nil
    // Giving the buffer back is the question (section 5.5.6.3).
    transport?.finish(buffer, written: 0)
    return true
  }

  override func reset() {
    let target = state.target
    state = State(target: target, inflated: state.inflated, deflated: state.deflated)
    host?.reset()
  }

  /// One request at a time: what a guest can make one event do is bounded.
  override func look(_ queue: Int) {
    guard let memory, let chain = transport?.take(queue) else { return }
    _ = transport?.attempt { () throws(VirtqueueFault) in
      let count = queue == Queue.statistics ? try learn(chain, memory) : try move(chain, memory, inflates: queue == Queue.inflate)
      transport?.scheduleLook(queue, at: now &+ Self.notificationTime &+ UInt64(count) * Self.pageTime)
      return ()
    }
  }

  private func move(_ chain: VirtqueueChain, _ memory: any DMAPort, inflates: Bool) throws(VirtqueueFault) -> Int {
    let count = chain.readableCount / 4
    guard count <= Self.largestRequest else { throw .malformed }
    let bytes = try chain.bytes(count: count * 4, memory)
    let pages = (0..<count).map { bytes.little(4 * $0, as: UInt32.self) }
    if inflates {
      state.inflated += UInt64(count)
      host?.inflated(pages)
    } else {
      state.deflated += UInt64(count)
      host?.deflated(pages)
    }
    transport?.finish(chain, written: 0)
    return count
  }

  private func learn(_ chain: VirtqueueChain, _ memory: any DMAPort) throws(VirtqueueFault) -> Int {
    let count = min(chain.readableCount / Self.statisticSize, 64)
    let bytes = try chain.bytes(count: count * Self.statisticSize, memory)
    for n in 0..<count where Statistic(rawValue: bytes.little(n * Self.statisticSize)) != nil {
      state.statistics[bytes.little(n * Self.statisticSize)] = bytes.little(n * Self.statisticSize + 2)
    }
    // A driver has one buffer for them. Another one replaces it.
    if let old = state.statisticsBuffer { transport?.finish(old, written: 0) }
    state.statisticsBuffer = chain
    return 0
  }
}
