import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Software assistance of PV guests, called as the stub in their firmware calls it: everything in registers. Expected values are worked out by
/// hand.
@Suite("Floating-point software assistance of PV guests", .ends(withinMinutes: 5)) struct ParavirtualAssistTests {
  private let bench: FirmwareBench
  /// Where f6 to f15 have been saved.
  private static let saved = FirmwareBench.scratch
  /// Linux's: all traps disabled, status field 0 in double-extended precision.
  private static let quietFPSR: UInt64 = 0x9804C_0270033F
  /// { nop.m; frcpa.s0 f8, p6 = f6, f7; nop.i } and { nop.m; frsqrta.s0 f40, p20 = f33; nop.i }, by GNU as.
  private static let frcpa: (UInt64, UInt64) = (0x3080_0001_0000_000D, 0x0004_0000_0000_8C1C)
  private static let frsqrta: (UInt64, UInt64) = (0x0280_0001_0000_000D, 0x0004_0000_0004_A884)

  init() throws { bench = try FirmwareBench() }

  private func call(
    _ bundle: (UInt64, UInt64), fault: UInt64 = 1, ifs: UInt64 = 1 << 63, mask: UInt64 = 0xFC0, saved: UInt64 = Self.saved
  ) -> UInt64 {
    let s = bench.processor.state
    let arguments = [
      fault, bundle.0, bundle.1, 1 << 41, Self.quietFPSR, 8, .max, ifs, mask, 0, 0, saved, 0, 0,
    ]
    for (n, argument) in arguments.enumerated() { s.gr[14 + n] = argument }
    return ParavirtualAssist.call(bench.processor, memory: bench.memory)
  }

  private func setSaved(_ register: UInt64, _ significand: UInt64, _ exponent: UInt64) {
    bench.memory.store(Self.saved + 16 * (register - 6), significand)
    bench.memory.store(Self.saved + 16 * (register - 6) + 8, exponent)
  }

  /// The smallest normal number of 15 exponent bits, halved.
  @Test func quotientInMemory() throws {
    setSaved(6, 1 << 63, 0xFFFF - 16382)
    setSaved(7, 1 << 63, 0xFFFF + 1)
    #expect(call(Self.frcpa) == 0)
    #expect(try bench.u64(Self.saved + 32) == 1 << 62)
    #expect(try bench.u64(Self.saved + 40) == 0)
    let s = bench.processor.state
    #expect((17...21).map { s.gr[$0] } == [1 << 41 | PSR.mfl, Self.quietFPSR, 8, UInt64.max & ~(1 << 6), 1 << 63])
  }

  /// f33 is the fourth after rotation by 3; p20 moves by 2. The root of 2^-16444 is 2^-8222.
  @Test func rootInTheProcessor() throws {
    let s = bench.processor.state
    s.f(36).value.significand = 1 << 63
    s.f(36).value.signExponent = 0xFFFF - 16382 - 62
    #expect(call(Self.frsqrta, ifs: 1 << 63 | 2 << 32 | 3 << 25 | 40) == 0)
    #expect(s.f(43).value.significand == 1 << 63)
    #expect(s.f(43).value.signExponent == 0xFFFF - 8222)
    #expect(s.gr[20] == UInt64.max & ~(1 << 22))
    #expect(s.gr[17] == 1 << 41 | PSR.mfh)
  }

  @Test func whatIsRefused() {
    setSaved(6, 1 << 63, 0xFFFF - 16382)
    setSaved(7, 1 << 63, 0xFFFF + 1)
    // A trap, and a fault that is not about assistance, are the program's.
    #expect(call(Self.frcpa, fault: 0) == 2)
    #expect(call((0, 0)) == 1)
    // f6 to f11 have to be in memory, within a page that is RAM.
    #expect(call(Self.frcpa, mask: 0xF80) == .max)
    #expect(call(Self.frcpa, saved: 0) == .max)
    #expect(call(Self.frcpa, saved: 0x3FF0) == .max)
    #expect(call(Self.frcpa, saved: 0x3FF_0000_0000) == .max)
    #expect(call(Self.frcpa, mask: 0xFC0 | 1 << 4) == 0, "who has no f4 to lose loses nothing")
  }
}
