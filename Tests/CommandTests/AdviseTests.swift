import Foundation
import TestSupport
import Testing

/// `epicure advise` and `--vac`.
@Suite("epicure advise", .serialized, .ends(withinMinutes: 10)) struct AdviseTests {
  /// The self-test guest uses what accelerations cover: without them there are more exits, and never fewer.
  @Test func accelerationsOfARecordedRun() throws {
    let folder = try TemporaryFolder()
    let recording = folder.url.appendingPathComponent("run").path
    let run = try Epicure.run(["boot", "--virtualization", "hvm", "--record", recording])
    #expect(run.status == 0, "\(run.errors)")
    let result = try Epicure.run(["advise", recording, "--json"])
    #expect(result.status == 0, "\(result.errors)")
    let advice = try #require(JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    #expect(advice["accelerations"] as? String == "all")
    func exits(_ figures: Any?) throws -> Int { try #require((figures as? [String: Any])?["exits"] as? Int) }
    let recorded = try exits(advice["recorded"])
    let rows = try #require(advice["rows"] as? [[String: Any]])
    #expect(
      rows.map { $0["name"] as? String } == [
        "a_int", "a_from_int_cr", "a_to_int_cr", "a_from_psr", "a_from_cpuid", "a_cover", "a_bsw",
      ])
    for row in rows { #expect(try exits(row["with"]) >= recorded, "\(row)") }
    #expect(try exits(rows[1]["with"]) > recorded, "the guest's handlers read their control registers")
    #expect(try exits(advice["none"]) > recorded)
    let text = try Epicure.run(["advise", recording]).text
    #expect(
      text.contains("without a_bsw") && text.contains("d_itm") && text.contains("Most is saved by a_from_int_cr: "), "\(text)")
  }

  @Test func machinesWithoutAccelerations() throws {
    let folder = try TemporaryFolder()
    let recording = folder.url.appendingPathComponent("run").path
    #expect(try Epicure.run(["boot", "--virtualization", "none", "--record", recording]).status == 0)
    let result = try Epicure.run(["advise", recording])
    #expect(result.status == 2 && result.errors.contains("is no HVM domain"), "\(result.errors)")
  }

  @Test(arguments: ["a_everything", "", "a_int,,a_bsw"]) func unknownNames(_ names: String) throws {
    #expect(try Epicure.run(["boot", "--vac", names]).status == 2)
  }

  @Test func domainsOnly() throws {
    let result = try Epicure.run(["boot", "--virtualization", "none", "--vac", "none"])
    #expect(result.status == 2 && result.errors.contains("--vac is about HVM domains"), "\(result.errors)")
  }
}
