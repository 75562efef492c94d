import IA64
import Processor
import Testing

/// Moves to and from PSR (Volume 2, section 3.3.2; Volume 3: mov psr, mov psr.um, ssm, rsm, sum, rum, bsw).
@Suite("Processor status register")
struct ProcessorStatusTests {
  /// Reserved bits of PSR{31:0} (Volume 2, figure 3-2).
  static let reserved: UInt64 = 1 | 0x1FC0 | 1 << 16 | 0xF000_0000

  @Test("mov r = psr reads bits 31:0 and 36:35") func readsPSR() throws {
    let psr = PSR.ic | PSR.up | PSR.mfh | PSR.mc | PSR.pp | PSR.bn | PSR.dfl | PSR.si
    let machine = try TestMachine("mov r4=psr ;;", psr: psr)
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == psr & ~PSR.bn)
    let translated = try TestMachine("mov r4=psr ;;", psr: PSR.it | PSR.dt | PSR.rt)
    translated.mapMemory()
    #expect(translated.run() == .done)
    #expect(translated[gr: 4] == PSR.it | PSR.dt | PSR.rt)
  }

  @Test("mov psr.l writes bits 31:0 and ignores the others") func writesLower() throws {
    let machine = try TestMachine("mov psr.l=r4 ;;", psr: PSR.ic | PSR.mc | PSR.bn | PSR.pp)
    machine[gr: 4] = PSR.dfh | PSR.up | PSR.si | PSR.lp | PSR.sp | PSR.di | PSR.dfl | PSR.ac | PSR.mfl | 3 << 32 | PSR.is | PSR.it
    #expect(machine.run() == .done)
    #expect(machine.psr == machine[gr: 4] & 0xFFFF_FFFF | PSR.mc | PSR.bn)
  }

  @Test("Each reserved bit of PSR{31:0} in mov psr.l is a Reserved Register/Field fault") func reservedLower() throws {
    for bit in 0..<32 as Range<UInt64> where Self.reserved >> bit & 1 != 0 {
      let machine = try TestMachine("mov psr.l=r4 ;;")
      machine[gr: 4] = PSR.ic | 1 << bit
      #expect(machine.run() == .interruption(.generalException), "bit \(bit)")
      #expect(machine.interruption.isr == 0x30)
      #expect(machine.interruption.ipsr == PSR.ic)
    }
  }

  @Test("ssm and rsm reach bits 23:0; reserved ones fault") func systemMask() throws {
    for bit in 0..<24 as Range<UInt64> {
      let mask = UInt64(1) << bit
      if Self.reserved & mask != 0 {
        for name in ["ssm", "rsm"] {
          let machine = try TestMachine("\(name) 0x\(String(mask, radix: 16)) ;;")
          #expect(machine.run() == .interruption(.generalException), "\(name) bit \(bit)")
          #expect(machine.interruption.isr == 0x30)
        }
        continue
      }
      // Translation of data would need a mapping; the bit is looked at, nothing refers to data.
      let set = try TestMachine("ssm 0x\(String(mask, radix: 16)) ;;", psr: PSR.mc)
      #expect(set.run() == .done)
      #expect(set.psr == PSR.mc | mask)
      let clear = try TestMachine("rsm 0x\(String(mask, radix: 16)) ;;", psr: PSR.mc | mask | PSR.up)
      #expect(clear.run() == .done)
      #expect(clear.psr == (PSR.mc | PSR.up) & ~mask)
    }
  }

  @Test("sum and rum reach the user mask at every level; other bits are reserved") func userMask() throws {
    for level in [0, 3] as [UInt64] {
      for bit in 0..<24 as Range<UInt64> {
        let mask = UInt64(1) << bit
        let legal = 0x3E & mask != 0
        let set = try TestMachine("sum 0x\(String(mask, radix: 16)) ;;", psr: PSR.ic | level << PSR.cplShift)
        #expect(set.run() == (legal ? .done : .interruption(.generalException)), "sum bit \(bit)")
        if legal {
          #expect(set.psr == PSR.ic | level << PSR.cplShift | mask)
        } else {
          #expect(set.interruption.isr == 0x30)
        }
        let clear = try TestMachine("rum 0x\(String(mask, radix: 16)) ;;", psr: PSR.ic | 0x3E | level << PSR.cplShift)
        #expect(clear.run() == (legal ? .done : .interruption(.generalException)), "rum bit \(bit)")
        if legal { #expect(clear.psr == (PSR.ic | 0x3E | level << PSR.cplShift) & ~mask) }
      }
    }
  }

  @Test("mov psr.um: bits 5:1; anything else in the register is a Reserved Register/Field fault") func movesUserMask() throws {
    let machine = try TestMachine("mov psr.um=r4 ;;\nmov r5=psr.um ;;", psr: PSR.ic | PSR.up | PSR.pp)
    machine[gr: 4] = PSR.ac | PSR.mfl | PSR.mfh
    #expect(machine.run() == .done)
    #expect(machine[gr: 5] == PSR.ac | PSR.mfl | PSR.mfh)
    #expect(machine.psr == PSR.ic | PSR.pp | PSR.ac | PSR.mfl | PSR.mfh)
    for bit in 0..<64 as Range<UInt64> where 0x3E >> bit & 1 == 0 {
      let machine = try TestMachine("mov psr.um=r4 ;;")
      machine[gr: 4] = 1 << bit
      #expect(machine.run() == .interruption(.generalException), "bit \(bit)")
      #expect(machine.interruption.isr == 0x30)
    }
  }

  @Test("With PSR.sp = 1 PSR.up is not the user's to change") func securePerformance() throws {
    for (text, psr) in [("sum 4", 0), ("rum 4", PSR.up), ("mov psr.um=r0", PSR.up), ("mov psr.um=r4", 0)] as [(String, UInt64)] {
      let machine = try TestMachine("\(text) ;;", psr: PSR.ic | PSR.sp | psr)
      machine[gr: 4] = 4
      #expect(machine.run() == .done)
      #expect(machine.psr & PSR.up == psr, "\(text)")
      let free = try TestMachine("\(text) ;;", psr: PSR.ic | psr)
      free[gr: 4] = 4
      #expect(free.run() == .done)
      #expect(free.psr & PSR.up == psr ^ PSR.up, "\(text)")
    }
  }

  @Test("bsw.0 and bsw.1 switch GR16...GR31 and their NaT bits; others stay") func bankSwitch() throws {
    let machine = try TestMachine("bsw.1 ;;\nmov r4=r20\nbsw.1 ;;\nbsw.0 ;;\nmov r5=r20 ;;\nmov r6=r15 ;;")
    machine.each {
      $0.state.gr[15] = 15
      $0.state.gr[20] = 0xB0
      $0.state.otherBank[4] = 0xB1
      $0.state.pointee.otherBankNaT = 1 << 15
    }
    #expect(machine.run() == .done)
    #expect([4, 5, 6].map { machine[gr: $0] } == [0xB1, 0xB0, 15])
    #expect(machine.psr & PSR.bn == 0)
    #expect(machine.state.pointee.otherBankNaT == 1 << 15)
  }

  @Test("PSR.be takes effect at once for sum, behind srlz.d for ssm") func bigEndian() throws {
    let machine = try TestMachine("sum 2 ;;\nld8 r4=[r5]\nrum 2 ;;\nld8 r6=[r5]\nssm 2 ;;\nsrlz.d ;;\nst2 [r7]=r8 ;;")
    machine[gr: 5] = TestMachine.data
    machine[gr: 7] = TestMachine.data + 8
    machine[gr: 8] = 0x1234
    machine.store(TestMachine.data, UInt64(0x0102_0304_0506_0708))
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 0x0807_0605_0403_0201)
    #expect(machine[gr: 6] == 0x0102_0304_0506_0708)
    #expect(machine.load(TestMachine.data + 8) == 0x3412)
  }

  @Test("mfl and mfh are set by writes to their registers, a NaTVal included, and never cleared by hardware") func modifiedBits()
    throws
  {
    for (text, bits) in [
      ("fma.s0 f4=f1,f1,f0", PSR.mfl), ("fma.s0 f40=f1,f1,f0", PSR.mfh), ("setf.sig f31=r0", PSR.mfl), ("setf.exp f32=r0", PSR.mfh),
      ("ldfd f127=[r5]", PSR.mfh), ("ldf.fill f2=[r5]", PSR.mfl), ("xma.l f33=f1,f1,f0", PSR.mfh), ("frcpa f40,p6=f1,f1", PSR.mfh),
      ("ldfs.s f4=[r6]", PSR.mfl), ("fcvt.xf f5=f1", PSR.mfl), ("fmerge.s f50=f1,f1", PSR.mfh), ("fcmp.eq p6,p7=f1,f0", 0),
      ("stfd [r5]=f1", 0), ("setf.d f60=r7", PSR.mfh), ("fpmerge.s f20=f1,f1", PSR.mfl),
    ] as [(String, UInt64)] {
      let machine = try TestMachine("\(text) ;;")
      machine[gr: 5] = TestMachine.data
      machine[nat: 6] = true
      machine[nat: 7] = true
      #expect(machine.run() == .done)
      #expect(machine.psr == PSR.ic | bits, "\(text)")
    }
  }
}
