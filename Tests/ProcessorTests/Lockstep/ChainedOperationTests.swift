import IA64
import Processor
import Testing

/// Interrupts in the middle of what the engine fuses or chains: the processor is stopped as soon as it can be, again and again, and the
/// interval timer interrupts at every distance. State and time must be those of single steps.
@Suite("Fused and chained operations")
struct ChainedOperationTests {
  private static let loops: [(name: String, source: String)] = [
    (
      "compare and branch",
      "adds r8=20,r0 ;;\nloop:\nadds r8=-1,r8 ;;\ncmp.ne p6,p7=r0,r8\n(p06) br.cond.sptk.few loop ;;"
    ),
    (
      "bit test and branch",
      "adds r8=64,r0 ;;\nloop:\nadds r8=-1,r8 ;;\ntbit.z p6,p7=r8,5\n(p07) br.cond.sptk.few loop ;;"
    ),
    (
      "references and updates",
      """
      adds r8=20,r0 ;;
      loop:
      ld8 r9=[r5],8
      ld4 r10=[r6],-4 ;;
      st8 [r4]=r9,16
      st1 [r7]=r10,1
      ldfd f6=[r5],8 ;;
      stfd [r4]=f6,-8
      ldf.fill f7=[r3],16
      stf.spill [r2]=f6,16
      adds r8=-1,r8 ;;
      cmp4.lt p6,p7=r0,r8
      (p06) br.cond.sptk.few loop ;;
      """
    ),
    (
      "references and additions to their bases",
      """
      adds r8=20,r0 ;;
      loop:
      ld8 r9=[r5]
      adds r5=400,r5 ;;
      ld4 r6=[r6]
      adds r6=8,r6 ;;
      add r11=r11,r6
      adds r6=16,r5
      st8 [r4]=r9
      adds r4=-8,r4
      ldfd f6=[r5]
      adds r5=-392,r5 ;;
      (p0) stfd [r4]=f6
      (p7) adds r4=8,r4
      adds r8=-1,r8 ;;
      cmp4.lt p6,p7=r0,r8
      (p06) br.cond.sptk.few loop ;;
      """
    ),
    (
      "doubles",
      """
      adds r8=20,r0 ;;
      setf.sig f9=r8
      mov f10=f0 ;;
      fcvt.xf f9=f9 ;;
      fnorm.d.s0 f9=f9 ;;
      stfd [r5]=f9
      stfd [r6]=f1 ;;
      loop:
      ldfd f6=[r5]
      ldfd f40=[r6] ;;
      fma.d.s0 f10=f6,f40,f10 ;;
      fnma.d.s0 f7=f10,f40,f6
      fms.d.s0 f41=f10,f6,f40 ;;
      fma.s1 f8=f7,f41,f10
      fmpy.d.s0 f10=f10,f9 ;;
      stfd [r4]=f10
      stf.spill [r2]=f41,16
      adds r8=-1,r8 ;;
      cmp4.lt p6,p7=r0,r8
      (p06) br.cond.sptk.few loop ;;
      """
    ),
    (
      "divisions",
      """
      adds r8=20,r0
      movl r9=0x9804c8270033f ;;
      mov ar.fpsr=r9 ;;
      loop:
      setf.sig f6=r5
      setf.sig f7=r8 ;;
      fnorm.s1 f6=f6
      fnorm.s1 f7=f7 ;;
      frcpa.s1 f10,p8=f6,f7 ;;
      (p8) fnma.s1 f11=f7,f10,f1
      (p8) fmpy.s1 f12=f6,f10 ;;
      (p8) fmpy.s1 f13=f11,f11
      (p8) fma.s1 f12=f11,f12,f12
      (p8) adds r9=1,r9 ;;
      (p8) fma.s1 f10=f11,f10,f10
      (p8) fma.s1 f11=f13,f12,f12 ;;
      (p8) fma.s1 f10=f13,f10,f10
      (p8) fnma.s1 f12=f7,f11,f6
      setf.sig f6=r9 ;;
      (p8) fma.s1 f10=f12,f10,f11 ;;
      fcvt.fxu.trunc.s1 f10=f10 ;;
      getf.sig r10=f10
      stf.spill [r2]=f11,16
      adds r8=-1,r8 ;;
      add r5=r5,r10
      cmp4.lt p6,p7=r0,r8
      (p06) br.cond.sptk.few loop ;;
      """
    ),
    ("counted loop", "adds r8=20,r0 ;;\nmov ar.lc=r8 ;;\nloop:\nadds r9=1,r9\nbr.cloop.sptk.few loop ;;"),
    (
      "pipelined loop",
      """
      adds r8=20,r0
      adds r9=4,r0 ;;
      mov ar.lc=r8
      mov ar.ec=r9
      mov pr.rot=0x10000
      alloc r10=ar.pfs,0,16,0,16 ;;
      loop:
      (p16) adds r32=1,r33
      (p17) add r11=r34,r11
      (p18) fma.d.s0 f32=f33,f34,f6
      br.ctop.sptk.few loop ;;
      clrrrb ;;
      """
    ),
    (
      "calls and returns",
      """
      adds r8=12,r0
      mov b2=r21 ;;
      br.call.sptk.few b0=down ;;
      br.cond.sptk.few done ;;
      down:
      alloc r32=ar.pfs,0,3,0,0
      mov r33=b0
      cmp.eq p6,p7=r0,r8
      (p06) br.cond.sptk.few back ;;
      adds r8=-1,r8
      br.call.sptk.few b0=down ;;
      back:
      mov b0=r33
      mov ar.pfs=r32
      adds r9=1,r9
      br.ret.sptk.few b0 ;;
      """
    ),
    (
      "chain",
      "adds r8=20,r0 ;;\none:\nadds r8=-1,r8\nbr.few two ;;\ntwo:\ncmp.lt p6,p7=r0,r8\nbr.few three ;;\nthree:\n(p06) br.cond.sptk.few one ;;"
    ),
  ]

  /// The addition is not executed if the reference in front of it faults.
  @Test func updateBehindAFault() throws {
    let machine = try TestMachine("ld8 r9=[r5]\nadds r5=400,r5 ;;\nst8 [r6]=r9\nadds r6=400,r6 ;;")
    machine.mapMemory()
    machine.psr = PSR.ic | PSR.bn | PSR.dt
    machine[gr: 5] = TestMachine.data
    machine[gr: 6] = 0x7000_0000
    #expect(machine.run() == .interruption(.alternateDataTLB))
    #expect(machine[gr: 5] == TestMachine.data + 400 && machine[gr: 6] == 0x7000_0000)
  }

  @Test(arguments: loops.map(\.name)) func interruptedEverywhere(_ name: String) throws {
    let loop = try #require(Self.loops.first { $0.name == name })
    for specialisations in [Specialisations.all, []] {
      for distance in 1...60 as ClosedRange<UInt64> {
        let machine = try TestMachine(loop.source, handlers: LockstepHandlers.all)
        let (blocks, steps) = (machine.blocks, machine.steps)
        blocks.specialisations = specialisations
        machine.mapMemory()
        machine.psr = PSR.ic | PSR.bn | PSR.i
        for n in 2...7 { machine[gr: n] = TestMachine.data + UInt64(n) * 0x1000 }
        for n in 0..<0x800 { machine.store(TestMachine.data + 0x2000 + UInt64(n) * 8, UInt64(n) &* 0x1234_5678_9ABC) }
        machine[cr: CR.itv] = 0x41
        machine[cr: CR.itm] = distance
        machine[ar: AR.itc] = 0
        var turns = 0
        while blocks.state.pointee.ip != machine.doneAddress && turns < 2_000 {
          turns += 1
          // No later than the next boundary; every fourth run goes as far as it can.
          let deadline = blocks.state.cycles + (distance % 4 == 0 ? 50 : 1)
          let reason = blocks.turn(.chain, until: deadline)
          _ = steps.turn(.steps(blocks.goal(after: reason)), until: deadline)
          if let difference = blocks.difference(from: steps) {
            Issue.record("\(name), timer after \(distance), turn \(turns): \(difference)")
            return
          }
        }
        #expect(turns < 2_000, "\(name) does not end")
        #expect(blocks.interruptionCount > 0 || distance > 10)
      }
    }
  }
}
