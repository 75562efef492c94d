import Foundation
import Synchronization
import Testing

/// Ends the whole run, with the test's name, when a test does not end by itself.
///
/// Swift Testing's own `.timeLimit` asks a task to stop. A test that boots a guest never suspends, so it would not hear of it, and two
/// of them on two processors leave no thread on which the limit could be noticed. This one watches from a thread of its own.
public struct HangGuard: TestTrait, SuiteTrait, TestScoping {
  let seconds: Double

  public var isRecursive: Bool { true }

  public func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void)
    async throws
  {
    let entry = Watch.shared.enter("\(test.name) (\(test.sourceLocation))", seconds)
    defer { Watch.shared.leave(entry) }
    try await function()
  }
}

extension Trait where Self == HangGuard {
  /// No case of these tests may run for longer; fifty times that with EPICURE_COMPLETE=1.
  public static func ends(withinMinutes minutes: Double) -> Self {
    let isComplete = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1"
    return HangGuard(seconds: minutes * 60 * (isComplete ? 50 : 1))
  }
}

/// What runs now, and a thread that looks at it.
private final class Watch: Sendable {
  static let shared = Watch()

  private struct Running {
    var next = 0
    var tests: [Int: (name: String, start: ContinuousClock.Instant, seconds: Double)] = [:]
  }
  private let running = Mutex(Running())

  private init() {
    Thread.detachNewThread { [self] in
      while true {
        Thread.sleep(forTimeInterval: 1)
        look()
      }
    }
  }

  func enter(_ name: String, _ seconds: Double) -> Int {
    running.withLock {
      $0.next += 1
      $0.tests[$0.next] = (name, .now, seconds)
      return $0.next
    }
  }

  func leave(_ entry: Int) { running.withLock { $0.tests[entry] = nil } }

  private func look() {
    let overdue = running.withLock { $0.tests.values.filter { $0.start.duration(to: .now) > .seconds($0.seconds) } }
    guard !overdue.isEmpty else { return }
    for test in overdue {
      FileHandle.standardError.write(Data("error: \(test.name) hangs: more than \(Int(test.seconds)) s\n".utf8))
    }
    _exit(1)
  }
}
