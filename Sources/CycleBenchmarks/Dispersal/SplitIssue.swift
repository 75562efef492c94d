/// What ends a cycle's worth of instructions before their group ends, beside ports and templates.
enum SplitIssue {
  static func all(_ core: Core) -> [Benchmark] { slots(core) + implicitStops }

  private static func group(_ name: String, _ bundles: String, _ cycles: Double, _ source: String, remark: String? = nil)
    -> Benchmark
  {
    // Targets are of their own for each copy: a result may be under way for some cycles.
    func copy(_ n: Int) -> String {
      [16, 17, 18, 19, 30, 31].enumerated().reduce(bundles) { $0.replacing("r\($1.element)=", with: "r\(32 + n * 6 + $1.offset)=") }
    }
    func code(_ count: Int) -> Code { .loop(Text.repeated(count, copy)) }
    return Benchmark(
      "split/\(name)", unit: "cycles per group", Method(code(16), minus: code(8), units: 8), Published(.exactly(cycles), source),
      remark: remark)
  }

  /// The first I syllable of a pair goes to I0, the second to I1, whatever they are.
  private static func slots(_ core: Core) -> [Benchmark] {
    let shift = core == .montecito ? 1.0 : 2
    return [
      group("i0-in-first-i", Text.bundle("mii", ["nop 0", "tbit.z p8,p0=r22,1", "nop 0"], stop: true), 1, "GCC"),
      group(
        "i0-in-second-i", Text.bundle("mii", ["nop 0", "nop 0", "tbit.z p8,p0=r22,1"], stop: true), 2, "GCC",
        remark: "the nop took I0"),
      group(
        "shift-in-second-i", Text.bundle("mii", ["nop 0", "nop 0", "extr.u r16=r22,1,3"], stop: true), shift, "GCC, OSSL"),
      group(
        "shifts-in-both-bundles",
        Text.bundle("mmi", ["nop 0", "nop 0", "extr.u r16=r22,1,3"])
          + Text.bundle("mmi", ["nop 0", "nop 0", "extr.u r17=r22,1,3"], stop: true),
        shift, "OSSL"),
      group(
        "long-then-i0",
        Text.bundle("mlx", ["nop 0", "movl r16=5"]) + Text.bundle("mmi", ["nop 0", "nop 0", "tbit.z p8,p0=r22,1"], stop: true), 2,
        "GCC", remark: "movl took I0"),
      group(
        "two-bundles-two-groups",
        Text.bundle("mmi", ["add r16=r21,r22", "add r17=r21,r22", "nop 0"], stop: true)
          + Text.bundle("mmi", ["add r18=r21,r22", "add r19=r21,r22", "nop 0"], stop: true), 2, "SDM",
        remark: "an explicit stop between"),
      group(
        "third-load",
        Text.bundle("mmi", ["ld8 r16=[r23]", "ld8 r17=[r24]", "add r18=r21,r22"])
          + Text.bundle("mmi", ["ld8 r19=[r25]", "add r30=r21,r22", "add r31=r21,r22"], stop: true), 2, "GCC"),
      group(
        "second-m2",
        Text.bundle("mmi", ["getf.sig r16=f22", "nop 0", "nop 0"])
          + Text.bundle("mmi", ["mov r17=ar.unat", "nop 0", "nop 0"], stop: true), 2, "KAPI, GCC"),
      group(
        "store-takes-m2-last",
        Text.bundle("mmi", ["getf.sig r16=f22", "st8 [r23]=r20", "nop 0"])
          + Text.bundle("mmi", ["ld8 r17=[r24]", "ld8 r18=[r25]", "nop 0"], stop: true), 1, "KAPI, GCC",
        remark: "getf in M2, the store in M3, the loads in M0 and M1"),
    ]
  }

  /// These end the cycle behind them: the rest of the bundle takes another.
  private static var implicitStops: [Benchmark] {
    [("invala", "invala"), ("invala.e", "invala.e r16")].map { name, instruction in
      group("after-\(name)", Text.bundle("mmi", [instruction, "nop 0", "nop 0"], stop: true), 2, "KAPI")
    }
  }
}
