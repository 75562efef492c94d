import Processor
import Testing

/// What software may do to the register stack, and when: Volume 2, sections 6.5 and 6.7; Volume 3, mov ar, loadrs, alloc, br.
@Suite("Register stack rules")
struct RegisterStackRulesTests {
  private func outcome(_ text: String, rsc: UInt64 = 0, psr: UInt64 = PSR.ic, _ arrange: (TestMachine) -> Void = { _ in }) throws
    -> (TestMachine, TestMachine.Outcome)
  {
    let machine = try TestMachine("\(text) ;;", psr: psr)
    machine.each { $0.state.ar[AR.rsc] = rsc }
    machine[gr: 5] = 0
    arrange(machine)
    return (machine, machine.run())
  }

  /// AR.BSPSTORE and AR.RNAT can be touched in enforced lazy mode only; AR.BSP can be read in every mode and never be written.
  @Test(arguments: [0, 1, 2, 3] as [UInt64]) func modes(_ mode: UInt64) throws {
    for text in ["mov r4=ar.bspstore", "mov r4=ar.rnat", "mov ar.bspstore=r5", "mov ar.rnat=r5", "loadrs"] {
      let (machine, result) = try outcome(text, rsc: mode)
      #expect(result == (mode == 0 ? .done : .interruption(.generalException)), "\(text)")
      if mode != 0 { #expect(machine.interruption.code == 0) }
    }
    let (machine, result) = try outcome("mov r4=ar.bsp", rsc: mode)
    #expect(result == .done)
    #expect(machine[gr: 4] == TestMachine.backingStore)
    #expect(try outcome("mov ar.bsp=r5", rsc: mode).1 == .interruption(.generalException))
    #expect(try outcome("flushrs", rsc: mode).1 == .done)
    #expect(try outcome("{ .bbb\n cover\n nop 0\n nop 0\n }", rsc: mode).1 == .done)
  }

  /// RSC: bits 63:30 and 15:5 are reserved; the privilege level cannot become higher than the current one (Volume 1, section 3.1.8.2).
  @Test func configuration() throws {
    for bit in 0..<64 as Range<UInt64> {
      let reserved = (5...15).contains(bit) || bit >= 30
      let (machine, result) = try outcome("mov ar.rsc=r6 ;;\nmov r4=ar.rsc") { $0[gr: 6] = 1 << bit }
      #expect(result == (reserved ? .interruption(.generalException) : .done), "bit \(bit)")
      if reserved { #expect(machine.interruption.code == 0x30) } else { #expect(machine[gr: 4] == 1 << bit) }
    }
    for level in 0...3 as ClosedRange<UInt64> {
      for wanted in 0...3 as ClosedRange<UInt64> {
        let (machine, result) = try outcome("mov ar.rsc=r6 ;;\nmov r4=ar.rsc", psr: PSR.ic | TestMachine.level(level)) {
          $0[gr: 6] = 0x10_0013 | wanted << 2
        }
        #expect(result == .done)
        #expect(machine[gr: 4] == 0x10_0013 | max(level, wanted) << 2)
      }
    }
  }

  /// loadrs: Illegal Operation with both a frame and a size, and for more than fits into the physical file (Volume 3, loadrs).
  @Test func loadrsLimits() throws {
    let frame = "alloc r4=ar.pfs,0,0,0,0 ;;\n"
    // From 0x300000 on 96 registers and their collections are 97 words; the 14 bits reach further.
    let (_, plain) = try outcome("loadrs", rsc: 0)
    #expect(plain == .done)
    #expect(try outcome("loadrs", rsc: 8 << 16).1 == .interruption(.generalException))
    #expect(try outcome(frame + "loadrs", rsc: 8 << 16).1 == .done)
    // BSP is at slot 0: going down 97 words are registers 62...0 after a collection: 1 + 63 + 1 + 32.
    #expect(try outcome(frame + "loadrs", rsc: 97 * 8 << 16).1 == .done)
    #expect(try outcome(frame + "loadrs", rsc: 98 * 8 << 16).1 == .done, "98 words are 96 registers and two collections")
    #expect(try outcome(frame + "loadrs", rsc: 99 * 8 << 16).1 == .interruption(.generalException))
    #expect(try outcome(frame + "loadrs", rsc: 0x3FFF << 16).1 == .interruption(.generalException))
    // The three low bits are ignored.
    #expect(try outcome(frame + "loadrs", rsc: (98 * 8 + 7) << 16).1 == .done)
  }

  /// After loadrs what lies between the tear point and BSP is in the registers, and dirty: flushed again it comes out as it was.
  @Test func loadrsAtEveryTearPoint() throws {
    let machine = try TestMachine(
      "alloc r4=ar.pfs,0,0,0,0 ;;\nloadrs ;;\nmov r6=ar.bspstore ;;\nmov ar.bspstore=r8 ;;\nflushrs ;;\nmov r7=ar.bsp ;;")
    for words in 0...97 as ClosedRange<UInt64> {
      let bsp = TestMachine.backingStore + 0x800
      for word in 0..<512 as Range<UInt64> { machine.store(TestMachine.backingStore + 8 * word, word &* 0x0101_0101_0101_0101) }
      machine.each { p in
        p.setCFM(0)
        p.state.pointee.bsp = bsp
        p.state.pointee.bspStore = bsp
        p.state.pointee.dirty = 0
        p.state.pointee.clean = 0
        p.state.pointee.rnat = 0
        p.state.ar[AR.rsc] = words * 8 << 16
      }
      let other: UInt64 = TestMachine.data + (bsp - words * 8) & 0x1FF | TestMachine.data
      machine[gr: 8] = other
      machine.restart(psr: PSR.ic)
      #expect(machine.run() == .done)
      #expect(machine[gr: 6] == bsp - words * 8)
      // The same alignment, so the same number of collections.
      #expect(machine[gr: 7] - other == words * 8)
      for word in 0..<words where (other + word * 8) >> 3 & 0x3F != 0x3F {
        #expect(machine.load(other + word * 8) == (256 - words + word) &* 0x0101_0101_0101_0101)
      }
    }
  }

  /// br.call saves CFM, EC and the privilege level; br.ret brings them back, and never raises privilege (Volume 3, br).
  @Test func previousFunctionState() throws {
    for level in 0...3 as ClosedRange<UInt64> {
      for previous in 0...3 as ClosedRange<UInt64> {
        let machine = try TestMachine(
          """
          alloc r4=ar.pfs,2,18,4,16 ;;
          mov ar.ec=r5 ;;
          br.call.sptk.many b6=inner ;;
          back: br.cond.sptk.many done ;;
          inner: mov r6=ar.pfs ;;
          mov ar.ec=r0
          mov ar.pfs=r7 ;;
          br.ret.sptk.many b6 ;;
          done: { .bbb
            br.cond.sptk.many done
            nop 0
            nop 0
          }
          """, psr: PSR.ic | TestMachine.level(level))
        let marker: UInt64 = 24 | 20 << 7 | 2 << 14
        machine[gr: 5] = 0x2A
        machine[gr: 7] = previous << 62 | 0x15 << 52 | marker
        #expect(machine.run() == .done)
        #expect(machine[gr: 6] == level << 62 | 0x2A << 52 | marker)
        #expect(machine.blocks.cfm == marker)
        #expect(machine[ar: AR.ec] == 0x15)
        #expect(PSR.cpl(machine.psr) == max(level, previous))
      }
    }
  }

  /// AR.PFS accepts only what can be a frame: sof <= 96, sol <= sof, rotation inside, reserved bits zero.
  @Test func impossibleFrameMarkers() throws {
    let good: [UInt64] = [0, 96 | 96 << 7 | 12 << 14, 16 | 8 << 7 | 2 << 14 | 15 << 18 | 95 << 25 | 47 << 32, 0x3F << 52, 3 << 62]
    let bad: [UInt64] = [
      97, 127, 8 | 9 << 7, 7 | 1 << 14, 96 | 13 << 14, 8 | 1 << 14 | 8 << 18, 1 << 18, 96 << 25, 48 << 32, 1 << 38, 1 << 51,
      1 << 58, 1 << 61,
    ]
    for (values, fine) in [(good, true), (bad, false)] {
      for value in values {
        let (machine, result) = try outcome("mov ar.pfs=r6 ;;\nmov r4=ar.pfs") { $0[gr: 6] = value }
        #expect(result == (fine ? .done : .interruption(.generalException)), "pfs \(String(value, radix: 16))")
        if fine { #expect(machine[gr: 4] == value) } else { #expect(machine.interruption.code == 0x30) }
      }
    }
    for value in bad where value < 1 << 38 {
      let (_, result) = try outcome("mov cr.ifs=r6", psr: 0) { $0[gr: 6] = value | 1 << 63 }
      #expect(result == .interruption(.generalException), "ifs \(String(value, radix: 16))")
      // Without the valid bit the rest means nothing.
      #expect(try outcome("mov cr.ifs=r6", psr: 0) { $0[gr: 6] = value }.1 == .done)
    }
  }

  /// A return to a frame that does not fit beside the dirty registers gets an empty one instead (section 6.5.5).
  @Test func badPFS() throws {
    let machine = try TestMachine(
      """
      alloc r4=ar.pfs,0,90,0,0 ;;
      br.call.sptk.many b6=inner ;;
      inner: mov ar.pfs=r7
      mov r8=ar.bsp ;;
      br.ret.sptk.many b0 ;;
      """)
    machine[br: 0] = try #require(machine.labels["done"])
    // sol 2, 94 outputs: with 90 dirty registers there is room for 6.
    machine[gr: 7] = 96 | 2 << 7
    #expect(machine.run() == .done)
    #expect(machine.blocks.cfm == 0)
    #expect(machine[ar: AR.bsp] == machine[gr: 8] - 16)
    #expect(machine.state.pointee.dirty == 88)
  }

  /// alloc may not change the rotating part while a rotating base is not zero.
  @Test func allocWithRotation() throws {
    let text = "alloc r4=ar.pfs,0,16,0,8 ;;\nmov ar.lc=1\nmov ar.ec=1 ;;\nbr.ctop.sptk.few next ;;\nnext: alloc r4=ar.pfs,0,16,0,"
    #expect(try outcome(text + "16").1 == .interruption(.generalException))
    #expect(try outcome(text + "16").0.interruption.code == 0x30)
    #expect(try outcome(text + "8").1 == .done)
  }

  /// cover with PSR.ic = 0 writes IFS, with PSR.ic = 1 it does not (Volume 3, cover).
  @Test func coverAndIFS() throws {
    for (psr, expected) in [(PSR.ic, 0x1234), (0, 1 << 63 | 16 | 8 << 7)] as [(UInt64, UInt64)] {
      let (machine, result) = try outcome("{ .bbb\n cover\n nop 0\n nop 0\n }", psr: psr) { $0[cr: CR.ifs] = 0x1234 }
      #expect(result == .done)
      #expect(machine[cr: CR.ifs] == expected)
      #expect(machine.blocks.cfm == 0)
      #expect(machine[ar: AR.bsp] == TestMachine.backingStore + 16 * 8)
    }
  }
}
