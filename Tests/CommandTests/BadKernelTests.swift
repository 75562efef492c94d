import Foundation
import Glibc
import IA64
import TestSupport
import Testing

/// Files that are no kernels, and kernels that go wrong: one line, the right status, soon.
@Suite("epicure boot, bad kernels", .ends(withinMinutes: 10)) struct BadKernelTests {
  /// A kernel from assembly language, loaded and entered at 16 MiB.
  private func kernel(_ source: String) throws -> [UInt8] {
    let address: UInt64 = 0x100_0000
    let bundles = try Assembler.assemble(source, at: address)
    return SmallProgram(code: bundles.flatMap { [$0.low, $0.high] }, entry: address, address: address).bytes
  }

  private func boot(_ bytes: [UInt8], _ options: [String] = []) throws -> Epicure.Measured {
    let folder = try TemporaryFolder()
    let result = try Epicure.measured(["boot", "--kernel", folder.write("kernel", bytes)] + options)
    #expect(result.status <= 3, "status \(result.status): \(result.errors)")
    return result
  }

  // MARK: Files: status 2

  private func refused(_ path: String, _ reason: String) throws {
    for command in [
      ["boot", "--kernel", path], ["boot", "--kernel", path, "--initrd", path], ["disassemble", path], ["run", path],
    ] {
      let result = try Epicure.measured(command)
      #expect(result.status == 2, "\(command): \(result.status) \(result.errors)")
      #expect(result.errors.hasPrefix("epicure: \(path): "), "\(command): \(result.errors)")
      #expect(result.errors.contains(reason), "\(command): \(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1)
      #expect(result.output.isEmpty)
      #expect(result.memory < 512 << 20, "\(command): \(result.memory >> 20) MiB")
      #expect(result.seconds < 10, "\(command)")
    }
  }

  private func refused(_ bytes: [UInt8], _ reason: String) throws {
    let folder = try TemporaryFolder()
    try refused(folder.write("kernel", bytes), reason)
  }

  @Test func missing() throws { try refused("/nonexistent/kernel", "No such file") }
  @Test func folder() throws { try refused("/tmp", "not a regular file") }
  @Test func device() throws { try refused("/dev/zero", "not a regular file") }
  @Test func empty() throws { try refused([], "empty") }
  @Test func text() throws {
    try refused(Array("#!/bin/sh\necho hello, this is no kernel at all, not a bit of one\n".utf8), "not an ELF file")
  }
  @Test func otherMachine() throws { try refused(SmallProgram(code: [0, 0], machine: 62).bytes, "another machine") }

  @Test func pipeThatNobodyWrites() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("fifo").path
    #expect(mkfifo(path, 0o600) == 0)
    try refused(path, "not a regular file")
  }

  @Test(.enabled(if: getuid() != 0, "root may read everything")) func unreadable() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("kernel", [1])
    chmod(path, 0)
    try refused(path, "Permission denied")
  }

  @Test func initialRAMDisks() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("kernel", kernel("nop.m 0 ;;"))
    for (disk, reason) in [("/nonexistent/disk", "No such file"), ("/tmp", "not a regular file")] {
      let result = try Epicure.measured(["boot", "--kernel", path, "--initrd", disk])
      #expect(result.status == 2)
      #expect(result.errors.contains("\(disk): \(reason)"))
    }
    // A terabyte that takes no space: refused before anything is read.
    let sparse = folder.url.appendingPathComponent("sparse").path
    #expect(FileManager.default.createFile(atPath: sparse, contents: nil))
    #expect(truncate(sparse, 1 << 40) == 0)
    let result = try Epicure.measured(["boot", "--kernel", path, "--initrd", sparse, "--memory", "1024G"])
    #expect(result.status == 2)
    #expect(result.errors.contains("larger than"))
    #expect(result.memory < 256 << 20)
    try refusedByBoot(sparse, "larger than")
  }

  private func refusedByBoot(_ path: String, _ reason: String) throws {
    let result = try Epicure.measured(["boot", "--kernel", path, "--memory", "1024G"])
    #expect(result.status == 2)
    #expect(result.errors.contains(reason), "\(result.errors)")
  }

  // MARK: Options: status 2

  @Test(arguments: [
    ["--memory", "63M"], ["--memory", "1025G"], ["--memory", "65537K"], ["--memory", "-1"], ["--memory", "99999999999999999999G"],
    ["--memory", "lots"], ["--cpus", "0"], ["--cpus", "65"], ["--until", "("], ["--fail-on", "["], ["--limit-seconds", "0"],
    ["--limit-seconds", "-1"], ["--limit-seconds", "nan"], ["--limit-seconds", "inf"], ["--limit-instructions", "-5"],
    ["--nonsense"],
    ["--virtualization", "full"], ["--append", String(repeating: "x", count: 8192)],
  ])
  func options(_ options: [String]) throws {
    let result = try boot(kernel("nop.m 0 ;;"), options)
    #expect(result.status == 2, "\(result.status): \(result.errors)")
    #expect(!result.errors.isEmpty)
    #expect(result.output.isEmpty)
  }

  @Test func statisticsThatCannotBeWritten() throws {
    let result = try boot(kernel("br.ret.sptk.many b0 ;;"), ["--stats", "/nonexistent/stats.json"])
    #expect(result.status == 2)
    #expect(result.errors.contains("/nonexistent/stats.json"))
  }

  // MARK: Kernels that go wrong: status 1

  private func fails(_ source: String, _ reason: String) throws {
    let result = try boot(kernel(source))
    #expect(result.status == 1, "\(result.status): \(result.errors)")
    #expect(result.errors.hasPrefix("epicure: the guest "), "\(result.errors)")
    #expect(result.errors.contains(reason), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
    #expect(result.seconds < 20)
  }

  /// Interruptions without handlers at IVA: the processor faults for ever.
  @Test func illegalInstruction() throws { try fails("break.m 0 ;;", "faults for ever") }
  @Test func jumpToNowhere() throws {
    try fails("movl r14 = 0x3000000000000\n mov b6 = r14 ;;\n br.call.sptk.many b0 = b6 ;;", "faults for ever")
  }
  @Test func unmappedAddress() throws { try fails("ssm 0x22000 ;;\n srlz.d ;;\n ld8 r14 = [r0] ;;", "faults for ever") }
  @Test func registerOutsideTheFrame() throws {
    try fails("alloc r14 = ar.pfs, 0, 0, 0, 0 ;;\n mov r100 = r0 ;;", "faults for ever")
  }

  /// EFI_LOAD_ERROR.
  @Test func returnedError() throws {
    try fails("movl r8 = 0x8000000000000001\n br.ret.sptk.many b0 ;;", "returned to the firmware with status 0x8000000000000001")
  }

  @Test func returnedSuccess() throws {
    let result = try boot(kernel("mov r8 = r0\n br.ret.sptk.many b0 ;;"))
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    let until = try boot(kernel("mov r8 = r0\n br.ret.sptk.many b0 ;;"), ["--until", "x"])
    #expect(until.status == 1)
  }

  /// PAL_HALT_LIGHT with every interrupt masked: nothing will ever wake it.
  @Test func deadlock() throws {
    // The second word of the firmware's directory is the offset of PAL_PROC.
    let source = """
      movl r14 = 0xFF000000 ;;
      adds r15 = 16, r14 ;;
      ld8 r15 = [r15] ;;
      add r15 = r14, r15
      mov r28 = 29
      mov r29 = r0
      mov r30 = r0
      mov r31 = r0 ;;
      mov b6 = r15 ;;
      again: br.call.sptk.many b0 = b6 ;;
      br.cond.sptk.many again ;;
      """
    let result = try boot(kernel(source), ["--limit-instructions", "1000000"])
    #expect(result.status == 1, "\(result.errors)")
    #expect(result.errors.contains("nothing left that could wake it"), "\(result.errors)")
  }

  @Test func endlessLoop() throws {
    let loop = try kernel("again: br.cond.sptk.many again ;;")
    let slots = try boot(loop, ["--limit-instructions", "3000000"])
    #expect(slots.status == 3)
    let time = try boot(loop, ["--limit-seconds", "0.01"])
    #expect(time.status == 3)
  }

  // MARK: Damage

  /// Kernels and code with flipped bits: any status of the contract, no crash.
  @Test func damagedKernels() throws {
    var random = SplitMix(state: 0xBAD_5EED)
    let bytes = try kernel("mov r14 = r0\n movl r15 = 0x123456789 ;;\n st8 [r15] = r14 ;;\n br.ret.sptk.many b0 ;;")
    let folder = try TemporaryFolder()
    for round in 0..<100 {
      var image = bytes
      for _ in 0...random.next() % 3 {
        let bit = Int(random.next() % UInt64(image.count * 8))
        image[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      let path = try folder.write("kernel", image)
      let boot = try Epicure.measured(["boot", "--kernel", path, "--limit-instructions", "200000", "--memory", "64M"])
      #expect(0...3 ~= boot.status, "seed 0xBAD5EED, round \(round): \(boot.status) \(boot.errors)")
      let listing = try Epicure.measured(["disassemble", path])
      #expect([0, 2].contains(listing.status), "seed 0xBAD5EED, round \(round): \(listing.status) \(listing.errors)")
    }
  }
}
