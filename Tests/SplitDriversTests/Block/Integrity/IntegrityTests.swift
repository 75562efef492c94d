import Foundation
import TestSupport
import Testing

/// Block requests of a paravirtualized guest while the host's storage, its back end and the domain itself fail: every write that was
/// acknowledged and then flushed is there.
///
/// Expected contents are those of a disk with a write cache. What was acknowledged and is covered by a flush or a barrier that was
/// acknowledged is there, whatever happens; what was acknowledged only is there unless the host stops; what was never acknowledged is there
/// or is not, sector by sector, and stays what it was first read as. `EPICURE_SEED` repeats a run.
@Suite("Integrity of virtual block devices", .ends(withinMinutes: 5)) struct IntegrityTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seed = environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_130
  private static let seeds = (0..<(environment["EPICURE_COMPLETE"] == "1" ? 50 : 1)).map { seed &+ UInt64($0) }

  private func run(_ seed: UInt64, isGentle: Bool) throws -> IntegrityCampaign {
    print("integrity, seed \(seed)")
    let campaign = try IntegrityCampaign(seed: seed, isGentle: isGentle)
    do {
      while campaign.requests < 10_000 { try campaign.step() }
      try campaign.finish()
    } catch let violation as IntegrityViolation {
      throw IntegrityViolation(description: "seed \(seed), after \(campaign.requests) requests: \(violation)")
    }
    let happened = campaign.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    let answered = campaign.answered.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key)" }
    print(
      "\(campaign.requests) requests, up to \(campaign.mostOnTheirWay) on their way;", answered.joined(separator: ", "),
      "answered, \(campaign.refused) refused;", happened.joined(separator: ", "))
    return campaign
  }

  /// Everything may fail, also all of it.
  @Test(arguments: seeds) func everyFlushedWriteIsThere(seed: UInt64) throws {
    let campaign = try run(seed, isGentle: false)
    #expect(campaign.mostOnTheirWay == 32)
    for event in [
      "single errors", "dead paths", "paths back", "dead halves", "readmissions", "replacements", "back-end restarts",
      "back ends closed in order", "domain kills", "process kills", "host crashes",
    ] { #expect(campaign.counts[event] ?? 0 > 0, "\(event), seed \(seed)") }
  }

  /// One half fails at a time, and is repaired before the other one does: the guest does not notice anything.
  @Test(arguments: seeds) func oneHalfIsEnough(seed: UInt64) throws {
    let campaign = try run(seed, isGentle: true)
    #expect(campaign.refused == 0, "seed \(seed)")
    #expect(campaign.counts["dead halves"] ?? 0 > 0 && campaign.counts["host crashes"] ?? 0 > 0, "seed \(seed)")
  }
}
