import Glibc
import Platform
import Testing

@Suite("Threads of the host", .ends(withinMinutes: 2)) struct HostThreadsTests {
  /// Counts that several threads raise, each part its own: `@unchecked` for that reason.
  private final class Counts: @unchecked Sendable {
    let values: UnsafeMutablePointer<Int>
    init(_ count: Int) {
      values = .allocate(capacity: count)
      values.initialize(repeating: 0, count: count)
    }
    deinit { values.deallocate() }
  }

  /// Each part is done once, whatever their number is to that of the threads, and pieces of work follow each other at once.
  @Test(arguments: [1, 2, 3, 8]) func everyPartOnce(_ count: Int) {
    let threads = HostThreads(count)
    #expect(threads.count == count)
    for parts in [0, 1, 2, 3, 7, 64, 1000] {
      let counts = Counts(parts + 1)
      let rounds = parts < 100 ? 2000 : 20
      for _ in 0..<rounds { threads.run(parts) { counts.values[$0] += 1 } }
      #expect((0..<parts).allSatisfy { counts.values[$0] == rounds }, "\(parts) parts")
      #expect(counts.values[parts] == 0)
    }
    #expect(!threads.isBusy)
  }

  /// Who has slept comes back.
  @Test func afterAPause() {
    let threads = HostThreads(3)
    for round in 1...3 {
      let counts = Counts(30)
      threads.run(30) { counts.values[$0] += 1 }
      #expect((0..<30).allSatisfy { counts.values[$0] == 1 }, "round \(round)")
      usleep(30_000)
    }
  }
}
