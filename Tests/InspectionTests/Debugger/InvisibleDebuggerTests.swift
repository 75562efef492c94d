import Inspection
import Platform
import Processor
import TestSupport
import Testing

/// A guest's course is the same to the cycle whether somebody stops it and looks, or not: the engine itself, without a debugger, is the oracle.
@Suite("A debugger changes nothing", .ends(withinMinutes: 5)) struct InvisibleDebuggerTests {
  /// Loads, stores, calls with register frames, predicates, semaphores, and waiting for each other.
  private static let program = """
    again:
    { .mii
      fetchadd8.acq r8=[r5],1
      adds r9=1,r4 ;;
      and r9=3,r9
    }
    { .mmi
      adds r16=64,r5 ;;
      nop.m 0
      nop.i 0 ;;
    }
    { .mib
      nop.m 0
      nop.i 0
      br.call.sptk.many b0=work ;;
    }
    { .mmi
      st8 [r16]=r20 ;;
      ld8 r21=[r16]
      and r12=7,r8 ;;
    }
    { .mmi
      cmp.eq p6,p7=r12,r4 ;;
      nop.m 0
      (p6) adds r22=1,r22
    }
    { .mib
      nop.m 0
      nop.i 0
      (p7) br.cond.sptk.many again ;;
    }
    { .mib
      hint.m 0
      xor r15=r15,r8
      br.cond.sptk.many again ;;
    }
    work:
    { .mmi
      alloc r32=ar.pfs,0,8,0,0 ;;
      adds r33=3,r8
      mov r34=b0 ;;
    }
    { .mmi
      add r20=r33,r20
      st8 [r16]=r33,8
      mov b0=r34 ;;
    }
    { .mib
      adds r16=-8,r16
      mov ar.pfs=r32
      br.ret.sptk.many b0 ;;
    }
    """

  private static let end: UInt64 = 120_000
  /// Runs end behind a block, and a breakpoint makes blocks shorter: what is compared is where all of them are whole again.
  private static let comparison: UInt64 = end + 6_000

  private enum Meddling: String, CaseIterable {
    case looks, breakpoints, steps, watches, interrupts
  }

  @Test(arguments: [1, 3]) func compares(_ processors: Int) throws {
    let free = try Debuggee.machine(Self.program, processors)
    #expect(free.run(until: Self.comparison) == .limit)
    for meddling in Meddling.allCases {
      let guest = try Debuggee(Self.program, processors: processors)
      var stops = 0
      prepare(guest.debugger, meddling)
      guest.debugger.resume(stepping: meddling == .steps ? 0 : nil)
      while guest.machine.now < Self.end {
        let piece = meddling == .interrupts ? min(Self.end, guest.machine.now + 300) : Self.end
        if guest.machine.run(until: piece) == .limit, piece < Self.end { guest.debugger.interrupt() }
        guard guest.debugger.stop != nil else { continue }
        stops += 1
        look(guest)
        meddle(guest.debugger, meddling, stops)
      }
      // Where the others' turns end, too.
      guest.debugger.removeAll()
      guest.debugger.resume()
      while guest.machine.run(until: Self.comparison) != .limit {}
      for (a, b) in zip(free.processors, guest.machine.processors) {
        #expect(a.difference(from: b) == nil, "\(meddling), \(stops) stops: \(a.difference(from: b) ?? "")")
      }
      #expect(free.memory.contentHash() == guest.machine.memory.contentHash(), "\(meddling)")
      #expect(meddling == .looks || stops > 100, "\(meddling): \(stops) stops")
    }
  }

  private func prepare(_ debugger: Debugger, _ meddling: Meddling) {
    do {
      switch meddling {
      case .looks, .interrupts, .steps: break
      case .breakpoints:
        // In the middle of a block, at its beginning, at a call's return, and where nothing is executed.
        for offset: UInt64 in [0x02, 0x20, 0x41, 0x51, 0x60, 0x200] { try debugger.insertBreakpoint(Debuggee.code + offset) }
      case .watches:
        try debugger.insertWatch(DebugControl.Watch(address: Debuggee.data + 64, length: 8, reads: true, writes: true))
      }
    } catch { Issue.record(error) }
  }

  private func meddle(_ debugger: Debugger, _ meddling: Meddling, _ stops: Int) {
    let processor = debugger.stop?.processor ?? 0
    debugger.resume(stepping: meddling == .steps && stops < 4000 ? processor : nil)
  }

  /// Everything that a front end asks for.
  private func look(_ guest: Debuggee) {
    for index in guest.machine.processors.indices {
      _ = guest.debugger.remoteRegisters(index)
      _ = guest.debugger.read(Debuggee.data, count: 64, index)
    }
    for name in ["tlb", "rse", "alat", "sapic", "translate 200000", "backtrace"] {
      _ = MonitorCommands(guest.debugger).run(name, 0)
    }
  }
}
