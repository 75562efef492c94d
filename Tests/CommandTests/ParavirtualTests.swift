import Foundation
import TestSupport
import Testing

/// `GuestImages/pv`: a kernel for PV domains that uses each hypercall and hyperprivop and checks what it gets. What it expects is from Xen's
/// interface, in its sources.
@Suite("Paravirtualized guests", .ends(withinMinutes: 5)) struct ParavirtualTests {
  static let image = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("GuestImages/pv/pv.elf.gz")

  private func boot(_ options: [String]) throws -> Epicure.Result {
    try Epicure.run(
      ["boot", "--virtualization", "pv", "--memory", "256M", "--limit-seconds", "60", "--kernel", Self.image.path] + options)
  }

  /// Fewer checks than this would mean that a part was left out.
  @Test(arguments: [(1, 440, 1), (2, 452, 1), (2, 452, 2)]) func checksItself(_ processors: Int, _ checks: Int, threads: Int) throws
  {
    let result = try boot(["--cpus", "\(processors)", "--threads", "\(threads)"])
    #expect(result.status == 0, "\(result.text.suffix(2000))")
    #expect(!result.text.contains("FAIL"))
    let lines = result.text.split(whereSeparator: \.isNewline).map(String.init)
    #expect(lines.last == "PV GUEST PASSED")
    let count = try #require(lines.first { $0.hasPrefix("checks passed ") }.flatMap { Int($0.split(separator: " ")[2]) })
    #expect(count >= checks)
  }

  /// Its front ends: a block device, and a SCSI disk.
  @Test func disks() throws {
    let folder = try TemporaryFolder()
    let block = try folder.write("block.img", [UInt8](repeating: 0, count: 4 << 20))
    let scsi = try folder.write("scsi.img", [UInt8](repeating: 0, count: 4 << 20))
    let result = try boot(["--append", "disk", "--disk", block, "--disk", "\(scsi),bus=vscsi"])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.text.contains("failed 0") && !result.text.contains("FAIL"))
    // `pattern` of disk.c in sector 64, and what scsi.c writes from block 100 on.
    let contents = try [UInt8](Data(contentsOf: URL(fileURLWithPath: block)))
    #expect(contents[64 * 512..<65 * 512].contains { $0 != 0 })
    let written = try [UInt8](Data(contentsOf: URL(fileURLWithPath: scsi)))[100 * 512..<(100 + 832) * 512]
    #expect(Array(written) == (0..<832 * 512).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 512) })
  }

  /// The same front end in an HVM domain: the platform device, shared pages in its memory, events as its interrupt.
  @Test func blockDeviceOfAnHVMDomain() throws {
    let folder = try TemporaryFolder()
    let disk = try folder.write("disk.img", [UInt8](repeating: 0, count: 64 << 20))
    let kernel = Self.image.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/Commands/Resources/iobench.elf.gz")
    let result = try Epicure.run([
      "boot", "--kernel", kernel.path, "--disk", "\(disk),bus=vbd", "--append", "check:vbd", "--limit-seconds", "20",
    ])
    #expect(result.status == 0, "\(result.text)")
    #expect(result.text.contains("IOBENCH checked 55 failed 0"), "\(result.text)")
  }

  @Test func inCycleTiming() throws {
    let result = try boot(["--cpus", "2", "--timing", "cycle"])
    #expect(result.status == 0, "\(result.text.suffix(2000))")
    #expect(result.text.contains("PV GUEST PASSED"))
  }

  /// Two runs do the same, to the last cycle.
  @Test func isDeterministic() throws {
    let folder = try TemporaryFolder()
    var runs: [String] = []
    for n in 0..<2 {
      let file = folder.url.appendingPathComponent("stats\(n).json").path
      let result = try boot(["--cpus", "2", "--stats", file])
      #expect(result.status == 0)
      let statistics = try #require(
        JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file))) as? [String: Any])
      runs.append("\(statistics["cycles"] ?? "") \(statistics["memory_hash"] ?? "")")
      let exits = try #require(statistics["exits"] as? [String: Int])
      #expect(exits["hyperprivop rfi"] ?? 0 > 30)
      #expect(exits["hypercall eventChannelOp"] ?? 0 > 30)
      #expect(exits["privileged operation"] ?? 0 > 30)
      #expect(exits["event"] ?? 0 >= 10)
    }
    #expect(runs[0] == runs[1])
  }

  /// A kernel that is none of Xen's waits for a serial port that never answers.
  @Test func kernelForAnotherMachine() throws {
    let result = try Epicure.run([
      "boot", "--virtualization", "pv", "--memory", "256M", "--limit-seconds", "0.01", "--kernel", VirtualMonitorTests.image.path,
    ])
    #expect(result.status == 1 || result.status == 3, "\(result.text)")
  }

  @Test(arguments: [
    (["--nvram", "/nowhere/x"], "--nvram is for machines"), (["--virtio", "rng"], "--virtio is for machines"),
  ]) func whatPVDomainsDoNotHave(_ options: [String], _ message: String) throws {
    let result = try boot(options)
    #expect(result.status == 2)
    #expect(result.errors.contains(message), "\(result.errors)")
  }

  @Test func needsAKernel() throws {
    let result = try Epicure.run(["boot", "--virtualization", "pv"])
    #expect(result.status == 2)
    #expect(result.errors.contains("it needs a kernel"), "\(result.errors)")
  }
}
