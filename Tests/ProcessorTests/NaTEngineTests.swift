import Arithmetic
import IA64
import Processor
import Testing

/// NaT bits switch the engine from blocks to steps and back (Documentation/Engine.md); the program must not notice.
@Suite("NaT bits and the engine")
struct NaTEngineTests {
  @Test("A predicated-off setf as the first user of a NaT does nothing; predicated on it makes a NaTVal") func predicatedSetf()
    throws
  {
    for (taken, form) in [(false, "sig"), (true, "sig"), (false, "d"), (true, "d"), (false, "exp"), (true, "s")] {
      let machine = try TestMachine(
        """
        ld8.fill r8=[r5] ;;
        { .mfi
          (p6) setf.\(form) f6=r8
          nop 0
          adds r9=1,r0 ;;
        }
        getf.sig r10=f6 ;;
        """)
      machine[gr: 5] = TestMachine.data
      machine[ar: AR.unat] = 1
      machine[fr: 6] = FloatRegister(significand: 7, signExponent: 0x1003E)
      machine[pr: 6] = taken
      #expect(machine.run() == .done)
      #expect(machine[nat: 8])
      #expect(machine[fr: 6] == (taken ? .natVal : FloatRegister(significand: 7, signExponent: 0x1003E)))
      #expect(machine[nat: 10] == taken)
      #expect(machine[gr: 9] == 1)
      #expect(machine.psr & PSR.mfl == (taken ? PSR.mfl : 0))
    }
  }

  @Test("lfetch.fault with a NaT address inside a fault handler: NaT consumption with ni, nothing else collected")
  func lfetchInHandler() throws {
    let machine = try TestMachine("break.m 1", handlers: [.breakInstruction: "ld8.s r20=[r21] ;;\nlfetch.fault [r20] ;;"])
    machine.each {
      // A NaT address is deferred always: r20 gets its NaT from it.
      $0.state.setNaT(21, true)
    }
    machine.each { $0.state.cr[CR.ifa] = DeliveredInterruption.unwritten }
    #expect(machine.run() == .interruption(.natConsumption))
    let offset = TestMachine.handlers + 0x2C00
    // IIP is still that of the break, ISR that of lfetch.
    #expect(machine.interruption.iip == TestMachine.code)
    #expect(machine.interruption.isr == ISR.na | ISR.r | ISR.ni | 0x14)
    #expect(machine.interruption.ifa == DeliveredInterruption.unwritten)
    #expect(machine.ip == TestMachine.handlers + 0x5600)
    #expect(offset != machine.state.pointee.ip)
  }

  @Test("lfetch with a NaT address only updates its base, which stays NaT") func lfetch() throws {
    let machine = try TestMachine("lfetch [r5],16 ;;\nlfetch [r6],r7 ;;")
    machine[nat: 5] = true
    machine[gr: 5] = 0x100
    machine[nat: 7] = true
    machine[gr: 6] = TestMachine.data
    machine[gr: 7] = 8
    #expect(machine.run() == .done)
    #expect(machine[gr: 5] == 0x110)
    #expect(machine[nat: 5])
    // A NaT increment makes the base NaT.
    #expect(machine[nat: 6])
  }

  @Test(
    "Instructions that a NaT makes something else end in the right slot, with PSR as it was",
    arguments: [
      "cmp.eq p6,p7=r4,r5", "cmp.lt.and p6,p7=r0,r4", "tbit.nz p6,p7=r4,3", "setf.sig f6=r4", "ld8.s r6=[r4]", "ldfd.s f6=[r4]",
      "ldfpd.s f6,f7=[r4]", "lfetch [r4]", "cmp4.eq.unc p6,p7=r4,r0", "cmp.eq.or p6,p7=r4,r5",
    ]) func slots(_ text: String) throws
  {
    for slot in 0..<3 {
      let integer = text.hasPrefix("cmp") || text.hasPrefix("tbit")
      let slots = (0..<3).map { $0 == slot ? text : "adds r\(8 + $0)=1,r0" }
      let template = integer ? "mii" : slot == 1 ? "mmi" : "mii"
      if !integer && slot == 2 || text.hasPrefix("tbit") && slot == 0 { continue }
      let machine = try TestMachine("{ .\(template)\n \(slots.joined(separator: "\n "))\n }\nadds r11=1,r0")
      machine[nat: 4] = true
      machine[pr: 6] = true
      machine[pr: 7] = true
      #expect(machine.run() == .done)
      #expect([8, 9, 10, 11].map { machine[gr: $0] } == (0..<4).map { $0 == slot ? 0 : 1 })
      #expect(machine.psr & ~(PSR.mfl | PSR.mfh) == PSR.ic, "\(text)")
      if integer && !text.contains(".or") { #expect(!machine[pr: 6] && !machine[pr: 7]) }
      if text.contains(".or") { #expect(machine[pr: 6] && machine[pr: 7]) }
    }
  }

  @Test("getf clears the NaT of its target, or sets it for a NaTVal") func getf() throws {
    for form in ["sig", "exp", "s", "d"] {
      let machine = try TestMachine("getf.\(form) r4=f1\ngetf.\(form) r6=f6 ;;")
      machine[nat: 4] = true
      machine[fr: 6] = .natVal
      #expect(machine.run() == .done)
      #expect(!machine[nat: 4])
      #expect(machine[nat: 6])
    }
  }

  @Test("A load whose increment is its own target: the base is raised by the old value") func ownIncrement() throws {
    for (text, value) in [
      ("ld8 r4=[r5],r4", 0xF1F2_F3F4_F5F6_F7F8), ("ld2.acq r4=[r5],r4", 0xF7F8), ("ld4.s r4=[r5],r4", 0xF5F6_F7F8),
      ("ld8.fill r4=[r5],r4", 0xF1F2_F3F4_F5F6_F7F8),
      ("ld1.a r4=[r5],r4", 0xF8),
    ] as [(String, UInt64)] {
      for nat in [false, true] {
        let machine = try TestMachine("\(text) ;;")
        machine[gr: 4] = 24
        machine[nat: 4] = nat
        machine[gr: 5] = TestMachine.data
        machine.store(TestMachine.data, UInt64(0xF1F2_F3F4_F5F6_F7F8))
        #expect(machine.run() == .done)
        #expect(machine[gr: 4] == value, "\(text)")
        #expect(machine[gr: 5] == TestMachine.data + 24, "\(text)")
        #expect(machine[nat: 5] == nat, "\(text)")
        #expect(!machine[nat: 4])
      }
    }
  }
}
