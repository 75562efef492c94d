/// Advanced and speculative loads: checks that find what they look for cost nothing, others a branch to the recovery code.
enum Speculation {
  static func all() -> [Benchmark] { [hit, floatHit, check, floatCheck, speculative, failing, missing] }

  private static func cost(
    _ name: String, _ measured: String, _ reference: String, _ published: Published?, setup: String = "", remark: String? = nil
  ) -> Benchmark {
    let method = Method(
      Code.loop(measured, setup: setup).with(\.translation, .register),
      minus: Code.loop(reference, setup: setup).with(\.translation, .register))
    return Benchmark("speculation/\(name)", unit: "cycles lost", method, published, remark: remark)
  }

  private static func checked(_ advanced: String, _ check: String) -> String {
    Text.idle(8) + Text.alone(advanced) + Text.idle(8) + Text.alone(check)
  }
  private static let recovery = "recovery:\n"

  private static var hit: Benchmark {
    cost(
      "ld.c-hit", checked("ld8.a r14=[r20]", "ld8.c.nc r14=[r20]") + Text.alone("add r16=r14,r21"),
      checked("ld8.a r14=[r20]", "nop.m 0") + Text.alone("add r16=r14,r21"), Published(.exactly(0), "KAPI"))
  }

  private static var floatHit: Benchmark {
    cost(
      "ldf.c-hit", checked("ldf8.a f14=[r20]", "ldf8.c.nc f14=[r20]") + Text.alone("xma.l f16=f14,f22,f22"),
      checked("ldf8.a f14=[r20]", "nop.m 0") + Text.alone("xma.l f16=f14,f22,f22"), Published(.exactly(0), "KAPI"))
  }

  private static var check: Benchmark {
    cost(
      "chk.a-hit", checked("ld8.a r14=[r20]", "chk.a.nc r14,recovery") + recovery, checked("ld8.a r14=[r20]", "nop.m 0"),
      Published(.exactly(0), "KAPI"))
  }

  private static var floatCheck: Benchmark {
    cost(
      "chk.a-float-hit", checked("ldf8.a f14=[r20]", "chk.a.nc f14,recovery") + recovery, checked("ldf8.a f14=[r20]", "nop.m 0"),
      Published(.exactly(0), "KAPI"))
  }

  private static var speculative: Benchmark {
    cost(
      "chk.s-passes", checked("ld8.s r14=[r20]", "chk.s.m r14,recovery") + recovery, checked("ld8.s r14=[r20]", "nop.m 0"),
      Published(.exactly(0), "KAPI"))
  }

  /// The store takes the entry away. The reference branches to the same place.
  private static var failing: Benchmark {
    func body(_ check: String) -> String {
      Text.idle(8) + Text.alone("ld8.a r14=[r20]") + Text.idle(4) + Text.alone("st8 [r20]=r20") + Text.idle(8) + check
        + Text.idle(1) + "recovery:\n"
        + Text.idle(8)
    }
    return cost(
      "chk.a-fails", body(Text.alone("chk.a.nc r14,recovery")),
      body(Text.bundle("mib", ["nop 0", "nop 0", "br.cond.sptk.few recovery"], stop: true)),
      Published(.exactly(6), "251110", .medium), remark: "as a mispredicted branch")
  }

  private static var missing: Benchmark {
    func body(_ check: String) -> String {
      Text.idle(8) + Text.alone("ld8.a r14=[r20]") + Text.idle(4) + Text.alone("st8 [r20]=r20") + Text.idle(8) + Text.alone(check)
        + Text.alone("add r16=r14,r21")
    }
    return cost("ld.c-misses", body("ld8.c.nc r14=[r20]"), body("nop.m 0"), nil, remark: "the load again, and a re-circulation")
  }
}
