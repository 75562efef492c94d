/// Moves from and to application, control and status registers, and what serialises.
///
/// Reads are latencies to an addition. Writes are latencies to what reads them. The rest is what an instruction costs: the passes with
/// it and a group of nops in its place, and one for the group itself.
enum SystemRegisters {
  static func all() -> [Benchmark] { reads + writes + masks + costs + semaphores }

  /// The longest takes some 40 cycles.
  private static let idle = 80

  // MARK: Reads

  private static func read(_ register: String, _ published: Published?, setup: String = "", remark: String? = nil) -> Benchmark {
    var dependence = Dependence.integer("mov %x=\(register)")
    dependence.idle = idle
    dependence.setup = setup
    return dependence.benchmark("system/read-\(register)", published, remark: remark)
  }

  private static var reads: [Benchmark] {
    func exactly(_ registers: [String], _ cycles: Double, _ source: String) -> [Benchmark] {
      registers.map { read($0, Published(.exactly(cycles), source)) }
    }
    let inferred = ["cr.ifa", "cr.itir", "cr.dcr", "cr.ifs", "cr.iha", "cr.pta"]
    let local = ["cr.tpr", "cr.lid", "cr.itm", "cr.itv", "cr.irr0", "cr.lrr0"]
    return exactly(["ar.k0", "ar.k7", "ar.rsc", "ar.bsp", "ar.bspstore", "ar.fpsr"], 12, "LK")
      + exactly(["psr", "cr.ipsr"], 12, "LK") + exactly(["ar.rnat", "ar.unat"], 5, "LK")
      + [read("ar.ccv", Published(.between(5, 6), "KAPI, GCC"), remark: "6 is of the first Itanium")]
      + exactly(["cr.iip", "cr.iim"], 2, "LK") + exactly(["cr.isr", "cr.iva", "cr.iipa"], 2, "KAPI")
      + inferred.map { read($0, nil, remark: "about 12") }
      + ["rr", "pkr", "pmc", "pmd", "dbr", "cpuid"].map { file in
        var dependence = Dependence.integer("mov %x=\(file)[r21]")
        dependence.idle = idle
        return dependence.benchmark("system/read-\(file)", nil)
      }
      + [read("ar.itc", Published(.between(35, 36), "LK"))] + local.map { read($0, nil, remark: "about 36") }
      + exactly(["ar.pfs", "ar.lc", "ar.ec"], 2, "LK, KAPI")
      + [
        pairOfReads("k0-k1", "mov r16=ar.k0", "mov r17=ar.k1", nil, remark: "a second long read waits for the first"),
        pairOfReads(
          "bspstore-rnat", "mov r16=ar.bspstore", "mov r17=ar.rnat", Published(.exactly(12), "LK"), remark: "rnat overlaps"),
      ]
  }

  /// Two reads in following groups, and an addition that needs both.
  private static func pairOfReads(_ name: String, _ first: String, _ second: String, _ published: Published?, remark: String)
    -> Benchmark
  {
    func body(_ operands: String) -> String {
      Text.idle(idle) + Text.alone(first) + Text.alone(second) + Text.alone("add r18=\(operands)")
    }
    return Benchmark(
      "system/read-\(name)", unit: "cycles", Method(.loop(body("r16,r17")), minus: .loop(body("r21,r22")), offset: 2), published,
      remark: remark)
  }

  // MARK: Writes

  /// The reference writes the same register, and reads it when it is long ready, after half of the idle groups.
  private static func write(
    _ name: String, _ write: String, _ use: String, _ published: Published?, setup: String = "", remark: String? = nil
  )
    -> Benchmark
  {
    let measured = Text.alone(write) + Text.alone(use) + Text.idle(idle)
    let reference = Text.alone(write) + Text.idle(idle / 2) + Text.alone(use) + Text.idle(idle / 2)
    return Benchmark(
      "system/\(name)", unit: "cycles", Method(.loop(measured, setup: setup), minus: .loop(reference, setup: setup), offset: 1),
      published,
      remark: remark)
  }

  private static var writes: [Benchmark] {
    let lazy = Text.alone("mov ar.rsc=0") + Text.alone("mov r30=ar.bspstore") + Text.alone("mov r31=ar.rnat")
    let first = "of the first Itanium in KAPI"
    return [
      write("write-bspstore", "mov ar.bspstore=r30", "mov r16=ar.bspstore", Published(.exactly(6), "LK"), setup: lazy),
      write("write-rnat", "mov ar.rnat=r31", "mov r16=ar.rnat", nil, setup: lazy, remark: "9 \(first)"),
      write("write-ccv", "mov ar.ccv=r21", "mov r16=ar.ccv", Published(.exactly(5), "GCC, KAPI")),
      write("write-unat", "mov ar.unat=r21", "mov r16=ar.unat", Published(.exactly(5), "GCC, KAPI")),
      write("write-rsc", "mov ar.rsc=r0", "mov r16=ar.rsc", nil, remark: "10 \(first)"),
      write("write-rsc-immediate", "mov ar.rsc=0", "mov r16=ar.rsc", nil, remark: "1 \(first)"),
      write(
        "write-fpsr", "mov ar.fpsr=r30", "fma.d f16=f20,f21,f21", nil, setup: Text.alone("mov r30=ar.fpsr"), remark: "9 \(first)"),
      write(
        "write-lc", "mov ar.ec=r21", "mov r16=ar.ec", Published(.exactly(1), "KAPI"), remark: "ar.ec; ar.lc has the same class"),
      write("write-pfs", "mov ar.pfs=r0", "mov r16=ar.pfs", Published(.exactly(1), "KAPI")),
      write("write-ifa-srlz", "mov cr.ifa=r20", "srlz.d", nil, remark: "10 \(first)"),
      write("write-ipsr-srlz", "mov cr.ipsr=r0", "srlz.d", nil, remark: "10 \(first)"),
      write("write-tpr-srlz", "mov cr.tpr=r0", "srlz.d", nil, remark: "35 \(first)"),
    ]
  }

  // MARK: Masks and serialisation

  private static var masks: [Benchmark] {
    [
      write("rsm-srlz", "rsm 0x4000", "srlz.d", Published(.exactly(5), "LK")),
      write("ssm-srlz", "ssm 4", "srlz.d", Published(.exactly(5), "LK")),
      cost("srlz.d", "srlz.d", Published(.exactly(1), "LK"), remark: "with nothing to wait for"),
      cost("srlz.i", "srlz.i", nil, remark: "a flush and a refetch"),
      cost("sum", "sum 4", nil), cost("mov-to-psr.l", "mov psr.l=r0", nil), cost("rsm", "rsm 0x4000", nil),
    ]
  }

  // MARK: Costs

  private static func cost(
    _ name: String, _ instruction: String, _ published: Published?, setup: String = "", remark: String? = nil,
    translation: Code.Translation = .physical
  ) -> Benchmark {
    let measured = Text.idle(idle) + Text.alone(instruction)
    let reference = Text.idle(idle + 1)
    let method = Method(
      Code.loop(measured, setup: setup).with(\.translation, translation),
      minus: Code.loop(reference, setup: setup).with(\.translation, translation), offset: 1)
    return Benchmark("system/\(name)", unit: "cycles", method, published, remark: remark)
  }

  private static func query(_ name: String, _ instruction: String, _ published: Published?) -> Benchmark {
    var dependence = Dependence.integer(instruction)
    dependence.idle = idle
    dependence.translation = .register
    return dependence.benchmark("system/\(name)", published)
  }

  private static var costs: [Benchmark] {
    let five = Published(.exactly(5), "LK")
    let related = Published(.exactly(5), "251110", .medium)
    return [
      cost("bsw", "bsw.0", Published(.exactly(6), "LK"), setup: Text.alone("mov r16=r0")).twoBanks,
      cost("alloc", "alloc r16=ar.pfs,0,96,0,0", Published(.exactly(1), "KAPI"), remark: "same frame, nothing to spill"),
      cost("cover", "cover", nil, remark: "with the frame it leaves: one cycle in KAPI").withFrame,
      cost("clrrrb", "clrrrb", Published(.exactly(1), "KAPI")),
      query("probe", "probe.r %x=r20,0", five), query("tpa", "tpa %x=r20", related), query("thash", "thash %x=r20", related),
      query("ttag", "ttag %x=r20", related), query("tak", "tak %x=r20", related),
      cost("mf", "mf", nil, remark: "with nothing under way"),
      cost("mf.a", "mf.a", nil, remark: "the bus accepts"),
      cost("invala", "invala", Published(.exactly(1), "KAPI, LK"), remark: "the rest of its bundle takes another cycle")
        .wholeBundle,
      cost("fc", "fc r23", nil), cost("sync.i", "sync.i", nil), cost("fwb", "fwb", nil),
      cost("ptc.l", "ptc.l r23,r30", nil, setup: Text.alone("mov r30=56")),
      cost(
        "itc.d", "{ .mmi\nitc.d r31 ;;\nnop.m 0\nnop.i 0\n}", nil,
        setup: Text.alone("movl r30=0x2000000000000000") + Text.alone("mov cr.ifa=r30") + Text.alone("mov r30=0x38")
          + Text.alone("mov cr.itir=r30") + Text.alone("movl r31=\(TranslationSetup.attributes)")),
      cost("epc", "{ .mib\nnop 0\nnop 0\nepc\n}", nil),
      cost("flushrs", "flushrs", nil, remark: "nothing dirty"),
      Benchmark(
        "system/rfi", unit: "cycles", Method(returnLoop(true), minus: returnLoop(false)), nil,
        remark: "flush and refetch; against a taken branch"),
    ]
  }

  /// rfi to the next place in the loop, with an IFS that is not valid, so that the frame stays.
  private static func returnLoop(_ interrupted: Bool) -> Code {
    let leave = interrupted ? "rfi" : "br.cond.sptk.few there"
    let body =
      Text.alone("mov cr.iip=r30") + Text.alone("mov cr.ipsr=r0") + Text.alone("mov cr.ifs=r0") + Text.idle(idle)
      + "{ .mib\nnop 0\nnop 0\n\(leave) ;;\n}\n"
      + Text.idle(1) + "there:\n" + Text.idle(1)
    return .loop(body, setup: "movl r30=there ;;\n")
  }

  private static var semaphores: [Benchmark] {
    [
      ("xchg8", "xchg8 r16=[r23],r20"), ("cmpxchg8", "cmpxchg8.acq r16=[r23],r20,ar.ccv"),
      ("fetchadd8", "fetchadd8.acq r16=[r23],1"),
    ].map { name, instruction in
      cost(name, instruction, Published(.atLeast(6), "KAPI"), remark: "hits L2; blocks issue")
    }
  }
}

extension Benchmark {
  /// bsw in the last slot of its bundle, there and back: registers are the same again behind the two.
  fileprivate var twoBanks: Benchmark {
    func bank(_ slot: String) -> String { "{ .mib\nnop 0\nnop 0\n\(slot) ;;\n}\n" }
    var result = self
    result.method = Method(
      .loop(Text.idle(16) + bank("bsw.1") + Text.idle(16) + bank("bsw.0")), minus: .loop(Text.idle(34)), units: 2, offset: 1)
    return result
  }

  /// What follows in the bundle waits for the next cycle by rule; the cost is without it.
  fileprivate var wholeBundle: Benchmark {
    var result = self
    result.method = Method(
      .loop(Text.idle(16) + Text.bundle("mii", ["invala", "nop 0", "nop 0"], stop: true)), minus: .loop(Text.idle(18)), offset: 1)
    return result
  }

  /// A frame of no registers before, which cover leaves as it is.
  fileprivate var withFrame: Benchmark {
    var result = self
    let setup = Text.alone("alloc r16=ar.pfs,0,0,0,0")
    result.method = Method(
      .loop(Text.idle(16) + "{ .mib\nnop 0\nnop 0\ncover ;;\n}\n", setup: setup), minus: .loop(Text.idle(17), setup: setup),
      offset: 1)
    return result
  }
}
