import Foundation
import HostResources
import TestSupport
import Testing

/// Two ends as two processes have them; here they are in one.
@Suite(.ends(withinMinutes: 5)) struct BridgeLinkTests {
  final class End {
    let timeline = TestTimeline()
    let world = OutsideWorld()
    let bridge: SoftwareBridge
    let links: BridgeLinks
    let port: any NetworkPort
    init(_ folder: String, name: String = "lan") throws {
      bridge = SoftwareBridge(name: name)
      links = try BridgeLinks(bridge, folder: folder, world: world)
      port = try bridge.connect(timeline)
      world.clock = { [unowned timeline] in timeline.now * 5 / 8 }
    }
    func pass() {
      world.look()
      timeline.run(until: timeline.now + 100_000)
    }
  }

  final class Folder {
    let path = "/tmp/epicure-test-\(UUID().uuidString.prefix(8))"
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }
  let folder = Folder()

  private func frame(_ n: Int, to: MACAddress = .broadcast) -> [UInt8] {
    Frame.make(to: to, from: MACAddress.automatic(index: n), payload: [UInt8](repeating: UInt8(n), count: 46))
  }

  @Test func framesReachAllOthersOnce() throws {
    let ends = try (0..<4).map { _ in try End(folder.path) }
    #expect(ends.map { $0.links.number } == [0, 1, 2, 3])
    ends.forEach { $0.pass() }
    #expect(ends.map { $0.links.peerCount } == [3, 3, 3, 3])
    ends[1].port.send(frame(1))
    ends.forEach { $0.pass() }
    #expect(ends.map { $0.port.drain().count } == [1, 0, 1, 1])
    // 0 has learnt where 1 is.
    ends[0].port.send(frame(0, to: .automatic(index: 1)))
    ends.forEach { $0.pass() }
    #expect(ends.map { $0.port.drain().count } == [0, 1, 0, 0])
  }

  @Test func otherNamesAreOtherBridges() throws {
    let (a, b) = (try End(folder.path), try End(folder.path, name: "wan"))
    a.port.send(frame(0))
    [a, b].forEach { $0.pass() }
    #expect(b.links.peerCount == 0 && b.port.drain().isEmpty)
  }

  /// An end that goes away, in order or killed, leaves its number free; those that stay still talk.
  @Test func endsComeAndGo() throws {
    let first = try End(folder.path)
    var second: End? = try End(folder.path)
    let third = try End(folder.path)
    [first, third].forEach { $0.pass() }
    second = nil
    [first, third].forEach { $0.pass() }
    #expect(first.links.peerCount == 1 && third.links.peerCount == 1)
    // What a killed process leaves: a socket that nobody listens on.
    #expect(FileManager.default.createFile(atPath: folder.path + "/bridge-lan/1", contents: nil))
    second = try End(folder.path)
    #expect(second?.links.number == 1)
    [first, third].forEach { $0.pass() }
    second?.port.send(frame(1))
    [first, third].forEach { $0.pass() }
    #expect(first.port.drain().count == 1 && third.port.drain().count == 1)
  }

  /// A peer that reads nothing costs bounded memory, and others nothing.
  @Test func aPeerThatSleepsIsNotWaitedFor() throws {
    let ends = try (0..<3).map { _ in try End(folder.path) }
    ends.forEach { $0.pass() }
    for n in 0..<5000 {
      ends[0].port.send(frame(n & 0x7F))
      if n % 50 == 0 {
        ends[0].world.look()
        ends[1].pass()
        _ = ends[1].port.drain()
      }
    }
    ends[1].pass()
    #expect(ends[1].port.statistics.receivedFrames > 4900)
    for _ in 0..<100 { ends.forEach { $0.pass() } }
    let late = ends[2].port.drain().count
    #expect(late > 0 && late < 5000)
  }

  @Test func aFolderOfSomebodyElseIsRefused() throws {
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
    #expect(throws: NetworkError("the folder \(folder.path) must be yours, and writable for nobody else")) { try End(folder.path) }
    let long = "/tmp/" + String(repeating: "x", count: 120)
    defer { try? FileManager.default.removeItem(atPath: long) }
    #expect(throws: NetworkError.self) { try End(long) }
  }
}
