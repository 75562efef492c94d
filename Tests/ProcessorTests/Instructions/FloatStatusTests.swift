import Arithmetic
import Processor
import TestSupport
import Testing

/// F12, F13, F14, M18, M19, and what floating-point instructions raise (Volume 3, pages fchkf, fclrf, fsetc, getf, setf; Volume 2,
/// section 8.3).
@Suite("Floating-point status and transfers", .ends(withinMinutes: 5))
struct FloatStatusTests {
  private static func shift(_ field: Int) -> UInt64 { UInt64(6 + 13 * field) }

  /// fsetc: sf0's controls, masked and set, become those of the named field; reserved values fault.
  @Test func setControls() throws {
    var random = OperandSource("fsetc")
    for _ in 0..<60 {
      let (field, amask, omask, fpsr) = (random.number(0...3), random.number(0...127), random.number(0...127), random.floatStatus())
      let machine = try TestMachine("fsetc.s\(field) \(amask),\(omask)")
      machine[ar: AR.fpsr] = fpsr
      let controls = (fpsr >> 6 & 0x7F) & UInt64(amask) | UInt64(omask)
      let comment: Comment = "fsetc.s\(field) \(amask),\(omask) of \(String(fpsr, radix: 16))"
      // pc 1 is reserved, and td in sf0.
      if controls >> 2 & 3 == 1 || field == 0 && controls >> 6 != 0 {
        #expect(machine.run() == .interruption(.generalException), comment)
        #expect(machine.interruption.code == 0x30, comment)
        #expect(machine[ar: AR.fpsr] == fpsr, comment)
      } else {
        #expect(machine.run() == .done, comment)
        #expect(machine[ar: AR.fpsr] == fpsr & ~(0x7F << Self.shift(field)) | controls << Self.shift(field), comment)
      }
    }
  }

  @Test func clearFlags() throws {
    for field in 0..<4 {
      let machine = try TestMachine("fclrf.s\(field)")
      machine[ar: AR.fpsr] = 0x3FF_FFFF_FFFF_EFFF & ~(1 << 8 | 1 << 21 | 1 << 34 | 1 << 47)
      let before = machine[ar: AR.fpsr]
      #expect(machine.run() == .done)
      #expect(machine[ar: AR.fpsr] == before & ~(0x3F << (Self.shift(field) + 7)))
    }
  }

  /// fchkf branches if a flag of the field is set whose trap is enabled, or that sf0 does not have.
  @Test func checkFlags() throws {
    for field in 0..<4 {
      for flag in 0..<6 {
        for disabled in [true, false] {
          for inMain in [true, false] {
            let machine = try TestMachine(
              "{ .mfb\n nop 0\n fchkf.s\(field) taken\n nop 0\n }\nadds r4=1,r0 ;;\nbr.cond.sptk done ;;\ntaken: adds r4=2,r0 ;;\n"
                + "done: { .bbb\n br.cond.sptk done\n nop 0\n nop 0\n }")
            let bit = UInt64(1) << UInt64(flag)
            var fpsr: UInt64 = 0x3F & ~(disabled ? 0 : bit)
            fpsr |= bit << (Self.shift(field) + 7)
            if inMain { fpsr |= bit << 13 }
            machine[ar: AR.fpsr] = fpsr
            #expect(machine.run() == .done)
            let taken = !disabled || field != 0 && !inMain
            #expect(machine[gr: 4] == (taken ? 2 : 1), "sf\(field) flag \(flag) disabled \(disabled) in sf0 \(inMain)")
          }
        }
      }
    }
  }

  @Test func transfers() throws {
    var random = OperandSource("setf")
    let forms: [(String, (UInt64) -> FloatRegister, (FloatRegister) -> UInt64)] = [
      ("sig", FloatRegister.integer, { $0.significand }),
      ("exp", { FloatRegister(significand: 1 << 63, signExponent: $0 & 0x3FFFF) }, { $0.signExponent }),
      ("s", { FloatMemory.loadSingle(UInt32(truncatingIfNeeded: $0)) }, { UInt64(FloatMemory.storeSingle($0)) }),
      ("d", FloatMemory.loadDouble, FloatMemory.storeDouble),
    ]
    for (name, load, store) in forms {
      for (target, modified) in [(2, PSR.mfl), (31, PSR.mfl), (32, PSR.mfh), (127, PSR.mfh)] {
        let (value, source) = (random.value(), random.floatValue())
        let machine = try TestMachine("setf.\(name) f\(target)=r4 ;;\ngetf.\(name) r5=f40 ;;\nsetf.\(name) f41=r6\n")
        machine[gr: 4] = value
        machine[fr: 40] = source
        machine[nat: 5] = true
        machine[nat: 6] = true
        #expect(machine.run() == .done)
        #expect(machine[fr: UInt8(target)] == load(value), "setf.\(name)")
        #expect(machine[nat: 5] == source.isNaTVal, "getf.\(name)")
        if !source.isNaTVal { #expect(machine[gr: 5] == store(source), "getf.\(name)") }
        #expect(machine[fr: 41] == .natVal)
        #expect(machine.psr & (PSR.mfl | PSR.mfh) == modified | PSR.mfh)
        // A source that is no NaT clears the target's bit, and getf of NaTVal sets it.
        let other = try TestMachine("getf.\(name) r5=f40 ;;\nsetf.\(name) f\(target)=r4")
        other[fr: 40] = .natVal
        #expect(other.run() == .done)
        #expect(other[nat: 5])
        #expect(other.psr & (PSR.mfl | PSR.mfh) == modified)
      }
    }
  }

  /// f0 and f1 are no targets.
  @Test func constantTargets() throws {
    let texts = [
      "fma f0=f2,f3,f4", "fma.s1 f1=f2,f3,f4", "fpma f0=f2,f3,f4", "xma.l f1=f2,f3,f4", "fselect f0=f2,f3,f4", "frcpa f1,p6=f2,f3",
      "frsqrta f0,p6=f2", "fprcpa f1,p6=f2,f3", "fprsqrta f0,p6=f2", "fmin f0=f2,f3", "fpmax f1=f2,f3", "fpcmp.eq f0=f2,f3",
      "fmerge.s f1=f2,f3",
      "fmerge.se f0=f2,f3", "fpmerge.ns f1=f2,f3", "fmix.lr f0=f2,f3", "fand f1=f2,f3", "fswap f0=f2,f3", "fpack f1=f2,f3",
      "fsxt.l f0=f2,f3",
      "fcvt.fx f0=f2", "fcvt.xf f1=f2", "fpcvt.fxu f0=f2", "setf.sig f1=r4", "setf.exp f0=r4", "setf.d f1=r4",
    ]
    for text in texts {
      for predicate in [true, false] {
        let machine = try TestMachine("(p07) \(text)")
        machine[pr: 7] = predicate
        #expect(machine.run() == (predicate ? .interruption(.generalException) : .done), "\(text)")
        if predicate { #expect(machine.interruption.code == 0, "\(text)") }
      }
    }
  }

  /// Equal target predicates are illegal; for `unc` even if predicated off.
  @Test func equalTargets() throws {
    for text in [
      "cmp.eq", "cmp4.lt.unc", "tbit.z", "tnat.nz.unc", "fcmp.eq", "fcmp.lt.unc", "fclass.m", "fclass.m.unc", "cmp.eq.or",
      "tbit.z.and",
    ] {
      let operands =
        text.hasPrefix("fcmp")
        ? "f2,f3" : text.hasPrefix("fclass") ? "f2,0x1" : text.hasPrefix("tbit") ? "r4,5" : text.hasPrefix("tnat") ? "r4" : "r4,r5"
      for predicate in [true, false] {
        let machine = try TestMachine("(p07) \(text) p6,p6=\(operands)")
        machine[pr: 7] = predicate
        let illegal = predicate || text.hasSuffix("unc")
        #expect(machine.run() == (illegal ? .interruption(.generalException) : .done), "\(text)")
      }
    }
  }

  private static let huge = FloatRegister(significand: 1 << 63, signExponent: 0xFFFF + 0x3FFF)
  private static let tiny = FloatRegister(significand: 1 << 63, signExponent: 0xFFFF - 0x3FFE)
  private static let signaling = FloatRegister(significand: 1 << 63 | 1, signExponent: 0x1FFFF)
  private static let denormal = FloatRegister(significand: 1 << 62, signExponent: 0x10000)
  private static let three = FloatRegister(significand: 3 << 62, signExponent: 0x10000)

  /// Faults write nothing and name the instruction; ISR.code as in Volume 2, Floating-point Fault vector: V 0, D 1, Z 2, SWA 3; the low
  /// half of parallel ones four bits higher.
  @Test func faults() throws {
    let pair = FloatRegister.integer(0x7F80_0001_3F80_0000)
    let reversed = FloatRegister.integer(0x3F80_0000_7F80_0001)
    let cases: [(String, FloatRegister, FloatRegister, UInt64)] = [
      ("fma f6=f2,f3,f4", Self.signaling, .one, 1), ("fma f6=f2,f3,f4", Self.denormal, .one, 2),
      ("fcmp.eq p6,p7=f2,f3", Self.signaling, .one, 1),
      ("frcpa f6,p6=f2,f3", .one, .zero, 4), ("frsqrta f6,p6=f2", Self.denormal, .one, 2),
      ("fcvt.fx f6=f2", Self.signaling, .one, 1),
      ("fmax f6=f2,f3", Self.denormal, .one, 2), ("fpma f6=f2,f3,f4", pair, .one, 1), ("fpmin f6=f2,f3", reversed, pair, 0x11),
      ("fpcvt.fx f6=f2", reversed, .one, 0x10), ("fpcmp.lt f6=f2,f3", reversed, .integer(0), 0x10),
    ].map { ($0.0, $0.1, $0.2, UInt64($0.3)) }
    for (text, f2, f3, code) in cases {
      let machine = try TestMachine("nop.m 0\n{ .mfi\n nop 0\n \(text)\n nop 0\n }")
      machine[fr: 2] = f2
      machine[fr: 3] = f3
      machine[fr: 4] = .one
      machine[fr: 6] = Self.three
      machine[pr: 6] = true
      machine[ar: AR.fpsr] = 0x9_804C_0270_0300
      let psr = machine.psr
      #expect(machine.run() == .interruption(.floatingPointFault), "\(text)")
      #expect(machine.interruption.code == code, "\(text)")
      #expect(machine.interruption.slot == 1, "\(text)")
      #expect(machine.interruption.iip == TestMachine.code + 16, "\(text)")
      #expect(PSR.ri(machine.interruption.ipsr) == 1, "\(text)")
      #expect(machine.interruption.ipsr & ~PSR.riMask == psr, "\(text)")
      #expect(machine[fr: 6] == Self.three, "\(text)")
      #expect(machine[pr: 6], "\(text)")
      #expect(machine[ar: AR.fpsr] == 0x9_804C_0270_0300, "\(text)")
    }
  }

  /// Traps write the result and the flags and name the next instruction; ISR.code: bit 0, O 11, U 12, I 13, FPA 14.
  @Test func traps() throws {
    let third = FloatRegister(significand: 0xAAAA_AAAA_AAAA_AAAB, signExponent: 0xFFFD)
    let cases: [(FloatRegister, FloatRegister, UInt64, UInt64, UInt64)] = [
      // operands, enabled traps, ISR.code, flags
      (Self.huge, Self.huge, 0x08, 1 | 1 << 11, 0x08), (Self.tiny, Self.tiny, 0x10, 1 | 1 << 12, 0x10),
      (third, third, 0x20, 1 | 1 << 13 | 1 << 14, 0x20),
    ]
    for (f2, f3, enabled, code, flags) in cases {
      for field in 0..<4 {
        let machine = try TestMachine("nop.m 0\n{ .mfi\n nop 0\n fma.s\(field) f40=f2,f3,f0\n nop 0\n }")
        machine[fr: 2] = f2
        machine[fr: 3] = f3
        // pc 3, round to nearest, no td.
        machine[ar: AR.fpsr] = 0x3F & ~enabled | 0xC << 6 | 0xC << 19 | 0xC << 32 | 0xC << 45
        let before = machine[ar: AR.fpsr]
        #expect(machine.run() == .interruption(.floatingPointTrap))
        let exact = FloatArithmetic.fma(
          f2, f3, .zero, FloatControl(fpsr: before, statusField: field, precision: 0), negateProduct: false, negateAddend: false,
          addendIsFR0: true)
        #expect(machine.interruption.code & ~(1 << 14) == code & ~(1 << 14), "sf\(field)")
        #expect(machine.interruption.code == UInt64(exact.trap) | 1, "sf\(field)")
        #expect(machine.interruption.slot == 1)
        #expect(PSR.ri(machine.interruption.ipsr) == 2)
        #expect(machine.interruption.iip == TestMachine.code + 16)
        #expect(machine.interruption.ipsr & PSR.mfh != 0)
        #expect(machine[fr: 40] == exact.value)
        #expect(
          machine[ar: AR.fpsr] == before | flags << (Self.shift(field) + 7) | machine[ar: AR.fpsr] & 0x20 << (Self.shift(field) + 7)
        )
      }
    }
  }

  /// td disables all traps and faults of its field.
  @Test func disabledByField() throws {
    for field in 1..<4 {
      let machine = try TestMachine("fma.s\(field) f40=f2,f3,f0")
      machine[fr: 2] = Self.signaling
      machine[fr: 3] = .one
      let before: UInt64 = 0xC << 6 | 0x4C << 19 | 0x4C << 32 | 0x4C << 45
      machine[ar: AR.fpsr] = before
      #expect(machine.run() == .done)
      #expect(machine[fr: 40].isQuietNaN)
      #expect(machine[ar: AR.fpsr] == before | 1 << (Self.shift(field) + 7))
    }
  }

  /// Disabled halves of the register file: the fault names the halves that the instruction uses (ISR.code bits 0 and 1).
  @Test func disabledRegisters() throws {
    let cases: [(String, UInt64)] = [
      ("fma f6=f2,f3,f4", 1), ("fma f40=f50,f60,f70", 2), ("fma f6=f40,f3,f4", 3), ("fcmp.eq p6,p7=f2,f50", 3),
      ("setf.sig f6=r4", 1),
      ("getf.sig r4=f127", 2), ("fclass.m p6,p7=f32,0x1", 2), ("xma.l f40=f0,f1,f0", 2), ("frsqrta f6,p6=f100", 3),
    ]
    for (text, uses) in cases {
      for disabled in 0..<4 as Range<UInt64> {
        let machine = try TestMachine(text, psr: PSR.ic | disabled << 18)
        for n in 2..<128 { machine[fr: UInt8(n)] = .one }
        let expected = uses & disabled
        #expect(machine.run() == (expected == 0 ? .done : .interruption(.disabledFP)), "\(text), disabled \(disabled)")
        if expected != 0 { #expect(machine.interruption.code == expected, "\(text), disabled \(disabled)") }
      }
    }
  }
}
