import Foundation
import TestSupport
import Testing

/// The same files on the bare machine and as an HVM domain.
@Suite("epicure boot, virtualization", .serialized, .ends(withinMinutes: 10)) struct VirtualizationTests {
  @Test(arguments: ["none", "hvm"]) func selfTest(_ mode: String) throws {
    let folder = try TemporaryFolder()
    let stats = folder.url.appendingPathComponent("stats.json")
    let result = try Epicure.run(["boot", "--virtualization", mode, "--stats", stats.path])
    #expect(result.status == 0)
    #expect(result.text.split(whereSeparator: \.isNewline).last == "EPICURE SELFTEST PASSED 147 tests")
    let statistics = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: stats)) as? [String: Any])
    let exits = statistics["exits"] as? [String: Int]
    #expect((exits != nil) == (mode == "hvm"))
    if let exits {
      #expect(exits["rfi", default: 0] > 1000 && exits["port", default: 0] > 1000 && exits["firmware", default: 0] > 5, "\(exits)")
    }
  }

  /// Exits take time here, and a tick of the ITC is one cycle or four.
  @Test(arguments: ["montecito-1.6", "madison-1.5", "mckinley-1.0"]) func selfTestInCycles(_ pipeline: String) throws {
    for options in [["none"], ["hvm"], ["hvm", "--cpus", "2"]] {
      let result = try Epicure.run(["boot", "--timing", "cycle", "--pipeline", pipeline, "--virtualization"] + options)
      #expect(
        result.status == 0 && result.text.contains("EPICURE SELFTEST PASSED 147 tests"), "\(options): \(result.text.suffix(300))")
    }
  }

  @Test func unknownAndImpossible() throws {
    for (arguments, text) in [
      (["--lockstep", "1", "--virtualization", "pv"], "--virtualization none"),
      (["--lockstep", "1", "--virtualization", "hvm"], "--virtualization none"),
      (["--virtualization", "xen"], "'none', 'hvm' or 'pv'"),
    ] {
      let result = try Epicure.run(["boot"] + arguments)
      #expect(result.status == 2)
      #expect(result.errors.contains(text), "\(result.errors)")
    }
  }

  /// One kernel file, on 1 to 8 processors, both ways: it finds the same machine and computes the same.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice), arguments: [1, 2, 4, 8]) func linux(_ processors: Int) throws {
    let outputs = try ["none", "hvm"].map { mode in
      let result = try Epicure.measured(
        [
          "boot", "--virtualization", mode, "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd",
          Guests.file("linux-6.1/initramfs.cpio.gz").path, "--cpus", String(processors), "--append",
          "run=cat_/proc/cpuinfo;cat_/proc/iomem;/tests/cpu-mix;/tests/cpu-string",
        ])
      #expect(result.status == 0, "\(mode): \(result.errors)")
      // Times differ, and tables that Linux makes for as many address spaces as there are region identifiers; and a domain has the device
      // that says so.
      return result.output.split(whereSeparator: \.isNewline).filter {
        !$0.hasPrefix("[") && !$0.hasPrefix("BogoMIPS") && !$0.hasPrefix("init:") && !$0.hasSuffix(": 0000:00:1e.0")
      }
    }
    #expect(outputs[0] == outputs[1])
    #expect(outputs[0].filter { $0.hasPrefix("processor ") }.count == processors)
    #expect(outputs[0].contains { $0.hasSuffix("EPICURE GUEST EXIT 0") })
  }

  /// CPU-bound work is as fast in a domain as on the bare machine; what leaves the guest costs cycles.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func costs() throws {
    let folder = try TemporaryFolder()
    let json = folder.url.appendingPathComponent("traps.json")
    let result = try Epicure.run(
      ["bench", "traps", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--json", json.path], seconds: 400)
    #expect(result.status == 0, "\(result.errors)")
    struct Report: Decodable {
      struct Piece: Decodable {
        var name: String
        var cycles: UInt64
        var exits: [String: UInt64]
      }
      struct Run: Decodable { var pieces: [Piece] }
      var runs: [Run]
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: json))
    try #require(report.runs.count == 2)
    func ratio(_ name: String) throws -> Double {
      let cycles = try report.runs.map { run in try #require(run.pieces.first { $0.name == name }?.cycles) }
      return Double(cycles[1]) / Double(cycles[0])
    }
    #expect(try abs(ratio("cpu") - 1) < 0.02)
    #expect(try abs(ratio("memory") - 1) < 0.05)
    // A system call is four exits: the break, and what the kernel does to PSR on its way.
    let calls = try #require(report.runs[1].pieces.first { $0.name == "syscall" })
    #expect(calls.exits["rfi", default: 0] >= 10_000 && calls.exits["reflected breakInstruction", default: 0] >= 10_000)
    #expect(try ratio("syscall") > 2)
  }
}
