import IA64
import TestSupport
import Testing

/// What the decoder makes of an instruction: operation and immediates as the manual's pages and table 4-74 define them.
/// The encodings come from the assembler, which other tests compare with GNU's.
@Suite("Decoder", .ends(withinMinutes: 5))
struct DecoderTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var text: String
    var unit: SlotUnit
    var operation: IA64.Operation
    var immediate: Int64
    var immediate2: Int64
    var length: UInt8

    init(
      _ text: String, _ unit: SlotUnit, _ operation: IA64.Operation, _ immediate: Int64 = 0, second: Int64 = 0,
      length: UInt8 = 0
    ) {
      self.text = text
      self.unit = unit
      self.operation = operation
      self.immediate = immediate
      self.immediate2 = second
      self.length = length
    }

    var testDescription: String { text }
  }

  /// The bundle is at 0x10000: displacements are the targets less that.
  static let cases: [Case] = [
    Case("adds r1=-8192,r2", .m, .addImmediate14, -8192),
    Case("mov r1=r2", .i, .addImmediate14, 0),
    Case("addl r1=-2097152,r3", .m, .addImmediate22, -2_097_152),
    Case("mov r1=2097151", .i, .addImmediate22, 2_097_151),
    Case("sub r1=-128,r2", .m, .subImmediate, -128),
    Case("shladd r1=r2,4,r3", .i, .shladd, second: 4),
    Case("pshladd2 r1=r2,3,r3", .i, .pshladd2, second: 3),
    Case("cmp.lt p1,p2=-128,r3", .m, .compareImmediate, -128),
    Case("cmp.le p1,p2=128,r3", .m, .compareImmediate, 127),
    Case("cmp.gtu p1,p2=1,r3", .m, .compareImmediate, 0),
    Case("cmp4.ltu p1,p2=0xffffff80,r3", .m, .compareImmediate, -128),
    Case("pmpyshr2 r1=r2,r3,15", .i, .pmpyshr2, second: 15),
    Case("mux1 r1=r2,@rev", .i, .mux1, second: 0xb),
    Case("mux2 r1=r2,0x1b", .i, .mux2, second: 0x1b),
    Case("pshr2 r1=r2,31", .i, .pshrImmediate, second: 31),
    Case("pshl4 r1=r2,31", .i, .pshlImmediate, second: 31),
    Case("shrp r1=r2,r3,63", .i, .shrp, second: 63),
    Case("extr r1=r2,63,1", .i, .extr, 63, second: 1, length: 1),
    Case("shr.u r1=r2,5", .i, .extr, 5, second: 59, length: 59),
    Case("dep.z r1=r2,10,20", .i, .depZ, 10, second: 20, length: 20),
    Case("shl r1=r2,5", .i, .depZ, 5, second: 59, length: 59),
    Case("dep.z r1=-7,10,20", .i, .depZImmediate, 10, second: -7, length: 20),
    Case("dep r1=-1,r2,3,64", .i, .depImmediate, 3, second: -1, length: 64),
    Case("dep r1=r2,r3,60,16", .i, .dep, 60, second: 16, length: 16),
    Case("tbit.z p1,p2=r3,63", .i, .testBit, 63),
    Case("tf.z p1,p2=33", .i, .testFeature, 33),
    Case("mov pr=r2,-2", .i, .movToPredicates, -2),
    Case("mov pr=r2,0x1fe", .i, .movToPredicates, 0x1fe),
    Case("mov pr.rot=0x7ff0000", .i, .movToPredicatesRotating, 0x7ff_0000),
    Case("mov.i ar.lc=-1", .i, .movToARImmediate, -1),
    Case("mov.m ar.unat=127", .m, .movToARImmediate, 127),
    Case("break.i 0x1fffff", .i, .breakInstruction, 0x1f_ffff),
    Case("hint.m 0x3", .m, .hint, 3),
    Case("nop.f 0x100000", .f, .nop, 0x10_0000),
    Case("nop.x 0x3fffffffffffffff", .x, .nop, 0x3fff_ffff_ffff_ffff),
    Case("movl r1=0x8123456789abcdef", .x, .movLong, Int64(bitPattern: 0x8123_4567_89ab_cdef)),
    Case("ld8 r1=[r2],-256", .m, .load, -256),
    Case("st8.spill [r1]=r2,255", .m, .storeSpill, 255),
    Case("ldfpd f2,f3=[r4],16", .m, .loadFPPair, 16),
    Case("ldfps f2,f3=[r4],8", .m, .loadFPPair, 8),
    Case("lfetch [r2],-1", .m, .lfetch, -1),
    Case("fetchadd4.rel r1=[r2],-8", .m, .fetchAdd, -8),
    Case("fetchadd8.acq r1=[r2],16", .m, .fetchAdd, 16),
    Case("alloc r1=ar.pfs,3,4,5,8", .m, .alloc),
    Case("ssm 0xffffff", .m, .ssm, 0xff_ffff),
    Case("probe.rw.fault r1,3", .m, .probeFault, 3),
    Case("probe.r r1=r2,2", .m, .probeImmediate, 2),
    Case("chk.s.m r1,-0xff0000", .m, .checkS, -0x100_0000),
    Case("chk.a.clr f1,0x10100", .m, .checkAFP, 0x100),
    Case("br.cond.sptk.few 0xfff0", .b, .brCond, -16),
    Case("br.call.sptk.few b0=0x100fff0", .b, .brCall, 0xff_fff0),
    Case("brp.sptk 0x10040,0x10020", .b, .brp, 0x40, second: 0x20),
    Case("brl.cond.sptk.few 0x8000000000010000", .x, .brlCond, .min),
    Case("vmsw.1", .b, .vmsw, 1),
    Case("vmsw.0", .b, .vmsw, 0),
    Case("fclass.m p1,p2=f3,0x1e7", .f, .fclass, 0x1e7),
    Case("fsetc.s3 0x7f,0x40", .f, .fsetc, 0x7f, second: 0x40),
    Case("fchkf.s0 0xfff0", .f, .fchkf, -16),
  ]

  @Test("immediates", arguments: cases)
  func immediates(_ item: Case) throws {
    let bits = try Assembler.encode(item.text, unit: item.unit, address: 0x1_0000)
    let instruction = Decoder.decode(slot: bits.slot, unit: item.unit, longSlot: bits.long)
    #expect(instruction.operation == item.operation)
    #expect(instruction.immediate == item.immediate)
    #expect(instruction.immediate2 == item.immediate2)
    #expect(instruction.length == item.length)
  }

  @Test("register fields")
  func registers() throws {
    let fma = try Assembler.encode("(p63) fma.d.s2 f127=f3,f4,f5", unit: .f)
    let sum = Decoder.decode(slot: fma.slot, unit: .f)
    #expect((sum.qp, sum.f1, sum.f3, sum.f4, sum.f2) == (63, 127, 3, 4, 5))
    #expect(sum.statusField == 2 && sum.attributes.precision == .double)
    let alloc = try Assembler.encode("alloc r33=ar.pfs,3,4,5,8", unit: .m)
    let frame = Decoder.decode(slot: alloc.slot, unit: .m).allocFrame
    #expect((frame.sof, frame.sol, frame.sor) == (12, 7, 1))
    // The bits of a qualifying predicate mean nothing where there is none.
    #expect(Decoder.decode(slot: alloc.slot | 5, unit: .m).qp == 0)
  }

  /// Slots of a long instruction and of a reserved template.
  @Test("slots of a bundle")
  func slots() throws {
    let long = try Assembler.bundle("mlx", ["nop.m 0", "movl r1=0x8123456789abcdef ;;"])
    #expect(Decoder.decode(bundle: long, slot: 1).operation == .movLong)
    #expect(Decoder.decode(bundle: long, slot: 1).immediate == Int64(bitPattern: 0x8123_4567_89ab_cdef))
    #expect(Decoder.decode(bundle: long, slot: 2).operation == .reserved)
    let reserved = Bundle(template: 6, slots: (0, 0, 0))
    for slot in 0..<3 { #expect(Decoder.decode(bundle: reserved, slot: slot).operation == .reserved) }
  }

  /// Volume 3, section 4.1: unassigned opcodes fault whenever PR[qp] is 1, some of the B-unit's always; the B-unit's
  /// hint space executes as nop.
  @Test("unassigned encodings")
  func unassigned() {
    #expect(Decoder.decode(slot: 0xf << 37, unit: .m).operation == .reservedIfPredicated)
    #expect(Decoder.decode(slot: 2 << 37, unit: .f).operation == .reservedIfPredicated)
    #expect(Decoder.decode(slot: 0xf << 37, unit: .b).operation == .reserved)
    #expect(Decoder.decode(slot: 3 << 37, unit: .b).operation == .nop)
    #expect(Decoder.decode(slot: 6 << 37, unit: .b).operation == .nop)
  }
}
