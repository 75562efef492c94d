import Processor
import TestSupport
import Testing

/// B1, B3...B7, X1...X5, M20, I20: branches, calls, returns, hints, speculation checks (Volume 3, pages br, brl, brp, chk, hint, nop).
@Suite("Branches", .ends(withinMinutes: 5))
struct BranchTests {
  /// Runs `branch` with two landing places: r4 says where it went.
  private func destination(
    _ branch: String, template: String = "mib", _ prepare: (TestMachine) -> Void = { _ in },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> (machine: TestMachine, r4: UInt64) {
    let before = template == "mlx" ? "nop 0" : "nop 0\n nop 0"
    let machine = try TestMachine(
      "{ .\(template)\n \(before)\n \(branch) ;;\n }\nadds r4=1,r0 ;;\nbr.cond.sptk done ;;\ntaken: adds r4=2,r0 ;;\n"
        + "done: { .bbb\n br.cond.sptk done\n nop 0\n nop 0\n }", sourceLocation: sourceLocation)
    prepare(machine)
    #expect(machine.run() == .done, "\(branch)", sourceLocation: sourceLocation)
    return (machine, machine[gr: 4])
  }

  @Test func conditional() throws {
    for (text, template) in [
      ("br.cond.sptk.few taken", "mib"), ("br.cond.dpnt.many taken", "bbb"), ("brl.cond.sptk.few taken", "mlx"),
    ] {
      for (qp, value, expected) in [(0, true, 2), (6, true, 2), (6, false, 1)] as [(Int, Bool, UInt64)] {
        let result = try destination((qp == 0 ? "" : "(p06) ") + text, template: template) { $0[pr: 6] = value }
        #expect(result.r4 == expected, "\(text) qp \(qp) \(value)")
      }
    }
  }

  /// The low four bits of an indirect target are ignored.
  @Test func indirect() throws {
    for qp in [true, false] {
      let result = try destination("(p06) br.cond.sptk.few b6") {
        $0[br: 6] = TestMachine.code + 48 + 15
        $0[pr: 6] = qp
      }
      #expect(result.r4 == (qp ? 2 : 1))
    }
  }

  @Test func hintsDoNothing() throws {
    let texts = [
      "brp.sptk 0x100030,0x100000", "brp.loop.imp 0x100030,0x100000", "brp.sptk b6,0x100000", "brp.ret.sptk b6,0x100000",
      "nop.b 0x1FFFFF",
      "hint.b 0x1",
    ]
    for text in texts {
      let result = try destination(text)
      #expect(result.r4 == 1, "\(text)")
    }
    let machine = try TestMachine("nop.m 5\nnop.i 7\nnop.f 9\nnop.x 0x123456789\nhint.m 0\nhint.i 1\nhint.f 2\nhint.x 3\n")
    machine[gr: 4] = 77
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == 77)
  }

  /// b1 gets the next bundle, PFS the frame, EC and privilege; the outputs become the new frame.
  @Test func calls() throws {
    let forms = [("br.call.sptk.few b3=taken", "mib"), ("br.call.sptk.few b3=b6", "mib"), ("brl.call.sptk.few b3=taken", "mlx")]
    for (text, template) in forms {
      for level in [0, 3] as [UInt64] {
        let (machine, r4) = try destination(text, template: template) {
          $0.psr = PSR.ic | level << PSR.cplShift
          $0.each { $0.setCFM(40 | 24 << 7 | 1 << 14 | 3 << 18 | 7 << 25 | 9 << 32) }
          $0[br: 6] = TestMachine.code + 48
          $0[ar: AR.ec] = 0x2A
          for n in 32..<72 { $0[gr: n] = UInt64(n) }
        }
        #expect(r4 == 2, "\(text)")
        #expect(machine[br: 3] == TestMachine.code + 16, "\(text)")
        let frame: UInt64 = 40 | 24 << 7 | 1 << 14 | 3 << 18 | 7 << 25 | 9 << 32
        #expect(machine[ar: AR.pfs] == frame | 0x2A << 52 | level << 62, "\(text)")
        #expect(machine.blocks.cfm == 16, "\(text)")
        for n in 0..<16 { #expect(machine[gr: 32 + n] == UInt64(56 + n), "\(text), r\(32 + n)") }
      }
    }
    let result = try destination("(p06) br.call.sptk.few b3=taken") { $0[br: 3] = 99 }
    #expect(result.r4 == 1)
    #expect(result.machine[br: 3] == 99)
  }

  /// A return restores the frame, EC, and a lower privilege from PFS.
  @Test func returns() throws {
    let machine = try TestMachine(
      """
      br.call.sptk.few b3=routine ;;
      br.cond.sptk.few done ;;
      routine: alloc r36=ar.pfs,0,8,4,8 ;;
      adds r32=5,r32
      adds r40=6,r0
      mov.i ar.ec=7 ;;
      br.ret.sptk.few b3 ;;
      done: { .bbb
        br.cond.sptk done
        nop 0
        nop 0
      }
      """)
    machine.each { $0.setCFM(20 | 10 << 7 | 1 << 14 | 2 << 18) }
    for n in 32..<52 { machine[gr: n] = UInt64(n) }
    machine[nat: 33] = true
    machine[ar: AR.ec] = 0x15
    #expect(machine.run() == .done)
    #expect(machine.blocks.cfm == 20 | 10 << 7 | 1 << 14 | 2 << 18)
    #expect(machine[ar: AR.ec] == 0x15)
    // Locals are as before; the first output is what the routine made of its r32.
    for n in 32..<52 where n != 42 && n != 46 && n != 50 { #expect(machine[gr: n] == UInt64(n), "r\(n)") }
    #expect(machine[nat: 33])
    #expect(machine[gr: 42] == 47)
    #expect(machine[gr: 50] == 6)
  }

  @Test func returnToLowerPrivilege() throws {
    for (level, pfs, expected) in [(0, 3, 3), (0, 0, 0), (2, 0, 2), (1, 2, 2)] as [(UInt64, UInt64, UInt64)] {
      let (machine, r4) = try destination("br.ret.sptk.few b6") {
        $0.psr = PSR.ic | level << PSR.cplShift
        $0[br: 6] = TestMachine.code + 48
        $0[ar: AR.pfs] = pfs << 62 | 16 | 0x11 << 52
      }
      #expect(r4 == 2)
      #expect(PSR.cpl(machine.psr) == expected)
      #expect(machine[ar: AR.ec] == 0x11)
      #expect(machine.blocks.cfm == 16)
    }
  }

  /// chk.s goes to the recovery code if its register holds a NaT, or NaTVal.
  @Test func speculationChecks() throws {
    for text in ["chk.s.m r5,taken", "chk.s.i r5,taken", "chk.s f5,taken"] {
      for (nat, qp) in [(true, true), (false, true), (true, false)] {
        let slots = text.contains(".i") ? "nop 0\n (p06) \(text)\n nop.b 0" : "(p06) \(text)\n nop 0\n nop.b 0"
        let machine = try TestMachine(
          "{ .mib\n \(slots) ;;\n }\nadds r4=1,r0 ;;\nbr.cond.sptk done ;;\ntaken: adds r4=2,r0 ;;\n"
            + "done: { .bbb\n br.cond.sptk done\n nop 0\n nop 0\n }")
        machine[nat: 5] = nat && text.contains("r5")
        if nat { machine[fr: 5] = .natVal }
        machine[pr: 6] = qp
        #expect(machine.run() == .done, "\(text)")
        #expect(machine[gr: 4] == (nat && qp ? 2 : 1), "\(text) NaT \(nat) qp \(qp)")
      }
    }
  }

  /// Several branches in one bundle: the first that is taken goes.
  @Test func threeBranches() throws {
    for first in 0..<3 {
      let machine = try TestMachine(
        """
        { .bbb
          (p06) br.cond.sptk.few one
          (p07) br.cond.sptk.few two
          (p08) br.cond.sptk.few three
        }
        one: adds r4=1,r4 ;;
        two: adds r4=2,r4 ;;
        three: adds r4=4,r4 ;;
        """)
      machine[gr: 4] = 0
      for n in 0..<3 { machine[pr: 6 + n] = n >= first }
      #expect(machine.run() == .done)
      #expect(machine[gr: 4] == [7, 6, 4][first])
    }
  }
}
