import Foundation
import HostResources
import TestSupport
import Testing

@Suite(.serialized, .ends(withinMinutes: 5)) struct OutsideWorldTests {
  /// A pipe whose bytes are for the guest.
  final class PipeSource: OutsideSource {
    var ends: [Int32] = [0, 0]
    var isOpen = true
    var taken = 0
    private var index: Int?
    init() { _ = pipe(&ends) }
    deinit { ends.forEach { close($0) } }
    var mayDeliver: Bool { isOpen }
    func prepare(_ set: inout PollSet) { index = isOpen ? set.add(ends[0], .input) : nil }
    func collect(_ set: PollSet) -> Bool {
      guard let index, set.events(index).contains(.input) else { return false }
      var byte: UInt8 = 0
      guard read(ends[0], &byte, 1) == 1, byte != 0 else {
        isOpen = false
        return false
      }
      taken += 1
      return true
    }
    func put(_ byte: UInt8) { withUnsafeBytes(of: byte) { _ = write(ends[1], $0.baseAddress, 1) } }
  }
  private static let millisecond: UInt64 = 1_000_000

  @Test func withoutSourcesTimeIsSkipped() {
    let world = OutsideWorld()
    let start = ContinuousClock.now
    #expect(world.wait(nanoseconds: 3600 * 1_000_000_000, now: 0, isOver: { false }) == nil)
    #expect(world.wait(nanoseconds: nil, now: 0, isOver: { false }) == nil)
    #expect(.now - start < .seconds(1))
  }

  @Test func idleTimePassesAsTheHosts() {
    let world = OutsideWorld()
    let source = PipeSource()
    world.add(source)
    let start = ContinuousClock.now
    #expect(world.wait(nanoseconds: 60 * Self.millisecond, now: 0, isOver: { false }) == nil)
    #expect(.now - start >= .milliseconds(40))
    #expect(source.taken == 0)
  }

  @Test func inputEndsTheWait() {
    let world = OutsideWorld()
    let source = PipeSource()
    world.add(source)
    source.put(1)
    #expect(world.wait(nanoseconds: 3600_000 * Self.millisecond, now: 0, isOver: { false }) == 0)
    #expect(source.taken == 1)
    let end = source.ends[1]
    Thread.detachNewThread {
      usleep(30_000)
      _ = write(end, [1] as [UInt8], 1)
    }
    let passed = world.wait(nanoseconds: 3600_000 * Self.millisecond, now: 0, isOver: { false })
    #expect(passed.map { $0 > 10 * Self.millisecond && $0 < 10_000 * Self.millisecond } == true)
  }

  /// A guest that waits for ever, and the last source closes: nothing will come.
  @Test func theLastSourceEnds() {
    let world = OutsideWorld()
    let source = PipeSource()
    world.add(source)
    source.put(0)
    #expect(world.wait(nanoseconds: nil, now: 0, isOver: { false }) == nil)
    #expect(!world.mayDeliver)
  }
}
