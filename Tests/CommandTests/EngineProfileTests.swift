import Foundation
import TestSupport
import Testing

/// `--engine-profile` and `--without`.
@Suite(
  "What the engine did",
  .enabled(if: ProcessInfo.processInfo.environment["EPICURE_WITHOUT"] == nil, "this is about an engine with everything"),
  .ends(withinMinutes: 5))
struct EngineProfileTests {
  private struct Profile: Decodable {
    struct Item: Decodable {
      var name: String
      var count: Int
    }
    var slots: Int
    var operation_count: Int
    var operations: [Item]
    var pairs: [Item]
    var blocks: [Item]
    var blocks_built: Int
    var data_references: Int
    var data_misses: Int
    var resident_bytes: Int
  }
  private struct Statistics: Decodable, Equatable {
    var instructions: Int
    var memory_hash: String
    var cycles: Int
  }
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func boot(_ options: String...) throws -> (profile: Profile?, statistics: Statistics) {
    let (profile, stats) = (folder.url.appendingPathComponent("p.json"), folder.url.appendingPathComponent("s.json"))
    let run = try Epicure.run(["boot", "--virtualization", "none", "--stats", stats.path] + options)
    #expect(run.status == 0 && run.text.contains("EPICURE SELFTEST PASSED"), "\(run.errors)")
    return (
      options.contains(profile.path) ? try JSONDecoder().decode(Profile.self, from: Data(contentsOf: profile)) : nil,
      try JSONDecoder().decode(Statistics.self, from: Data(contentsOf: stats))
    )
  }

  @Test func countsWhatRuns() throws {
    let file = folder.url.appendingPathComponent("p.json").path
    let (profile, statistics) = try boot("--engine-profile", file)
    let p = try #require(profile)
    #expect(p.slots == statistics.instructions)
    #expect(p.operations.reduce(0) { $0 + $1.count } == p.operation_count)
    #expect(p.operations.map(\.count) == p.operations.map(\.count).sorted(by: >))
    // Nops vanish, pairs are one.
    #expect(p.operation_count > 0 && p.operation_count < p.slots)
    #expect(p.pairs.allSatisfy { $0.count <= p.operation_count } && !p.pairs.isEmpty)
    let begun = p.blocks.reduce(0) { $0 + $1.count }
    #expect(begun > 0 && begun <= p.operation_count && p.blocks_built >= p.blocks.count)
    let loads = p.operations.filter { ["ld1", "ld2", "ld4", "ld8", "ld8Inc", "st8"].contains($0.name) }.reduce(0) { $0 + $1.count }
    #expect(loads > 0 && loads <= p.data_references && p.data_misses < p.data_references)
    #expect(p.resident_bytes > 1 << 20)
    // To be counted changes nothing.
    #expect(try boot().statistics == statistics)
  }

  @Test func text() throws {
    let file = folder.url.appendingPathComponent("profile")
    let run = try Epicure.run(["boot", "--virtualization", "none", "--engine-profile", file.path])
    #expect(run.status == 0)
    let text = try String(contentsOf: file, encoding: .utf8)
    for word in ["micro-operations ", "blocks ", "arena ", "software TLB ", "jump cache ", "memory ", "\npair ", "\nblock "] {
      #expect(text.contains(word), "\(word) in \(text.prefix(600))")
    }
  }

  /// Without any of its specialisations, one after the other and all at once, the engine does the same. Names of fused
  /// micro-operations end with what the second one is.
  @Test(arguments: ["nops", "pairs", "predicates", "links", "frames", "floating-point", "host-arithmetic", "divisions", "all"])
  func without(_ name: String) throws {
    let all = ["nops", "pairs", "predicates", "links", "frames", "floating-point", "host-arithmetic", "divisions"]
    let file = folder.url.appendingPathComponent("p.json").path
    let options = (name == "all" ? all : [name]).flatMap { ["--without", $0] }
    let run = try Epicure.run(["boot", "--virtualization", "none", "--engine-profile", file] + options)
    #expect(run.status == 0 && run.text.contains("EPICURE SELFTEST PASSED"), "\(run.errors)")
    let profile = try JSONDecoder().decode(Profile.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    let fused = profile.operations.contains { $0.name.hasSuffix("Br") || $0.name.hasSuffix("Inc") }
    #expect(fused == (name != "pairs" && name != "all"))
  }

  /// A replay may be looked at in another way than the run was, which did not write its profile into the recording.
  @Test func replayed() throws {
    let files = ["recording", "first", "second"].map { folder.url.appendingPathComponent($0).path }
    let run = try Epicure.run(["boot", "--record", files[0], "--engine-profile", files[1]])
    #expect(run.status == 0, "\(run.errors)")
    try FileManager.default.removeItem(atPath: files[1])
    let again = try Epicure.run(["replay", files[0], "--engine-profile", files[2], "--without", "pairs"])
    #expect(again.status == 0 && again.text == run.text, "\(again.errors)")
    #expect(!FileManager.default.fileExists(atPath: files[1]) && FileManager.default.fileExists(atPath: files[2]))
  }

  @Test func mistakes() throws {
    for options in [
      ["--without", "speed"], ["--engine-profile", "x", "--lockstep", "1"], ["--without", "pairs", "--machine", "x"],
    ] {
      let run = try Epicure.run(["boot", "--virtualization", "none"] + options)
      #expect(run.status == 2 && run.errors.contains(options[0]), "\(run.errors)")
    }
  }
}
