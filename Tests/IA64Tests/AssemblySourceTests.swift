import IA64
import TestSupport
import Testing

/// Sources of several bundles: labels, stops, templates, abbreviations, and what is wrong in them.
@Suite("Assembly sources")
struct AssemblySourceTests {
  /// One instruction of every kind of operand, the abbreviations, and labels before and behind.
  private static let source = """
    start:                               // the entry
    { .mii
      alloc r35=ar.pfs,2,6,3,8
      mov r34=rp ;;
      add r36=24,sp
    }
    { .mlx
      mov ar.unat=r14
      (p6) movl gp=0x8000000000001234 ;; }
    back:
    { .mmi
      ld8.acq r14=[r15],-256 ;;
      st4.rel [r16]=r14
      mov ar.lc=r14
    }
    { .mfi
      lfetch.fault.excl.nta [r17],r18
      (p63) fma.d.s2 f127=f2,f3,f4
      tbit.nz.or.andcm p1,p2=r3,63
    }
    { .mib
      chk.s r3,ahead
      (p7) extr.u ret0=r9,17,40
      br.cloop.sptk.many back ;;
    }
    { .mbb
      nop 5
      (p8) br.cond.dpnt ahead
      br.call.sptk.many rp=start
    }
    { .mfb
      fetchadd8.acq r3=[r4],-16
      fcmp.ge.unc.s1 p9,p10=f8,f9
      brp.loop.imp back,ahead
    }
    ahead:
    { .mmf
      mov cr.iip=r7
      mov r8=rr[r9]
      break 0x1fffff ;; }
    { .mlx
      hint 1
      brl.call.sptk.few b6=ahead ;;
    }
    { .bbb
      br.ret.sptk.many b0
      nop.b 0
      rfi ;;
    }
    """

  @Test("GNU's assembler makes the same bundles", .needsBinutils)
  func againstGNU() throws {
    let ours = try Assembler.assemble(AssemblySourceTests.source)
    let theirs = try GNUTools.assemble(AssemblySourceTests.source)
    #expect(theirs.count == 16 * ours.count)
    for (index, bundle) in ours.enumerated() where theirs.count >= 16 * index + 16 {
      let expected = Bundle(theirs[...], at: 16 * index)
      #expect(bundle == expected, "\(Disassembler().lines(of: bundle, at: 16 * UInt64(index)))")
    }
  }

  @Test("labels are addresses, known names too")
  func labels() throws {
    let program = try Assembler.program(AssemblySourceTests.source, at: 0x1000)
    #expect(program.labels == ["start": 0x1000, "back": 0x1020, "ahead": 0x1070])
    let call = try Assembler.assemble(
      "movl r1=table+8\nbr.call.sptk.many b0=service ;;",
      symbols: [
        "table": 0xffff_0000_0000_0000, "service": 0x40,
      ])
    let disassembler = Disassembler()
    #expect(disassembler.text(of: 1, in: call[0], at: 0) == "movl r1=0xffff000000000008")
    #expect(disassembler.text(of: 2, in: call[1], at: 16) == "br.call.sptk.many b0=0x40;;")
  }

  /// An instruction on its own gets a bundle of its own.
  @Test(
    "instructions outside bundles",
    arguments: [
      ("ld8 r1=[r2] ;;", "mii", ["ld8 r1=[r2]", "nop.i 0", "nop.i 0 ;;"]),
      ("add r1=r2,r3", "mii", ["add r1=r2,r3", "nop.i 0", "nop.i 0"]),
      ("shl r1=r2,r3 ;;", "mii", ["nop.m 0", "shl r1=r2,r3", "nop.i 0 ;;"]),
      ("mov ar.lc=r3", "mii", ["nop.m 0", "mov.i ar.lc=r3", "nop.i 0"]),
      ("fmpy.s1 f6=f7,f8", "mfi", ["nop.m 0", "fmpy.s1 f6=f7,f8", "nop.i 0"]),
      ("br.ret.sptk.few b0 ;;", "mib", ["nop.m 0", "nop.i 0", "br.ret.sptk.few b0 ;;"]),
      ("(p2) movl r4=5 ;;", "mlx", ["nop.m 0", "(p2) movl r4=5 ;;"]),
    ])
  func loose(_ text: String, _ template: String, _ instructions: [String]) throws {
    #expect(try Assembler.assemble(text) == [Assembler.bundle(template, instructions)])
  }

  @Test(
    "mistakes are named with their line",
    arguments: [
      ("nop.m 0\nfrobnicate r1", 2, AssemblyError.Reason.unknownMnemonic("frobnicate")),
      ("{ .mii\nnop.m 0\nnop.i 0\n}", 1, .wrongNumberOfInstructions(expected: 3, found: 2)),
      ("{ .mix\nnop.m 0\nnop.i 0\nnop.i 0\n}", 1, .unknownTemplate("mix")),
      ("{ .mib\nnop.m 0 ;;\nnop.i 0\nnop.b 0\n}", 1, .impossibleStop("mib")),
      ("{ .mii\nshl r1=r2,r3\nnop.i 0\nnop.i 0\n}", 1, .wrongUnit("shl", .m)),
      ("add r1=r2,r128", 1, .badOperands("add r1=r2,r128")),
      ("adds r1=8192,r2", 1, .badOperands("adds r1=8192,r2")),
      ("br.cond.sptk.few 8", 1, .badOperands("br.cond.sptk.few 8")),
      ("br.cond.sptk.few nowhere", 1, .badOperands("br.cond.sptk.few nowhere")),
      ("br.cond.sptk.few 0x1000000", 1, .badOperands("br.cond.sptk.few 0x1000000")),
      ("cmp.ltu p1,p2=128,r3", 1, .badOperands("cmp.ltu p1,p2=128,r3")),
      ("cmp.leu p1,p2=0,r3", 1, .badOperands("cmp.leu p1,p2=0,r3")),
      ("shladd r1=r2,5,r3", 1, .badOperands("shladd r1=r2,5,r3")),
      ("fetchadd4.acq r1=[r2],2", 1, .badOperands("fetchadd4.acq r1=[r2],2")),
      ("(p64) nop.m 0", 1, .badPredicate("(p64) nop.m 0")),
      ("(p1) alloc r1=ar.pfs,0,0,0,0", 1, .notPredicable("(p1) alloc r1=ar.pfs,0,0,0,0")),
      ("a:\na: nop.m 0", 2, .duplicateLabel("a")),
      ("}", 1, .unbalancedBraces), (";;", 1, .misplaced(";;")), (".mii", 1, .misplaced(".mii")),
    ])
  func mistakes(_ source: String, _ line: Int, _ reason: AssemblyError.Reason) {
    #expect(throws: AssemblyError(reason, line: line)) { try Assembler.assemble(source) }
  }

  @Test("a bundle that is not closed")
  func open() {
    #expect(throws: AssemblyError(.unbalancedBraces)) { try Assembler.assemble("{ .mii\nnop.m 0") }
  }
}
