/// Latency of each floating-point instruction to a multiply-add, and of compares to a predicate.
enum FloatLatencies {
  static func all() -> [Benchmark] { arithmetic + approximations + compares + status }

  private static var arithmetic: [Benchmark] {
    [
      "fma %x=f20,f21,f21", "fma.s %x=f20,f21,f21", "fma.d %x=f20,f21,f21", "fms.d %x=f20,f21,f21", "fnma.d %x=f20,f21,f21",
      "fnorm.d %x=f20", "xma.l %x=f22,f23,f24", "xma.h %x=f22,f23,f24", "xma.hu %x=f22,f23,f24", "xmpy.l %x=f22,f23",
      "fmin %x=f20,f21", "fmax %x=f20,f21", "famin %x=f20,f21", "famax %x=f20,f21", "fmerge.s %x=f20,f21", "fmerge.se %x=f20,f21",
      "fmix.lr %x=f22,f23", "fsxt.r %x=f22,f23", "fpack %x=f20,f21", "fswap %x=f22,f23", "fand %x=f22,f23", "fandcm %x=f22,f23",
      "for %x=f22,f23", "fxor %x=f22,f23", "fselect %x=f22,f23,f24", "fcvt.fx %x=f20", "fcvt.fx.trunc %x=f20", "fcvt.xf %x=f22",
      "fpma %x=f22,f23,f22", "fpms %x=f22,f23,f22", "fpmin %x=f22,f23", "fpmerge.s %x=f22,f23", "fpcvt.fx %x=f22",
      "fpcmp.lt %x=f22,f23",
    ].map { instruction in
      let name = instruction.prefix { $0 != " " }
      // Integers and pairs are no operands for a multiply-add: an xma asks the same of them.
      return Dependence(producer: instruction, consumer: "xma.l f16=%x,f22,f22", x: "f14", y: "f15")
        .benchmark("latency/\(name)", Published(.exactly(4), "KAPI, GCC"))
    }
  }

  private static var approximations: [Benchmark] {
    ["frcpa %x,p8=f20,f21", "frsqrta %x,p8=f20", "fprcpa %x,p8=f22,f23", "fprsqrta %x,p8=f22"].map { instruction in
      let name = instruction.prefix { $0 != " " }
      return Dependence(producer: instruction, consumer: "xma.l f16=%x,f22,f22", x: "f14", y: "f15")
        .benchmark("latency/\(name)", Published(.exactly(4), "KAPI"))
    } + [
      Dependence.predicate("frcpa f16,%x=f20,f21").benchmark(
        "latency/frcpa-predicate", nil, remark: "KAPI prints 1, which is implausible beside 2 for fcmp")
    ]
  }

  private static var compares: [Benchmark] {
    ["fcmp.eq %x,p0=f20,f20", "fcmp.lt %x,p0=f0,f20", "fclass.m %x,p0=f20,0x1ff"].map { instruction in
      let name = instruction.prefix { $0 != " " }
      return Dependence.predicate(instruction).benchmark("latency/\(name)", Published(.exactly(2), "KAPI, GCC"))
    }
  }

  /// What the group costs that holds them: nothing, beside the cycle that every group takes.
  private static var status: [Benchmark] {
    [("fsetc", "fsetc.s1 0x7f,0x00"), ("fclrf", "fclrf.s1"), ("fchkf", "fchkf.s1 elsewhere")].map { name, instruction in
      let body = Text.idle(8) + Text.alone(instruction) + Text.idle(8) + "elsewhere:\n"
      let reference = Text.idle(8) + Text.alone("fand f16=f22,f23") + Text.idle(8)
      return Benchmark(
        "latency/\(name)", unit: "cycles lost", Method(.loop(body), minus: .loop(reference)), nil,
        remark: "KAPI has 0; setting controls may serialise")
    }
  }
}
