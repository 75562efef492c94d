import HostResources

/// A clock and an event queue that a test moves.
final class TestTimeline: MachineTimeline {
  private(set) var now: UInt64 = 0
  let cyclesPerSecond: UInt64
  private var actions: [(UInt64) -> Void] = []
  private var pending: [(cycle: UInt64, action: Int)] = []

  init(cyclesPerSecond: UInt64 = 1_600_000_000) { self.cyclesPerSecond = cyclesPerSecond }

  func register(_ action: @escaping (UInt64) -> Void) -> Int {
    actions.append(action)
    return actions.count - 1
  }
  func schedule(_ action: Int, at cycle: UInt64) { pending.append((cycle, action)) }

  /// Lets time pass, and what is due happen.
  func run(until cycle: UInt64) {
    while let next = pending.indices.min(by: { pending[$0].cycle < pending[$1].cycle }), pending[next].cycle <= cycle {
      let event = pending.remove(at: next)
      now = max(now, event.cycle)
      actions[event.action](event.cycle)
    }
    now = max(now, cycle)
  }
}

/// Frames for tests.
enum Frame {
  static func make(to destination: MACAddress, from source: MACAddress, type: UInt16 = 0x88B5, payload: [UInt8]) -> [UInt8] {
    destination.bytes + source.bytes + [UInt8(type >> 8), UInt8(truncatingIfNeeded: type)] + payload
  }
}

extension NetworkPort {
  func drain() -> [[UInt8]] {
    var frames: [[UInt8]] = []
    while let frame = receive() { frames.append(frame) }
    return frames
  }
}
