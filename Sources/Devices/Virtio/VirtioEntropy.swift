import Platform

/// A virtio entropy device (section 5.4). Its bytes are those of SplitMix64, a generator of 64-bit numbers from a seed: the same seed, the
/// same bytes. Runs can be repeated; nobody should make keys of it.
public final class VirtioEntropy: VirtioDevice {
  /// Everything that a saved machine needs of it.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var generator: UInt64
    /// Taken, and not yet filled.
    var waiting: [VirtqueueChain] = []
    var delivered: UInt64 = 0
  }

  /// Bytes of one answer; a longer buffer is filled in part, which the specification allows.
  static let largestAnswer = 4096
  private static let bytesPerSecond: UInt64 = 100_000_000

  public var state: State

  public init(seed: UInt64, events: EventQueue, clock: any VirtualClock) {
    state = State(generator: seed)
    super.init(events: events, clock: clock)
  }

  override var kind: VirtioKind { .entropy }
  override var queueSizes: [UInt16] { [8] }
  override var counters: [String: UInt64] { ["bytes": state.delivered] }

  override func look(_ queue: Int) {
    let wasIdle = state.waiting.isEmpty
    while let chain = transport?.take(queue) { state.waiting.append(chain) }
    if wasIdle { scheduleNext() }
  }

  override func reset() {
    state.waiting = []
    cancel(Self.firstTag)
  }

  /// The first buffer's bytes are there.
  override func happened(_ tag: UInt64) {
    guard let memory, !state.waiting.isEmpty else { return }
    let chain = state.waiting.removeFirst()
    let count = min(chain.writableCount, Self.largestAnswer)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { bytes.append(little: next()) }
    bytes.removeLast(bytes.count - count)
    let isStored: Void? = transport?.attempt { () throws(VirtqueueFault) in try chain.write(bytes, memory) }
    guard isStored != nil else { return }
    state.delivered += UInt64(count)
    transport?.finish(chain, written: count)
    scheduleNext()
  }

  private func scheduleNext() {
    guard let chain = state.waiting.first else { return }
    let count = UInt64(min(chain.writableCount, Self.largestAnswer))
    schedule(Self.firstTag, at: now &+ Cycles.reaching(ticks: count, frequency: Self.bytesPerSecond))
  }

  /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
  private func next() -> UInt64 {
    state.generator &+= 0x9E37_79B9_7F4A_7C15
    var z = state.generator
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
