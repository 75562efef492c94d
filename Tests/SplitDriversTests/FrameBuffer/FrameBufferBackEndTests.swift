import Foundation
import HostResources
import Hypervisor
import SplitDrivers
import Testing

/// Expected values: xen/include/public/io/fbif.h and tools/xenfb.
@Suite("Virtual frame buffers") struct FrameBufferBackEndTests {
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_130

  @Test func handshake() throws {
    let front = try FrameBufferFront()
    #expect(front.key("state") == "2" && front.key("type") == "vnc" && front.key("hotplug-status") == "connected")
    try front.connect()
    #expect(front.key("state") == "4" && front.key("request-update") == "1")
    front.backEnd.refresh()
    #expect(front.backEnd.width == 200 && front.backEnd.height == 100)
    try front.setState(5)
    #expect(front.key("state") == "5")
    try front.setState(6)
    #expect(front.key("state") == "6")
    // It comes back.
    try front.setState(1)
    #expect(front.key("state") == "2")
    try front.setState(3)
    #expect(front.key("state") == "4")
  }

  /// Through frames that lie backwards, with lines that cross them.
  @Test func pictures() throws {
    let front = try FrameBufferFront()
    for y in 0..<100 {
      for x in 0..<200 { front.set(x, y, 0xAA00_0000 | UInt32(y << 8 | x)) }
    }
    try front.connect()
    var parts: [FrameRectangle] = []
    front.backEnd.changed = { parts.append($0) }
    front.backEnd.refresh()
    #expect(parts == [FrameRectangle(x: 0, y: 0, width: 200, height: 100)])
    // What is above the colours is not shown.
    #expect((0..<100).allSatisfy { y in (0..<200).allSatisfy { x in front.shown(x, y) == UInt32(y << 8 | x) } })
    // What is new is seen when the front end has said so, and somebody looks.
    front.set(10, 20, 0x12_3456)
    front.set(100, 90, 0x65_4321)
    try front.send(2, 8, 19, 4, 3)
    parts = []
    front.backEnd.refresh()
    #expect(parts == [FrameRectangle(x: 8, y: 19, width: 4, height: 3)])
    #expect(front.shown(10, 20) == 0x12_3456 && front.shown(100, 90) == 90 << 8 | 100)
    parts = []
    front.backEnd.refresh()
    #expect(parts.isEmpty && front.domain.memory.load(front.page + 8, as: UInt32.self) == 1)
    #expect(front.backEnd.statistics.refusals == 0)
  }

  /// 51 slots, around the ring many times; indices are not multiples of it when they wrap.
  @Test func ringHasFiftyOneSlots() throws {
    let front = try FrameBufferFront()
    let start = UInt32.max - 60
    front.domain.memory.store(front.page + 8, start)
    front.produced = start
    try front.connect()
    front.backEnd.refresh()
    for round in 0..<200 {
      let x = round % 200
      front.set(x, 0, UInt32(0x80_0000 + round))
      front.put(2, [Int32(x), 0, 1, 1])
      if round % 51 == 50 || round == 199 { try front.kick() }
    }
    front.backEnd.refresh()
    #expect((0..<200).allSatisfy { front.shown($0, 0) == UInt32(0x80_0000 + $0) })
    #expect(front.backEnd.statistics.requests == 200)
  }

  @Test func changeOfSize() throws {
    let front = try FrameBufferFront()
    try front.connect()
    front.backEnd.refresh()
    // 100 by 50, lines of 500 bytes, 32 bits, from byte 1000 on.
    front.set(byte: 1000 + 500 * 49 + 4 * 99, 0x11_2233)
    try front.send(3, 100, 50, 500, 32, 1000)
    try front.send(2, 0, 0, 1, 1)
    front.backEnd.refresh()
    #expect(front.backEnd.width == 100 && front.backEnd.height == 50 && front.shown(99, 49) == 0x11_2233)
    // Sizes that its memory does not have.
    let bad: [[Int32]] = [
      [0, 50, 500, 32, 0], [-1, 50, 500, 32, 0], [100, .max, 500, 32, 0], [100, 50, 399, 32, 0], [100, 50, .max, 32, 0],
      [100, 50, -500, 32, 0], [100, 50, 500, 8, 0], [100, 50, 500, 32, -4], [100, 50, 500, 32, .max], [100, 50, 500, 32, 2],
      [200, 101, 824, 32, 0], [5000, 1, 20000, 32, 0],
    ]
    for numbers in bad {
      front.put(3, numbers)
      try front.kick()
    }
    front.backEnd.refresh()
    #expect(front.backEnd.width == 100 && front.backEnd.height == 50 && front.key("state") == "4")
    #expect(front.backEnd.statistics.refusals == UInt64(bad.count) && front.fixture.reports.count == bad.count)
  }

  @Test func updatesOfNonsense() throws {
    let front = try FrameBufferFront()
    try front.connect()
    front.backEnd.refresh()
    var parts: [FrameRectangle] = []
    front.backEnd.changed = { parts.append($0) }
    try front.send(2, .min, .min, .max, .max)
    try front.send(2, .max, .max, .max, .max)
    try front.send(2, 0, 0, -1, 5)
    try front.send(77, 1, 2, 3, 4)
    front.backEnd.refresh()
    #expect(parts.isEmpty && front.backEnd.statistics.refusals == 2 && front.key("state") == "4")
    try front.send(2, -10, -10, .max, .max)
    front.backEnd.refresh()
    #expect(parts == [FrameRectangle(x: 0, y: 0, width: 200, height: 100)])
  }

  @Test(arguments: [52, .max, 0x8000_0000] as [UInt32]) func indicesThatJumpEndTheConnection(_ jump: UInt32) throws {
    let front = try FrameBufferFront()
    front.set(3, 3, 0x33)
    try front.connect()
    front.produced = jump
    try front.kick()
    #expect(front.key("state") == "5" && front.fixture.reports.count == 1)
    // The last picture stays, and nothing of the domain is looked at any more.
    #expect(front.shown(3, 3) == 0x33)
    front.set(3, 3, 0x44)
    front.backEnd.refresh()
    #expect(front.shown(3, 3) == 0x33)
  }

  /// What the page says before the connection.
  @Test func pagesThatLie() throws {
    let lies: [(String, (FrameBufferFront) -> Void)] = [
      ("a picture of 0 bytes", { $0.domain.memory.store($0.page + 0x1C, 0 as UInt32) }),
      ("a picture of 4294967295 bytes", { $0.domain.memory.store($0.page + 0x1C, .max as UInt32) }),
      ("-1 by 100 pixels", { $0.domain.memory.store($0.page + 0x10, -1 as Int32) }),
      ("200 by 5000 pixels", { $0.domain.memory.store($0.page + 0x14, 5000 as Int32) }),
      ("lines of 4294967292 bytes", { $0.domain.memory.store($0.page + 0x18, 0xFFFF_FFFC as UInt32) }),
      ("pixels of 16 bits", { $0.domain.memory.store($0.page + 0x20, 16 as UInt8) }),
      ("frame 128 cannot be mapped", { $0.domain.memory.store($0.page + 0x28, 128 as UInt64) }),
      ("cannot be mapped", { $0.domain.memory.store($0.page + 0x28, .max as UInt64) }),
      ("frame 1152921504606846975 cannot be mapped", { $0.domain.memory.store($0.directory, UInt64.max >> 4) }),
      ("a picture of 67108865 bytes", { $0.domain.memory.store($0.page + 0x1C, 64 << 20 + 1 as UInt32) }),
    ]
    for (reason, lie) in lies {
      let front = try FrameBufferFront()
      let held = front.fixture.grants.statistics
      lie(front)
      try front.connect()
      #expect(front.key("state") == "5", "\(reason)")
      #expect(front.fixture.reports.count == 1 && front.fixture.reports[0].contains(reason), "\(front.fixture.reports)")
      // Nothing stays mapped.
      let after = front.fixture.grants.statistics
      #expect(after.maps - held.maps == after.unmaps - held.unmaps, "\(reason)")
    }
    for (missing, reference) in [
      ("feature-update", nil), ("page-ref", nil), ("event-channel", nil), ("", "-1"), ("", "1e9"), ("", "99999999999999999999"),
      ("", "128"),
    ] as [(String, String?)] {
      let front = try FrameBufferFront()
      try front.connect(without: missing, page: reference)
      #expect(front.key("state") == "5" && front.fixture.reports.count == 1, "\(missing) \(reference ?? "")")
    }
  }

  /// The domain dies in the middle of it; another one goes on.
  @Test func deathOfTheDomain() throws {
    let front = try FrameBufferFront()
    front.set(1, 1, 0x77)
    try front.connect()
    try front.domain.die()
    #expect(front.shown(1, 1) == 0x77 && front.fixture.host.backEnds.isEmpty)
    front.backEnd.refresh()
    #expect(front.shown(1, 1) == 0x77)
  }

  /// Whatever is in the page, its ring and its directory.
  @Test func noise() throws {
    print("seed \(Self.seed)")
    var random = SeededGenerator(state: Self.seed)
    for _ in 0..<60 {
      let front = try FrameBufferFront()
      if Bool.random(using: &random) { try front.connect() }
      for _ in 0..<40 {
        let word = UInt32.random(in: 0...(Bool.random(using: &random) ? 60 : .max), using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: front.domain.memory.store(front.page + UInt64.random(in: 0..<16, using: &random) * 4, word)
        case 1: front.domain.memory.store(front.directory + UInt64.random(in: 0..<8, using: &random) * 4, word)
        case 2: front.put(UInt8.random(in: 1...4, using: &random), (0..<5).map { _ in Int32(truncatingIfNeeded: random.next()) })
        default: try front.setState(Int.random(in: 0...8, using: &random))
        }
        if !front.backEnd.isGone { try? front.kick() }
        front.backEnd.refresh()
      }
      try front.domain.die()
    }
  }
}
