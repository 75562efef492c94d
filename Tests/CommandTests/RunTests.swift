import Foundation
import TestSupport
import Testing

/// `epicure run` with programs of a few bundles, and with files that are not programs.
@Suite("epicure run", .ends(withinMinutes: 10)) struct RunTests {
  private func run(_ program: SmallProgram, _ arguments: [String] = []) throws -> Epicure.Result {
    let folder = try TemporaryFolder()
    let result = try Epicure.run(["run", folder.write("program", program.bytes)] + arguments, seconds: 60)
    #expect(!result.crashed, "\(result.errors)")
    return result
  }

  // MARK: What programs do

  @Test func exitStatusIsPassedThrough() throws {
    let result = try run(SmallProgram(code: RunPrograms.exits))
    #expect(result.status == 42)
    #expect(result.errors.isEmpty)
    #expect(result.output.isEmpty)
  }

  @Test func unalignedReferencesAreCompleted() throws {
    #expect(try run(SmallProgram(code: RunPrograms.unaligned)).status == 0x44)
  }

  @Test func handlerSkipsFaultingInstruction() throws {
    let result = try run(SmallProgram(code: RunPrograms.signal))
    #expect(result.status == 32, "\(result.errors)")
  }

  /// Fatal signals: 128 and the number, and one line that says where and why.
  @Test(arguments: [
    (RunPrograms.fault, Int32(11), "SIGSEGV", "0x4000000000010090"), (RunPrograms.divide, 8, "SIGFPE", "0x4000000000010080"),
    (RunPrograms.illegal, 4, "SIGILL", "0x4000000000010080"),
  ])
  func fatalSignals(_ code: [UInt64], _ signal: Int32, _ name: String, _ ip: String) throws {
    let result = try run(SmallProgram(code: code))
    #expect(result.status == 128 + signal)
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("epicure: ") == true)
    #expect(result.errors.contains("killed by \(name) at ip \(ip)"))
  }

  @Test func unknownSystemCallIsReportedOnce() throws {
    let result = try run(SmallProgram(code: RunPrograms.unknown))
    #expect(result.status == 38)  // ENOSYS
    #expect(result.errors.split(separator: "\n").count == 1)
    #expect(result.errors.contains("1267"))
  }

  @Test func entryInNowhere() throws {
    let result = try run(SmallProgram(code: RunPrograms.exits, entry: 0x2000_0000_0000_0000))
    #expect(result.status == 139)
  }

  /// Bundles of zeros are `break 0`; bundles of ones have a reserved template.
  @Test(arguments: [UInt64(0), UInt64.max]) func nonsenseInstructions(_ word: UInt64) throws {
    let result = try run(SmallProgram(code: [word, word]))
    #expect(result.status == 132)
  }

  @Test func hugeMemorySizeCostsNothing() throws {
    // One TiB of zeros behind the code: address space, not memory.
    let result = try run(SmallProgram(code: RunPrograms.exits, memorySize: 1 << 40))
    #expect(result.status == 42)
  }

  // MARK: What is not a program: status 2, and one line that names the file

  private func refused(_ bytes: [UInt8], _ reason: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("not-a-program", bytes)
    try refused(path: path, reason)
  }

  private func refused(path: String, _ reason: String) throws {
    let result = try Epicure.run(["run", path], seconds: 60)
    #expect(result.status == 2)
    #expect(!result.crashed)
    #expect(result.errors.hasPrefix("epicure: \(path): "))
    #expect(result.errors.contains(reason), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  @Test func missingFile() throws { try refused(path: "/nonexistent/program", "No such file") }
  @Test func folderInsteadOfFile() throws { try refused(path: "/tmp", "not a regular file") }
  @Test func emptyFile() throws { try refused([], "empty") }
  @Test func text() throws { try refused(Array("#!/bin/sh\necho hello\n".utf8), "not an ELF file") }
  @Test func otherMachine() throws { try refused(SmallProgram(code: RunPrograms.exits, machine: 62).bytes, "another machine") }
  @Test func objectFile() throws { try refused(SmallProgram(code: RunPrograms.exits, type: 1).bytes, "not an executable") }
  @Test func manyHeaders() throws { try refused(SmallProgram(code: RunPrograms.exits, headerCount: 60000).bytes, "truncated") }
  @Test func segmentBeyondFile() throws {
    try refused(SmallProgram(code: RunPrograms.exits, memorySize: 1 << 50, fileSize: 1 << 49).bytes, "truncated")
  }
  @Test func segmentBeyondAddressSpace() throws {
    try refused(SmallProgram(code: RunPrograms.exits, memorySize: 1 << 50).bytes, "cannot be mapped")
    try refused(SmallProgram(code: RunPrograms.exits, address: 0xE000_0000_0001_0080).bytes, "cannot be mapped")
  }

  @Test func everyTruncation() throws {
    let image = SmallProgram(code: RunPrograms.exits).bytes
    for length in 1..<image.count {
      let folder = try TemporaryFolder()
      let result = try Epicure.run(["run", folder.write("p", Array(image.prefix(length)))], seconds: 60)
      #expect(result.status == 2 && !result.crashed, "truncated to \(length): \(result.errors)")
    }
  }

  /// Whatever a damaged program does, the emulator survives it. Flips of one bit, deterministic.
  @Test func damagedPrograms() throws {
    var generator = SplitMix(state: 0x5EED_0001)
    let programs = [RunPrograms.exits, RunPrograms.signal, RunPrograms.unaligned].map { SmallProgram(code: $0).bytes }
    for round in 0..<120 {
      var image = programs[round % programs.count]
      for _ in 0...(round % 3) {
        let bit = Int(generator.next() % UInt64(image.count * 8))
        image[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      let folder = try TemporaryFolder()
      let result = try Epicure.run(["run", folder.write("p", image)], directory: folder.url, seconds: 2)
      // The time is over: a loop, ended by SIGTERM.
      let ended = result.crashed && result.status == 128 + 15
      #expect(!result.crashed || ended, "seed 0x5EED0001, round \(round): status \(result.status) \(result.errors)")
    }
  }

  @Test func noProgram() throws {
    let result = try Epicure.run(["run"], seconds: 60)
    #expect(result.status != 0)
    #expect(result.errors.contains("program"))
  }
}

/// A deterministic source of bits (Steele, Lea and Flood's SplitMix64).
struct SplitMix {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
