import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// The floating-point software assistance handler, called as Linux's fault handler calls it. Expected values are worked out by hand.
@Suite("Floating-point software assistance", .ends(withinMinutes: 5)) struct SoftwareAssistTests {
  private let bench: FirmwareBench
  private static let base = FirmwareBench.scratch
  private static let (bundle, ipsr, fpsr, isr) = (base, base + 0x20, base + 0x28, base + 0x30)
  private static let (predicates, frame, state, saved) = (base + 0x38, base + 0x40, base + 0x80, base + 0x100)
  /// Linux's: all traps disabled, status field 0 in double-extended precision.
  private static let quietFPSR: UInt64 = 0x9804C_0270033F

  init() throws { bench = try FirmwareBench() }

  /// Words of a bundle as GNU as makes them, in the order of the file.
  private func prepare(_ words: (UInt64, UInt64), isr: UInt64, frame: UInt64 = 1 << 63) {
    let m = bench.memory
    m.store(Self.bundle, words.0)
    m.store(Self.bundle + 8, words.1)
    m.store(Self.ipsr, UInt64(1) << 41)
    m.store(Self.fpsr, Self.quietFPSR)
    m.store(Self.isr, isr)
    m.store(Self.predicates, UInt64.max)
    m.store(Self.frame, frame)
    // f6 to f11 are in memory, as Linux has them in struct pt_regs.
    for (n, word) in ([0xFC0, 0, 0, Self.saved, 0, 0] as [UInt64]).enumerated() { m.store(Self.state + 8 * UInt64(n), word) }
  }

  private func call() -> UInt64 {
    let s = bench.processor.state
    s.pointee.sof = 8
    let arguments = [1, Self.bundle, Self.ipsr, Self.fpsr, Self.isr, Self.predicates, Self.frame, Self.state]
    for (n, argument) in arguments.enumerated() { s.gr[32 + n] = argument }
    #expect(bench.firmware.gate(Gate.softwareAssist, processor: bench.processor) == .proceed)
    return s.gr[8]
  }

  private func setSaved(_ register: UInt64, _ significand: UInt64, _ exponent: UInt64) {
    bench.memory.store(Self.saved + 16 * (register - 6), significand)
    bench.memory.store(Self.saved + 16 * (register - 6) + 8, exponent)
  }

  /// { nop.m; frcpa.s0 f8, p6 = f6, f7; nop.i }
  private static let frcpa: (UInt64, UInt64) = (0x3080_0001_0000_000D, 0x0004_0000_0000_8C1C)
  /// { nop.m; frsqrta.s0 f40, p20 = f33; nop.i }
  private static let frsqrta: (UInt64, UInt64) = (0x0280_0001_0000_000D, 0x0004_0000_0004_A884)

  /// The smallest normal number of 15 exponent bits, halved: exact, so that no flag is set, and p6 says that there is no more to do.
  @Test func quotientBelowTheNormalRange() throws {
    prepare(Self.frcpa, isr: 8)
    setSaved(6, 1 << 63, 0xFFFF - 16382)
    setSaved(7, 1 << 63, 0xFFFF + 1)
    #expect(call() == 0)
    #expect(try bench.u64(Self.saved + 32) == 1 << 62)
    // Double-extended denormals have exponent 0 in registers (Volume 1, table 5-2).
    #expect(try bench.u64(Self.saved + 40) == 0)
    #expect(try bench.u64(Self.predicates) == UInt64.max & ~(1 << 6))
    #expect(try bench.u64(Self.fpsr) == Self.quietFPSR)
    #expect(try bench.u64(Self.ipsr) == 1 << 41 | PSR.mfl)
  }

  /// The largest power of two divided by the smallest: infinity, with overflow and inexact in status field 0 .
  @Test func quotientAboveTheRange() throws {
    prepare(Self.frcpa, isr: 8)
    setSaved(6, 1 << 63, 0xFFFF + 16383)
    setSaved(7, 1 << 63, 0xFFFF - 16382)
    #expect(call() == 0)
    #expect(try bench.u64(Self.saved + 32) == 1 << 63)
    #expect(try bench.u64(Self.saved + 40) == 0x1FFFF)
    // I is bit 12 of the status field, O is bit 10 (Volume 1, figure 5-8): V D Z O U I from bit 7 on.
    #expect(try bench.u64(Self.fpsr) == Self.quietFPSR | (1 << 10 | 1 << 12) << 6)
  }

  /// Registers in the processor, renamed by the frame that was interrupted: f33 is the fourth after rotation by 3; p20 moves by 2.
  @Test func rotatedRegisters() throws {
    prepare(Self.frsqrta, isr: 8, frame: 1 << 63 | 2 << 32 | 3 << 25 | 40)
    let s = bench.processor.state
    s.f(36).value.significand = 1 << 63
    s.f(36).value.signExponent = 0xFFFF - 16382 - 62
    #expect(call() == 0)
    // The root of 2^-16444 is 2^-8222.
    #expect(s.f(43).value.significand == 1 << 63)
    #expect(s.f(43).value.signExponent == 0xFFFF - 8222)
    #expect(try bench.u64(Self.predicates) == UInt64.max & ~(1 << 22))
    #expect(try bench.u64(Self.ipsr) == 1 << 41 | PSR.mfh)
  }

  /// A fault that is not about assistance is the program's.
  @Test func otherFaults() throws {
    prepare(Self.frcpa, isr: 4)
    setSaved(6, 1 << 63, 0xFFFF)
    #expect(call() == 1)
    #expect(try bench.u64(Self.isr) == 4)
    prepare((0, 0), isr: 8)
    #expect(call() == 1)
  }

  @Test func pointersThatLeadNowhere() throws {
    prepare(Self.frcpa, isr: 8)
    bench.memory.store(Self.state + 24, UInt64(0x3FF_0000_0000))
    #expect(call() == UInt64.max)
  }
}
