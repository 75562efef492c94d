import Foundation
import Hypervisor
import TestSupport
import Testing

/// Everything that can be called, in random order, at random times.
@Suite("Scheduler: random operations", .ends(withinMinutes: 5)) struct SchedulerCampaignTests {
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x5EED
  private static let rounds = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 2000 : 60

  private struct Campaign {
    var random: SeededGenerator
    var scheduler: CreditScheduler
    var now: UInt64 = 0
    var handles: [CreditScheduler.Handle] = []
    var gone: [CreditScheduler.Handle] = []
    var pending: UInt64 = 0
    var log: [String] = []

    init(seed: UInt64) throws {
      random = SeededGenerator(state: seed)
      scheduler = try CreditScheduler(processors: Int.random(in: 1...8, using: &random))
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// One operation; failures of the scheduler are part of it.
    mutating func step() throws {
      if number(0...3) > 0 { now += UInt64.random(in: 0...(1 << UInt64(number(0...26))), using: &random) }
      let handle = (number(0...50) == 0 ? gone : handles).randomElement(using: &random)
      let id = number(0...7)
      let operation = number(0...39)
      log.append("\(operation) at \(now), domain \(id), \(handle.map { "\($0)" } ?? "none")")
      do throws(CreditScheduler.Failure) {
        try configure(operation, id, handle)
        if let handle { try act(operation, handle, id) }
      } catch {
        log.append(error.description)
      }
      if now >= scheduler.nextTimer { pending |= scheduler.timer(now: now) }
    }

    private mutating func configure(_ operation: Int, _ id: Int, _ handle: CreditScheduler.Handle?) throws(CreditScheduler.Failure)
    {
      switch operation {
      case 0: try scheduler.addDomain(id, weight: number(-1...70000), cap: number(0...2) == 0 ? number(0...300) : 0)
      case 1 where number(0...3) == 0:
        let members = try scheduler.virtualProcessors(ofDomain: id)
        pending |= try scheduler.removeDomain(id, now: now)
        gone += members
        handles.removeAll { members.contains($0) }
      case 2, 3, 4: handles.append(try scheduler.addVirtualProcessor(to: id, affinity: mask(), now: now))
      case 5: try scheduler.setWeight(number(0...65536), ofDomain: id, now: now)
      case 6: pending |= try scheduler.setCap(number(-1...200), ofDomain: id, now: now)
      case 7: pending |= try scheduler.pauseDomain(id, now: now)
      case 8, 9: pending |= try scheduler.unpauseDomain(id, now: now)
      default: break
      }
    }

    private mutating func act(_ operation: Int, _ handle: CreditScheduler.Handle, _ id: Int) throws(CreditScheduler.Failure) {
      switch operation {
      case 10 where number(0...2) == 0:
        pending |= try scheduler.remove(handle, now: now)
        gone.append(handle)
        handles.removeAll { $0 == handle }
      case 11, 12: pending |= try scheduler.setAffinity(mask(), of: handle, now: now)
      case 13: pending |= try scheduler.pause(handle, now: now)
      case 14, 15: pending |= try scheduler.unpause(handle, now: now)
      case 16, 17: pending |= try scheduler.yield(handle, now: now)
      case 18...23: pending |= try scheduler.block(handle, now: now)
      case 24...33: pending |= try scheduler.wake(handle, now: now)
      default: break
      }
    }

    private mutating func mask() -> UInt64 { number(0...1) == 0 ? .max : UInt64.random(in: 0...255, using: &random) }

    /// Does what the masks ask for, and what is due.
    mutating func settle() {
      for cpu in 0..<scheduler.processors where number(0...9) == 0 { pending |= 1 << UInt64(cpu) }
      while pending != 0 {
        let cpu = pending.trailingZeroBitCount
        pending &= pending - 1
        let decision = scheduler.schedule(cpu, now: now)
        pending |= decision.others
      }
    }
  }

  @Test func invariants() throws {
    for round in 0..<Self.rounds {
      let seed = Self.seed &+ UInt64(round)
      var campaign = try Campaign(seed: seed)
      for step in 0..<1500 {
        try campaign.step()
        var wrong = campaign.scheduler.violation
        if step % 3 != 0 {
          campaign.settle()
          wrong = try wrong ?? campaign.scheduler.violationAtRest(campaign.handles, now: campaign.now)
        }
        if step % 100 == 0 {
          let copy = try JSONDecoder().decode(CreditScheduler.self, from: JSONEncoder().encode(campaign.scheduler))
          if copy != campaign.scheduler { wrong = wrong ?? "saving changes it" }
          campaign.scheduler = copy
        }
        if let wrong {
          Issue.record("EPICURE_SEED=\(seed), step \(step): \(wrong)\n\(campaign.log.suffix(20).joined(separator: "\n"))")
          return
        }
      }
    }
  }
}
