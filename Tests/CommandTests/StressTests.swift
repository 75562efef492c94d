import Foundation
import TestSupport
import Testing

/// GuestImages/stress on four processors: processes, threads, futexes, pipes, page faults, signals, mappings and files, first each alone,
/// then all at once. The guest's kernel and C library are the oracle: every check is of what POSIX promises.
@Suite(
  "Linux under stress", .enabled(if: GuestTools.shouldRun(GuestTools.archive), GuestTools.advice), .serialized,
  .ends(withinMinutes: 10))
struct StressTests {
  /// Few rounds, or many with EPICURE_COMPLETE=1; EPICURE_SEED chooses others.
  static let rounds = Guests.isComplete ? 30 : 2
  static let seeds: [UInt64] = {
    let first = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 1
    return (0..<(Guests.isComplete ? 5 : 1)).map { first &+ $0 }
  }()

  @Test(arguments: seeds, [1, 3]) func isClean(_ seed: UInt64, threads: Int) throws {
    let folder = try TemporaryFolder()
    var archive = GuestArchive()
    archive.add(
      script: """
        /tests/stress -s \(seed) -j 4 -r \(Self.rounds)
        echo "status=$?"
        echo "trouble=$(dmesg | grep -cE 'BUG:|WARNING: CPU|Oops|Call Trace|stall|lockup|blocked for more than')"
        """, as: "script")
    let initrd = try folder.write(
      "all.cpio", archive.behind(Data(contentsOf: URL(fileURLWithPath: GuestTools.initramfs(in: folder)))))
    let result = try Epicure.run(
      [
        "boot", "--virtualization", "hvm", "--cpus", "4", "--threads", String(threads), "--kernel",
        Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", initrd,
        "--append", "console=ttyS0 run=sh_/script",
      ], seconds: Guests.isComplete ? 3600 : 400)
    #expect(result.status == 0, "seed \(seed): \(result.errors)")
    let lines = result.text.split(whereSeparator: \.isNewline).drop { !$0.hasPrefix("stress: seed ") }
    #expect(lines.contains("STRESS PASSED"), "seed \(seed): \(lines.joined(separator: "\n").suffix(3000))")
    #expect(lines.contains("status=0"))
    let parts = lines.filter { $0.hasPrefix("stress: ") && $0.contains(" ok ") }
    #expect(parts.count == 10, "\(parts)")
    #expect(lines.contains("trouble=0"), "seed \(seed): \(lines.joined(separator: "\n").suffix(3000))")
  }
}
