import Foundation
import HostResources
import TestSupport
import Testing

/// As many bridges and interfaces as a host has, all at once.
@Suite(.ends(withinMinutes: 5)) struct BridgeScaleTests {
  /// Everything that is sent takes the same time, so that events come in the order in which they are made.
  final class FlatTimeline: MachineTimeline {
    private(set) var now: UInt64 = 0
    let cyclesPerSecond: UInt64 = 1_600_000_000
    private var actions: [(UInt64) -> Void] = []
    private var pending: [(cycle: UInt64, action: Int)] = []

    func register(_ action: @escaping (UInt64) -> Void) -> Int {
      actions.append(action)
      return actions.count - 1
    }
    func schedule(_ action: Int, at cycle: UInt64) { pending.append((cycle, action)) }
    func run() {
      var n = 0
      while n < pending.count {
        now = max(now, pending[n].cycle)
        actions[pending[n].action](pending[n].cycle)
        n += 1
      }
      pending.removeAll(keepingCapacity: true)
    }
  }

  private func address(_ bridge: Int, _ port: Int) -> MACAddress {
    MACAddress(value: 0x0016_3E00_0000 | UInt64(bridge) << 8 | UInt64(port))
  }

  /// Each interface sends a frame to each other one on its bridge. Returns frames per second of the host.
  private func exchange(_ bridges: Int, _ interfaces: Int) throws -> Double {
    let network = HostNetwork(world: OutsideWorld(), folder: "/nowhere")
    let timeline = FlatTimeline()
    var ports: [[any NetworkPort]] = []
    for b in 0..<bridges {
      let bridge = try network.bridge("b\(b)", isShared: false)
      ports.append(try (0..<interfaces).map { _ in try bridge.connect(timeline) })
      // They make themselves known.
      for n in 0..<interfaces { ports[b][n].send(Frame.make(to: .broadcast, from: address(b, n), payload: [0])) }
      timeline.run()
      for n in 0..<interfaces {
        #expect(ports[b][n].drain().count == interfaces - 1)
        _ = try network.claim(address(b, n), for: "\(b).\(n)")
      }
    }
    let payload = [UInt8](repeating: 0xA5, count: 100)
    var wrong = 0
    let start = ContinuousClock.now
    for turn in 1..<interfaces {
      for b in 0..<bridges {
        for n in 0..<interfaces {
          ports[b][n].send(Frame.make(to: address(b, (n + turn) % interfaces), from: address(b, n), payload: payload))
        }
      }
      timeline.run()
      // Exactly the one frame that is for each, from where it was sent.
      for b in 0..<bridges {
        for n in 0..<interfaces {
          let frame = ports[b][n].receive()
          let sender = address(b, (n + interfaces - turn) % interfaces)
          if frame.map({ MACAddress($0, at: 0) == address(b, n) && MACAddress($0, at: 6) == sender }) != true { wrong += 1 }
          if ports[b][n].receive() != nil { wrong += 1 }
        }
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    #expect(wrong == 0)
    let sent = ports.joined().reduce(UInt64(0)) { $0 + $1.statistics.sentFrames }
    let received = ports.joined().reduce(UInt64(0)) { $0 + $1.statistics.receivedFrames }
    // The first frame of each went to all others.
    #expect(sent == UInt64(bridges * interfaces * interfaces))
    #expect(received == UInt64(bridges * interfaces * 2 * (interfaces - 1)))
    return Double(bridges * interfaces * (interfaces - 1)) / seconds
  }

  /// The cost of a frame does not grow with the number of bridges, beyond what caches of the host have to do with it.
  @Test func sixtyBridgesOfSixtyFour() throws {
    let one = try exchange(1, 64)
    let all = try exchange(60, 64)
    let ratio = all / one
    print("60 bridges of 64 interfaces: \(String(format: "%.2f", ratio)) of the frames per second of one bridge")
    #expect(ratio > 0.1)
  }
}
