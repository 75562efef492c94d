import Foundation
import TestSupport
import Testing

/// `--profile` and `epicure profile`.
@Suite("epicure profile", .serialized, .ends(withinMinutes: 10)) struct ProfileTests {
  private static func json(_ data: some DataProtocol) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(data)) as? [String: Any])
  }

  private func boot(_ folder: TemporaryFolder, _ options: String...) throws -> (profile: String, stats: [String: Any]) {
    let (profile, stats) = (folder.url.appendingPathComponent("profile").path, folder.url.appendingPathComponent("stats"))
    let run = try Epicure.run(
      [
        "boot", "--virtualization", "none", "--kernel", try Guests.file("linux-6.1/vmlinux.gz").path, "--symbols",
        try Guests.file("linux-6.1/System.map.gz").path, "--profile", profile, "--stats", stats.path, "--limit-instructions",
        "60000000",
      ] + options)
    #expect(run.status == 3, "\(run.errors)")
    return (profile, try Self.json(Data(contentsOf: stats)))
  }

  /// The cycles of the profile are the run's, less the halted ones; a function's lines add up to the function.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func cycles() throws {
    let folder = try TemporaryFolder()
    let (profile, stats) = try boot(folder, "--timing", "cycle")
    let summary = try Self.json(Epicure.run(["profile", profile, "--json"]).output)
    #expect(summary["measure"] as? String == "cycles")
    let rows = try #require(summary["rows"] as? [[String: Any]])
    let pipeline = try #require(stats["pipeline"] as? [String: Any])
    let stall = try #require(pipeline["stall"] as? [String: Int])
    let run = stall.values.reduce(0, +) - stall["halted", default: 0]
    let total = try #require(summary["total"] as? Int)
    // What came behind the last group is in the run only.
    #expect(abs(total - run) < 1000, "\(total) of \(run)")
    let hottest = try #require(rows.first)
    let name = try #require(hottest["name"] as? String)
    let code = try Self.json(Epicure.run(["profile", profile, "--annotate", name, "--json"]).output)
    let lines = try #require(code["lines"] as? [[String: Any]])
    #expect(lines.reduce(0) { $0 + ($1["cycles"] as? Int ?? 0) } == hottest["cycles"] as? Int, "\(name)")
    #expect(
      lines.contains { ($0["text"] as? String)?.hasPrefix("br.") == true || ($0["text"] as? String)?.contains(") br.") == true })
    let folded = try Epicure.run(["profile", profile, "--folded"]).text
    #expect(folded.split(separator: "\n").count == rows.count)
  }

  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func events() throws {
    let folder = try TemporaryFolder()
    let (profile, _) = try boot(folder, "--timing", "cycle", "--profile-event", "l2d_misses")
    let summary = try Self.json(Epicure.run(["profile", profile, "--json"]).output)
    #expect(summary["measure"] as? String == "L2D_MISSES")
    #expect(summary["total"] as? Int ?? 0 > 1000)
  }

  /// Samples: as many as intervals have passed, but for those in which the processor rests (`hint @pause`).
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func samples() throws {
    let folder = try TemporaryFolder()
    let (profile, stats) = try boot(folder, "--profile-interval", "20000")
    let summary = try Self.json(Epicure.run(["profile", profile, "--json"]).output)
    let cycles = try #require(stats["cycles"] as? Int)
    #expect(summary["measure"] as? String == "samples")
    let total = try #require(summary["total"] as? Int)
    #expect(cycles / 20000 - 30...cycles / 20000 ~= total, "\(total) samples in \(cycles) cycles")
    let text = try Epicure.run(["profile", profile, "--by", "bundle", "--top", "3"]).text
    #expect(text.split(separator: "\n").count == 6, "\(text)")
  }

  @Test(arguments: [
    (["profile", "/bin/sh"], "this is no profile of Epicure's"),
    (["boot", "--profile", "x", "--timing", "cycle", "--profile-event", "L2D_MISS"], "did you mean L2D_MISSES?"),
    (["boot", "--profile-event", "L2D_MISSES"], "--profile-event needs"),
    (["run", "--profile", "x", "/bin/sh"], "--profile needs --timing cycle"),
  ]) func mistakesAreOneLine(_ arguments: [String], _ problem: String) throws {
    let result = try Epicure.run(arguments)
    #expect(result.status == 2)
    #expect(result.errors.contains(problem), "\(result.errors)")
  }
}
