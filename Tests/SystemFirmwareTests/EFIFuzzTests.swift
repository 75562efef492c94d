import Foundation
import HostResources
import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Calls that no sane image makes: every service and function, with arguments that are right, almost right, and nonsense.
@Suite("EFI services, random calls", .enabled(if: EFIDisk.hasTools, EFIDisk.missing), .ends(withinMinutes: 5)) struct EFIFuzzTests {
  static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_124
  static let calls = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 3_000_000 : 20_000

  /// Memory of the image that makes the calls.
  private static let scratch: UInt64 = 0x100_0000
  private static let guids: [[UInt8]] = [
    [0x21, 0x5B, 0x4E, 0x96, 0x59, 0x64, 0xD2, 0x11, 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B],  // Block I/O
    [0x22, 0x5B, 0x4E, 0x96, 0x59, 0x64, 0xD2, 0x11, 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B],  // Simple File System
    [0x91, 0x6E, 0x57, 0x09, 0x3F, 0x6D, 0xD2, 0x11, 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B],  // Device Path
    [0x92, 0x6E, 0x57, 0x09, 0x3F, 0x6D, 0xD2, 0x11, 0x8E, 0x39, 0x00, 0xA0, 0xC9, 0x69, 0x72, 0x3B],  // file information
    [0xAB, 0x31, 0xA0, 0x18, 0x43, 0xB4, 0x1A, 0x4D, 0xA5, 0xC0, 0x0C, 0x09, 0x26, 0x1E, 0x9F, 0x71],  // Driver Binding
  ]

  private func powerOn(_ medium: BootMedium) throws -> EFIBench {
    let bench = try EFIBench(memorySize: 64 << 20)
    defer { withExtendedLifetime(bench) {} }
    bench.firmware.media = [medium]
    try bench.firmware.bootMedia()
    #expect(bench.firmware.gate(Gate.powerOn, processor: bench.processors[0]) == .proceed)
    return bench
  }

  @Test func survives() throws {
    let disk = try EFIDisk([("/folder/file", [UInt8](repeating: 1, count: 5000))])
    let medium = try disk.medium()
    var bench = try powerOn(medium)
    var random = SplitMix(state: Self.seed)
    // What has come back from calls, to be used again: handles, interfaces, events.
    var known: [UInt64] = []
    let names: [[UInt16]] = ["\\folder\\file", "\\new", "..", "\\folder", "*", ""].map { Array($0.utf16) + [0] }
    for call in 0..<Self.calls {
      if call % 5000 == 4999 {
        bench = try powerOn(medium)
        known = []
      }
      let processor = bench.processors[0]
      let s = processor.state
      let scratch = Self.scratch
      bench.memory.write(scratch, (0..<64).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      for n in 0..<8 {
        let value: UInt64? = known.randomElement(using: &random)
        bench.memory.store(scratch + 64 + 8 * UInt64(n), value ?? 0)
      }
      for (n, guid) in Self.guids.enumerated() { bench.memory.write(scratch + 0x100 + 16 * UInt64(n), guid) }
      for (n, name) in names.enumerated() {
        bench.memory.write(scratch + 0x200 + 64 * UInt64(n), name.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
      }
      func argument() -> UInt64 {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: 0
        case 1...2: UInt64.random(in: 0...40, using: &random)
        case 3: scratch + 0x100 + 16 * UInt64.random(in: 0..<5, using: &random)
        case 4: scratch + 0x200 + 64 * UInt64.random(in: 0..<6, using: &random)
        case 5: scratch + 64
        case 6: scratch + UInt64.random(in: 0..<4096, using: &random)
        case 7: [1 << 63, 3 | 1 << 63, .max, 0xFFFF_FFFF, 0x3FF_0000_0000, 4096].randomElement(using: &random) ?? 0
        case 8: random.next() >> UInt64.random(in: 0..<64, using: &random)
        default: known.randomElement(using: &random) ?? scratch
        }
      }
      s.pointee.sof = 8
      for n in 0..<8 { s.gr[32 + n] = argument() }
      s.gr[8] = argument()
      s.gr[12] = scratch + 0x8000
      processor.setPSR(PSR.bn)
      let kind = Int.random(in: 0..<20, using: &random)
      let number: UInt64 =
        switch kind {
        case 0...8: Gate.bootService + UInt64.random(in: 0..<UInt64(Gate.bootServiceCount), using: &random)
        case 9...16: Gate.protocolFunction + UInt64.random(in: 0..<UInt64(Gate.protocolFunctionCount), using: &random)
        case 17: Gate.runtimeService + UInt64.random(in: 0..<10, using: &random)
        case 18: [Gate.callNext, Gate.callMark, Gate.notified, Gate.nap].randomElement(using: &random) ?? Gate.nap
        default: Gate.vector + 0x30
        }
      // The gate's own bundle, from which stubs are found.
      s.pointee.ip = 0xFF00_4000
      _ = bench.firmware.gate(number, processor: processor)
      for n in 0..<8 {
        if let word: UInt64 = bench.memory.load(scratch + 64 + 8 * UInt64(n)), word > 0x1000, word < 64 << 20, known.count < 400 {
          known.append(word)
        }
      }
      // Calls have changed the stacks' description at random.
      processor.reset()
    }
  }
}
