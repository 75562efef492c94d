import Foundation
import TestSupport
import Testing

/// Unmodified Linux 6.1 for ia64, from power-on to its end. The kernel is the oracle: it says what it does not like.
@Suite("epicure boot, Linux", .enabled(if: Guests.shouldRun, Guests.advice), .serialized, .ends(withinMinutes: 10))
struct BootLinuxTests {
  private static let ready = "EPICURE GUEST READY"

  private func kernel() throws -> [String] { ["boot", "--kernel", try Guests.file("linux-6.1/vmlinux.gz").path] }
  private func linux() throws -> [String] {
    try kernel() + ["--initrd", Guests.file("linux-6.1/initramfs.cpio.gz").path]
  }

  // MARK: The log

  /// Lines that look like trouble and are none. Anything else that looks like it is ours.
  private static let harmless = [
    // Linux/ia64 never uses the page at physical address 0 (IGNORE_PFN0), and says so on every machine that has one.
    "warning: skipping physical page 0",
    // A kernel without CONFIG_CPU_FREQ prints these two once on every machine with ACPI processor objects.
    "Warning: Processor Platform Limit event detected, but not handled.",
    "Consider compiling CPUfreq support into your kernel.",
  ]
  private static let trouble = [
    "oops", "warn", "fail", "error", "unable", "cannot", "can't", "bug:", "call trace", "unaligned", "not registered", "invalid ",
    "not found", "timeout", "timed out", "unsupported", "unexpected", "bad ", "broken", "mismatch", "lockup", "stall", "taint",
    "ignor",
    "unknown", "missing", "conflict", "no irq", "spurious", "nobody cared",
  ]

  private func suspicious(_ log: String, allowed: [String] = []) -> [Substring] {
    log.split(whereSeparator: \.isNewline).filter { line in
      let lower = line.lowercased()
      return Self.trouble.contains { lower.contains($0) } && !(Self.harmless + allowed).contains { line.contains($0) }
    }
  }

  @Test func bootsWithoutComplaint() throws {
    let result = try Epicure.measured(linux() + ["--virtualization", "hvm", "--append", "console=ttyS0", "--until", Self.ready])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.isEmpty)
    #expect(result.output.contains(Self.ready))
    // What `console=` does to the firmware's console table.
    #expect(suspicious(result.output, allowed: ["Explicit \"console=\"; ignoring PCDP"]) == [])
    for line in [
      "efi: EFI v1.10 by Epicure", "SAL 3.20: Epicure", "GSI 9 (level, low)", "ttyS0 at I/O 0x3f8", "is a 16550A",
      "setting system clock to 2024-01-01T00:00:0", "Run /init as init process",
    ] { #expect(result.output.contains(line), "\(line)") }
  }

  /// Without `console=` the kernel finds the serial port in the firmware's table, and prints from its first line on.
  @Test func findsItsConsole() throws {
    let result = try Epicure.measured(linux() + ["--until", Self.ready])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("[    0.000000] Linux version 6.1"))
    #expect(result.output.contains("PCDP: v3"))
    #expect(suspicious(result.output) == [])
  }

  /// What PAL says of the processor, as the kernel's palinfo reads it; and what the kernel itself has put into translation registers:
  /// its own 64 MiB at region 5.
  @Test func palInformation() throws {
    let result = try Epicure.measured(linux() + ["--append", "run=cat_/proc/pal/cpu0/*"])
    #expect(result.status == 0, "\(result.errors)")
    for line in [
      "Processor/Clock ratio   : 8/1", "Physical Address Space         : 50 bits", "Number of DTR                  : 64",
      "TLB insertable page sizes      : 4K 8K 16K 64K 256K 1M 4M 16M 64M 256M 1G 4G", "Cache levels  : 3",
      "RSE stacked physical registers   : 96", "vpn  : 0xa000000100000", "ps   : 64M",
    ] { #expect(result.output.contains(line), "\(line)") }
  }

  // MARK: Two runs are one

  @Test func isDeterministic() throws {
    let folder = try TemporaryFolder()
    let runs = try (0..<2).map { n -> (String, [String: Any]) in
      let stats = folder.url.appendingPathComponent("\(n).json")
      let result = try Epicure.measured(linux() + ["--append", "run=ls_-l_/", "--stats", stats.path])
      #expect(result.status == 0)
      let json = try JSONSerialization.jsonObject(with: Data(contentsOf: stats))
      var values = try #require(json as? [String: Any])
      #expect(values.removeValue(forKey: "host_seconds") != nil)
      return (result.output, values)
    }
    #expect(runs[0].0 == runs[1].0)
    #expect(NSDictionary(dictionary: runs[0].1).isEqual(to: runs[1].1))
    #expect(runs[0].1["outcome"] as? String == "powered-off")
    #expect(runs[0].0.contains("EPICURE GUEST EXIT 0"))
    let cycles = try #require(runs[0].1["cycles"] as? UInt64)
    #expect(cycles > 400_000_000)
  }

  // MARK: Memory

  /// The guest sees its memory, and the host pays for what is used.
  @Test(arguments: [("128M", 128, 400), ("4G", 4096, 700), ("64G", 65536, 1600)])
  func memorySizes(_ size: String, _ megabytes: Int, _ limit: Int) throws {
    let result = try Epicure.measured(linux() + ["--memory", size, "--append", "run=grep_MemTotal_/proc/meminfo"])
    #expect(result.status == 0, "\(result.errors)")
    let line = try #require(result.output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("MemTotal:") })
    let kilobytes = try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    #expect(kilobytes < megabytes * 1024)
    // The kernel keeps its own part: its image, its page descriptors, and 64 MiB for DMA of old devices.
    #expect(kilobytes > megabytes * 1024 * 9 / 10 - 100 * 1024)
    #expect(result.memory < limit << 20, "\(result.memory >> 20) MiB")
  }

  /// Too little for this kernel, and barely enough.
  @Test func tooLittleMemory() throws {
    let refused = try Epicure.measured(linux() + ["--memory", "64M"])
    #expect(refused.status == 2)
    #expect(refused.errors.hasSuffix("are not in the machine's memory\n"), "\(refused.errors)")
    // Enough for the kernel and its shell, and not for much else.
    let small = try Epicure.measured(linux() + ["--memory", "96M", "--until", Self.ready])
    #expect(small.status == 0, "\(small.errors)")
  }

  // MARK: How it ends

  @Test func commandFromTheCommandLine() throws {
    let result = try Epicure.measured(linux() + ["--append", "run=false", "--until", "GUEST EXIT 1"])
    #expect(result.status == 0)
    let off = try Epicure.measured(linux() + ["--append", "run=true", "--until", "NEVER SEEN"])
    #expect(off.status == 1)
    #expect(off.errors == "epicure: the guest switched the machine off before \"NEVER SEEN\" appeared\n")
  }

  @Test func limits() throws {
    let time = try Epicure.measured(linux() + ["--limit-seconds", "0.05"])
    #expect(time.status == 3)
    #expect(time.errors.hasPrefix("epicure: the time limit is reached"))
    let folder = try TemporaryFolder()
    let stats = folder.url.appendingPathComponent("stats.json")
    let slots = try Epicure.measured(linux() + ["--limit-instructions", "1000000", "--stats", stats.path])
    #expect(slots.status == 3)
    #expect(slots.errors.hasPrefix("epicure: the limit of instructions is reached"))
    let json = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: stats)) as? [String: Any])
    // The block that reaches the limit is finished.
    #expect(1_000_000..<1_010_000 ~= (json["instructions"] as? Int ?? 0))
    #expect(json["outcome"] as? String == "instruction-limit")
  }

  /// No root file system: the kernel panics. Whether it then waits to reset, resets at once, or loops for ever, the run ends.
  @Test(arguments: ["", "panic=-1", "panic=0", "panic=0 printk.time=0"]) func panics(_ append: String) throws {
    let folder = try TemporaryFolder()
    let stats = folder.url.appendingPathComponent("stats.json")
    let result = try Epicure.measured(kernel() + ["--append", append, "--stats", stats.path])
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("epicure: the guest failed: "))
    #expect(result.errors.contains("Kernel panic - not syncing: VFS: Unable to mount root fs"))
    #expect(result.errors.split(separator: "\n").count == 1)
    let text = try String(contentsOf: stats, encoding: .utf8)
    #expect(text.contains("\"outcome\" : \"guest-failed\""))
    #expect(text.contains("\"resets\" : 0"))
  }

  @Test func panicThatIsExpected() throws {
    let result = try Epicure.measured(kernel() + ["--append", "panic=0", "--until", "end Kernel panic"])
    #expect(result.status == 0)
    let ignored = try Epicure.measured(kernel() + ["--append", "panic=-1", "--fail-on", "", "--no-reboot"])
    #expect(ignored.status == 0)
    #expect(ignored.output.contains("Kernel panic"))
  }

  @Test func failureExpression() throws {
    let result = try Epicure.measured(linux() + ["--append", "run=true", "--fail-on", "GUEST EXIT [0-9]", "--until", "NEVER SEEN"])
    #expect(result.status == 1)
    #expect(result.errors == "epicure: the guest failed: EPICURE GUEST EXIT 0\n")
  }

  @Test func noReboot() throws {
    let result = try Epicure.measured(linux() + ["--append", "run=reboot_-f", "--no-reboot"])
    #expect(result.status == 0)
    #expect(result.output.contains("reboot: Restarting system"))
  }

  // MARK: Descriptors that are not there

  @Test func outputThatNobodyReads() throws {
    for closed in [">&-", "| head -1"] {
      let result = try Epicure.measured(linux() + ["--append", "run=true"], redirections: closed)
      #expect(result.status == 0, "\(closed): \(result.status) \(result.errors)")
    }
    let result = try Epicure.measured(linux() + ["--append", "run=true"], redirections: ">/dev/full")
    #expect(result.status == 0)
  }

  /// A pipeline ends when its reader has seen enough, although this guest never would.
  @Test func readerGoesAway() throws {
    let folder = try TemporaryFolder()
    let script = "set -o pipefail; \"$0\" \"$@\" </dev/null | grep -q '\(Self.ready)'"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = try ["-c", script, Epicure.executable.path] + linux()
    process.currentDirectoryURL = folder.url
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func inputThatIsNotThere() throws {
    let result = try Epicure.measured(linux() + ["--until", Self.ready], redirections: "<&-")
    #expect(result.status == 0, "\(result.errors)")
    let errors = try Epicure.measured(kernel(), redirections: "2>&-")
    #expect(errors.status == 1)
  }
}
