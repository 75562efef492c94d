import Foundation
import TestSupport
import Testing

/// `epicure boot` without arguments. The guest's expected values are the manual's (see `GuestImages/selftest`); here it must find all
/// of them, and two boots must not differ.
@Suite("epicure boot, self-test guest", .ends(withinMinutes: 10)) struct SelfTestTests {
  @Test func passes() throws {
    let result = try Epicure.run(["boot"])
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    let lines = result.text.split(whereSeparator: \.isNewline).map(String.init)
    #expect(lines.first == "Epicure self-test guest for IA-64")
    #expect(lines.contains("usable memory: 1024 MiB"))
    let tests = lines.filter { $0.contains(" ... ") }
    for line in tests { #expect(line.hasSuffix(" ... ok"), "\(line)") }
    #expect(tests.count > 100)
    #expect(lines.last == "EPICURE SELFTEST PASSED \(tests.count) tests")
  }

  @Test(arguments: ["64M", "3G", "64G"]) func memorySizes(size: String) throws {
    let result = try Epicure.run(["boot", "--memory", size])
    #expect(result.status == 0)
    let megabytes = size.hasSuffix("G") ? 1024 * (Int(size.dropLast()) ?? 0) : Int(size.dropLast()) ?? 0
    #expect(result.text.contains("usable memory: \(megabytes) MiB"))
  }

  /// Without input a run is a function of its arguments, to the last cycle.
  @Test func isDeterministic() throws {
    let folder = try TemporaryFolder()
    var runs: [(text: String, statistics: [String: NSNumber])] = []
    for index in 0..<2 {
      let file = folder.url.appendingPathComponent("\(index).json")
      let result = try Epicure.run(["boot", "--stats", file.path])
      let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
      let statistics = try #require(object as? [String: Any]).compactMapValues { $0 as? NSNumber }
      #expect(statistics["host_seconds"] != nil)
      runs.append((result.text, statistics.filter { $0.key != "host_seconds" }))
    }
    #expect(runs[0].text == runs[1].text)
    #expect(runs[0].statistics == runs[1].statistics)
    #expect(runs[0].statistics["instructions"] != 0)
  }

  // MARK: Words of the guest's command line (Documentation/SelfTest.md)

  @Test func failureIsStatusOne() throws {
    let result = try Epicure.run(["boot", "--append", "quiet fail"])
    #expect(result.status == 1)
    #expect(result.text.contains("EPICURE SELFTEST FAILED 1 of "))
    #expect(result.errors == "epicure: the guest returned to the firmware with status 0x8000000000000007\n")
  }

  @Test func haltIsDeadlock() throws {
    let result = try Epicure.run(["boot", "--append", "halt"])
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("epicure: the guest waits, with nothing left that could wake it"))
  }

  @Test func echo() throws {
    let text = "The quick brown fox jumps over the lazy dog. 0123456789"
    let result = try Epicure.run(["boot", "--append", "echo"], input: Array(text.utf8) + [4])
    #expect(result.status == 0)
    #expect(result.text.contains("echo: \(text)\r\n"))
  }

  /// The guest resets the machine once; a non-volatile EFI variable tells it afterwards.
  @Test func reset() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("stats.json")
    let result = try Epicure.run(["boot", "--append", "reset", "--stats", file.path])
    #expect(result.status == 0)
    let words = result.text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("reset: ") }
    #expect(words == ["reset: now", "reset: done"])
    let statistics = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    #expect(statistics?["resets"] as? Int == 1)
  }
}
