import Foundation
import TestSupport
import Testing

/// Unmodified Linux 6.1 on several processors. What it says of them is the oracle.
@Suite(
  "epicure boot, Linux on several processors", .enabled(if: Guests.shouldRun, Guests.advice), .serialized, .ends(withinMinutes: 10))
struct BootProcessorsTests {
  private func boot(_ cpus: Int, memory: String = "1G", _ append: String, _ options: [String] = []) throws -> Epicure.Measured {
    try Epicure.measured(
      [
        "boot", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", Guests.file("linux-6.1/initramfs.cpio.gz").path,
        "--cpus", String(cpus), "--memory", memory, "--append", append,
      ] + options)
  }

  /// Sockets of two cores on boards of four sockets, private caches, clocks that run in step.
  @Test func fourProcessors() throws {
    let result = try boot(
      4,
      "run=cat_/proc/cpuinfo_/proc/interrupts_/proc/pal/cpu3/cache?info;cat_/sys/devices/system/cpu/cpu*/topology/core?siblings?list"
    )
    #expect(result.status == 0, "\(result.errors)")
    let lines = result.output.split(whereSeparator: \.isNewline).map(String.init)
    #expect(lines.contains { $0.contains("smp: Brought up 1 node, 4 CPUs") })
    func values(_ name: String) -> [String] {
      lines.filter { $0.hasPrefix(name) }.compactMap {
        $0.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      }
    }
    #expect(values("processor ") == ["0", "1", "2", "3"])
    #expect(values("physical id") == ["0", "0", "1", "1"])
    #expect(values("core id") == ["0", "1", "0", "1"])
    #expect(values("siblings") == ["2", "2", "2", "2"])
    #expect(values("itc MHz") == ["400.000000", "400.000000", "400.000000", "400.000000"])
    #expect(lines.suffix(8).filter { $0 == "0-1" }.count == 2 && lines.suffix(8).filter { $0 == "2-3" }.count == 2)
    #expect(
      lines.contains { $0.hasSuffix("IPI") && $0.split(separator: " ").dropFirst().prefix(4).allSatisfy { Int($0) ?? 0 > 0 } })
    // Interval timers are found in step to within a few ticks.
    for line in lines where line.contains("synchronized ITC") {
      let numbers = line.split { !$0.isNumber && $0 != "-" }.compactMap { Int($0) }
      let (difference, error) = (numbers[numbers.count - 2], numbers[numbers.count - 1])
      #expect(abs(difference) < 50 && error < 50, "\(line)")
    }
    #expect(!result.output.contains("clocksource: timekeeping watchdog") && !result.output.contains("unstable"))
  }

  /// The same on threads of the host: what the programs say is what it is on one.
  @Test(arguments: ["none", "hvm"], [2, 4]) func threads(_ mode: String, _ threads: Int) throws {
    let result = try boot(
      4, "run=/tests/cpu-fib_&_/tests/cpu-string_&_/tests/cpu-sort_&_/tests/cpu-div_&_wait",
      ["--virtualization", mode, "--threads", String(threads)])
    #expect(result.status == 0 && result.output.contains("EPICURE GUEST EXIT 0"), "\(result.errors)")
    let expected = try String(contentsOf: Guests.file("programs/expected.txt"), encoding: .utf8).split(whereSeparator: \.isNewline)
    for name in ["fib", "string", "sort", "div"] {
      let line = try #require(expected.first { $0.hasPrefix("cpu-\(name) ") })
      #expect(result.output.contains(line.dropFirst("cpu-\(name) ".count)), "\(name)")
    }
  }

  /// What needs a run that can be repeated says so.
  @Test(arguments: [
    ["--record", "x"], ["--trace", "x"], ["--gdb", "0"], ["--timing", "cycle"], ["--lockstep", "50"], ["--engine-profile", "x"],
    ["--crash-bundle", "x"], ["--machine", "x"],
  ])
  func threadsGoWithoutIt(_ options: [String]) throws {
    let result = try Epicure.run(["boot", "--threads", "2"] + options)
    #expect(
      result.status == 2 && result.errors.contains("needs a run that can be repeated: not with --threads 2"), "\(result.errors)")
    #expect(try Epicure.run(["debug", "--threads", "2"]).errors.contains("epicure debug needs a run that can be repeated"))
    #expect(try Epicure.run(["boot", "--threads", "65"]).errors.contains("--threads must be from 1 to 64"))
  }

  /// Programs on all processors, two runs alike, nobody disturbed.
  @Test func worksAndIsDeterministic() throws {
    let folder = try TemporaryFolder()
    let runs = try (0..<2).map { n -> [String: Any] in
      let stats = folder.url.appendingPathComponent("\(n).json")
      let result = try boot(
        4, "run=/tests/cpu-fib_&_/tests/cpu-string_&_/tests/cpu-sort_&_/tests/cpu-div_&_wait", ["--stats", stats.path])
      #expect(result.status == 0 && result.output.contains("EPICURE GUEST EXIT 0"), "\(result.errors)")
      let expected = try String(contentsOf: Guests.file("programs/expected.txt"), encoding: .utf8).split(
        whereSeparator: \.isNewline)
      for name in ["fib", "string", "sort", "div"] {
        let line = try #require(expected.first { $0.hasPrefix("cpu-\(name) ") })
        #expect(result.output.contains(line.dropFirst("cpu-\(name) ".count)), "\(name)")
      }
      return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: stats)) as? [String: Any])
    }
    for key in ["cycles", "instructions", "memory_hash"] {
      #expect("\(runs[0][key] ?? "none")" == "\(runs[1][key] ?? "missing")", "\(key)")
    }
    #expect((runs[0]["processors"] as? [Any])?.count == 4)
  }

  /// A processor is returned to the firmware, and woken again.
  @Test func hotplug() throws {
    let cpu = "/sys/devices/system/cpu"
    let result = try boot(
      3,
      "run=cd_\(cpu);echo_0_>cpu1/online;cat_online;echo_1_>cpu1/online;cat_online;echo_0_>cpu2/online;echo_1_>cpu2/online;cat_online"
    )
    #expect(result.status == 0, "\(result.errors)")
    let lines = result.output.split(whereSeparator: \.isNewline).map(String.init).filter { ["0,2", "0-2"].contains($0) }
    #expect(lines == ["0,2", "0-2", "0-2"])
  }

  /// As many as there can be: all come up, the sleeping ones cost little.
  @Test func sixtyFourProcessors() throws {
    let result = try boot(64, memory: "2G", "console=ttyS0", ["--until", "EPICURE GUEST READY"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("Brought up 1 node, 64 CPUs") && result.output.contains("ia64, 64 processors"))
  }
}
