/// Pairs of producer and consumer whose latency is not that of the producer's class.
enum Bypasses {
  static func all() -> [Benchmark] { addresses + multimedia + floatingPoint + predicates + specialRegisters + branches }

  private static func pair(
    _ name: String, _ producer: String, _ consumer: String, x: String = "r14", y: String = "r15", _ published: Published?,
    remark: String? = nil
  ) -> Benchmark {
    Dependence(producer: producer, consumer: consumer, x: x, y: y).benchmark("bypass/\(name)", published, remark: remark)
  }

  private static func cycles(_ count: Double, _ source: String) -> Published { Published(.exactly(count), source) }

  /// To addresses and store data. Every producer yields the address in r20.
  private static var addresses: [Benchmark] {
    let producers: [(String, String)] = [
      ("alu", "add %x=r20,r0"), ("logic", "or %x=r20,r0"), ("shift", "extr.u %x=r20,0,62"), ("extend", "zxt4 %x=r20"),
    ]
    let uses: [(String, String)] = [
      ("load-address", "ld8 r16=[%x]"), ("float-load-address", "ldfd f16=[%x]"), ("store-address", "st8 [%x]=r20"),
      ("store-data", "st8 [r23]=%x"),
    ]
    var result: [Benchmark] = []
    for (producer, text) in producers {
      for (use, consumer) in uses {
        result.append(pair("\(producer)-\(use)", text, consumer, cycles(1, "KAPI")))
      }
    }
    let load = "ld8 %x=[r20]"
    result += [
      pair("load-load-address", load, "ld8 r16=[%x]", cycles(2, "KAPI, GCC, 7CPU")),
      pair("load-float-load-address", load, "ldfd f16=[%x]", cycles(2, "KAPI, GCC")),
      pair("load-store-address", load, "st8 [%x]=r20", cycles(2, "KAPI, GCC")),
      pair("load-lfetch-address", load, "lfetch [%x]", cycles(2, "KAPI, GCC")),
      pair("load-semaphore-address", load, "xchg8 r16=[%x],r20", cycles(2, "KAPI, GCC")),
      pair("load-store-data", load, "st8 [r23]=%x", cycles(1, "KAPI, OSSL")),
      pair("load-compare", load, "cmp.eq p8,p9=%x,r0", cycles(1, "KAPI")),
      pair("load-setf", load, "setf.sig f16=%x", cycles(2, "KAPI")),
      pair("update-load-address", "ld8 r16=[%x],0", "ld8 r17=[%x]", x: "r25", y: "r26", cycles(1, "KAPI")),
      pair("store-update-store-address", "st8 [%x]=r20,0", "st8 [%x]=r20", x: "r25", y: "r26", cycles(1, "KAPI")),
    ]
    return result
  }

  /// Multimedia instructions lie a stage apart from the integer units, on both ways.
  private static var multimedia: [Benchmark] {
    let result = "padd2 %x=r20,r0"
    return [
      pair("alu-multimedia", "add %x=r21,r22", "padd2 r16=%x,r21", cycles(3, "GCC, OSSL"), remark: "KAPI has 2"),
      pair("alu-variable-shift", "add %x=r21,r22", "shl r16=%x,r21", cycles(3, "GCC, OSSL"), remark: "KAPI has 2"),
      pair("shift-multimedia", "extr.u %x=r22,3,9", "pmpy2.r r16=%x,r21", cycles(3, "GCC, OSSL"), remark: "KAPI has 2"),
      pair("load-multimedia", "ld8 %x=[r20]", "padd2 r16=%x,r21", cycles(2, "KAPI")),
      pair("multimedia-multimedia", result, "mix2.l r16=%x,r21", cycles(2, "KAPI, OSSL")),
      pair("multimedia-alu", result, "add r16=%x,r21", cycles(3, "ICC, GCC, GMP, OSSL")),
      pair("multimedia-compare", result, "cmp.eq p8,p9=%x,r0", cycles(3, "ICC, GCC, GMP, OSSL")),
      pair("multimedia-shift", result, "extr.u r16=%x,3,9", cycles(3, "ICC, GCC, GMP, OSSL")),
      pair("multimedia-load-address", result, "ld8 r16=[%x]", cycles(3, "ICC, GCC, GMP, OSSL")),
      pair("multimedia-store-data", result, "st8 [r23]=%x", cycles(3, "ICC, GCC, GMP, OSSL")),
      pair("multimedia-mov-to-br", result, "mov b6=%x", cycles(3, "GCC")),
      pair("variable-shift-alu", "shl %x=r22,r21", "add r16=%x,r21", cycles(3, "ICC, GCC, GMP, OSSL")),
      pair("popcnt-alu", "popcnt %x=r22", "add r16=%x,r21", cycles(3, "ICC, GCC")),
      pair("mux-alu", "mux1 %x=r22,@rev", "add r16=%x,r21", cycles(3, "ICC, GCC")),
    ]
  }

  private static var floatingPoint: [Benchmark] {
    func float(_ name: String, _ producer: String, _ consumer: String, _ published: Published?, remark: String? = nil) -> Benchmark
    {
      pair(name, producer, consumer, x: "f14", y: "f15", published, remark: remark)
    }
    return [
      float("setf-fma", "setf.d %x=r0", "fma.d f16=%x,f21,f21", cycles(6, "GMP"), remark: "KAPI and GCC have 5"),
      float("setf-getf", "setf.sig %x=r22", "getf.sig r16=%x", cycles(6, "KAPI, GCC")),
      float("setf-stf", "setf.sig %x=r22", "stf8 [r23]=%x", cycles(6, "KAPI, GCC")),
      float("xma-getf", "xma.l %x=f22,f23,f24", "getf.sig r16=%x", cycles(4, "OSSL")),
      float("fma-getf", "fma.d %x=f20,f21,f21", "getf.d r16=%x", nil),
      float("load-getf", "ldf8 %x=[r20]", "getf.sig r16=%x", cycles(7, "KAPI")),
      float("load-stf", "ldf8 %x=[r20]", "stf8 [r23]=%x", cycles(7, "KAPI")),
      float("fma-stf", "fma.d %x=f20,f21,f21", "stfd [r23]=%x", cycles(5, "KAPI")),
      float("fmerge-stf", "fmerge.s %x=f20,f21", "stfd [r23]=%x", cycles(5, "KAPI")),
      float("fcvt-stf", "fcvt.xf %x=f22", "stfd [r23]=%x", cycles(5, "KAPI")),
      float("fma-fma", "fma.d %x=f20,f21,f21", "fma.d f16=f21,f21,%x", cycles(4, "KAPI, GCC")),
      float("fma-fcmp", "fma.d %x=f20,f21,f21", "fcmp.lt p8,p9=%x,f21", cycles(4, "KAPI, GCC")),
      float("load-xma", "ldf8 %x=[r20]", "xma.l f16=f22,f23,%x", cycles(6, "KAPI, GCC, GMP")),
      pair("getf-alu", "getf.sig %x=f22", "add r16=%x,r21", cycles(5, "KAPI, GCC, OSSL")),
      pair("getf-multimedia", "getf.sig %x=f22", "padd2 r16=%x,r21", cycles(6, "KAPI")),
    ]
  }

  private static var predicates: [Benchmark] {
    [
      pair("compare-mov-from-pr", "cmp.eq p14,p0=r0,r0", "mov r16=pr", cycles(1, "KAPI")).withReference(
        "cmp.eq p14,p0=r0,r0", "add r16=r21,r21"),
      pair("compare-load-predicate", "cmp.eq %x,p0=r0,r0", "(%x) ld8 r16=[r20]", x: "p14", y: "p12", cycles(1, "KAPI")),
      pair("compare-float-predicate", "cmp.eq %x,p0=r0,r0", "(%x) fma.d f16=f20,f21,f21", x: "p14", y: "p12", cycles(1, "KAPI")),
      pair("fcmp-alu-predicate", "fcmp.eq %x,p0=f20,f20", "(%x) add r16=r21,r21", x: "p14", y: "p12", cycles(2, "KAPI, GCC")),
    ]
  }

  private static var specialRegisters: [Benchmark] {
    [
      pair("mov-from-br-multimedia", "mov %x=b6", "padd2 r16=%x,r21", cycles(3, "KAPI")),
      pair("mov-from-pr-multimedia", "mov %x=pr", "padd2 r16=%x,r21", cycles(3, "KAPI")),
      pair("mov-from-lc-multimedia", "mov %x=ar.ec", "padd2 r16=%x,r21", cycles(4, "KAPI")),
      pair("mov-from-iip-multimedia", "mov %x=cr.iip", "padd2 r16=%x,r21", cycles(3, "KAPI")),
    ]
  }

  /// Compare and branch in one group, where a latency of zero shows as no stall; the branch's predicate is known in the reference. Both
  /// are taken and predicted.
  private static var branches: [Benchmark] {
    func branch(_ predicate: String) -> String { "(\(predicate)) br.cond.sptk.few next ;;\n}\nnext:\n" }
    func together(_ predicate: String, _ compare: String) -> Code {
      .loop(Text.idle(16) + "{ .mib\nnop.m 0\n\(compare)\n" + branch(predicate))
    }
    func apart(_ predicate: String, _ compare: String) -> Code {
      .loop(Text.idle(16) + Text.alone(compare) + "{ .mib\nnop.m 0\nnop.i 0\n" + branch(predicate))
    }
    return [("compare", "cmp.eq p14,p0=r0,r0"), ("tbit", "tbit.z p14,p0=r0,1")].map { name, compare in
      Benchmark(
        "bypass/\(name)-branch", unit: "cycles", Method(together("p14", compare), minus: together("p12", compare)),
        cycles(0, "KAPI, GCC"))
    } + [
      Benchmark(
        "bypass/fcmp-branch", unit: "cycles",
        Method(apart("p14", "fcmp.eq p14,p0=f20,f20"), minus: apart("p12", "fcmp.eq p14,p0=f20,f20"), offset: 1),
        cycles(1, "KAPI, GCC"))
    ]
  }
}

extension Benchmark {
  /// Another reference: what the consumer's register file has no second register for.
  fileprivate func withReference(_ producer: String, _ consumer: String) -> Benchmark {
    var result = self
    result.method.reference = .loop(Text.idle(16) + Text.alone(producer) + Text.alone(consumer))
    return result
  }
}
