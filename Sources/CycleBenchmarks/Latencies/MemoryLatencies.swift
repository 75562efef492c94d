/// Latency of loads that hit the nearest cache they use, and of the address results of everything that updates one.
enum MemoryLatencies {
  static func all() -> [Benchmark] { integerLoads + floatLoads + updates + transfers + semaphores }

  private static var integerLoads: [Benchmark] {
    let kinds = ["ld1", "ld2", "ld4", "ld8", "ld8.s", "ld8.a", "ld8.sa", "ld8.bias", "ld8.acq", "ld8.fill"]
    return kinds.map { kind in
      var dependence = Dependence.integer("\(kind) %x=[r20]")
      // Speculation is of use only to translated pages.
      dependence.translation = .register
      return dependence.benchmark("latency/\(kind)", Published(.exactly(1), "KAPI, GCC, 7CPU"))
    }
  }

  /// These never look at L1D: best case of L2.
  private static var floatLoads: [Benchmark] {
    let kinds = ["ldfs", "ldfd", "ldf8", "ldfe", "ldf.fill", "ldfd.s", "ldfd.a"].map { ("\($0)", "\($0) %x=[r20]") }
    let pairs = ["ldfps", "ldfpd", "ldfp8"].map { ("\($0)", "\($0) %x,f17=[r20]") }
    return (kinds + pairs).map { name, instruction in
      var dependence = Dependence(producer: instruction, consumer: "xma.l f16=%x,f22,f22", x: "f14", y: "f15")
      dependence.translation = .register
      return dependence.benchmark("latency/\(name)", Published(.exactly(6), "KAPI, GCC, GMP, OSSL"))
    }
  }

  /// The updated address, to an addition. The increment is zero, so that the address stays.
  private static var updates: [Benchmark] {
    [
      ("ld8", "ld8 r16=[%x],0"), ("ldfd", "ldfd f16=[%x],0"), ("ldfpd", "ldfpd f16,f17=[%x],16\nadds %x=-16,%x"),
      ("st8", "st8 [%x]=r20,0"), ("stfd", "stfd [%x]=f20,0"), ("lfetch", "lfetch [%x],0"),
    ].filter { $0.0 != "ldfpd" }.map { name, instruction in
      var dependence = Dependence(producer: instruction, consumer: "add r17=%x,r21")
      dependence.setup = Text.alone("mov r14=r23") + Text.alone("mov r15=r23")
      return dependence.benchmark("latency/\(name)-update", Published(.exactly(1), "KAPI"))
    } + [
      Dependence(producer: "st8.spill [r23]=r20", consumer: "mov r16=%x", x: "ar.unat", y: "ar.unat").spillToUNAT
    ]
  }

  private static var transfers: [Benchmark] {
    let setf = ["setf.sig", "setf.exp", "setf.s", "setf.d"].map { kind in
      Dependence(producer: "\(kind) %x=r21", consumer: "xma.l f16=%x,f22,f22", x: "f14", y: "f15")
        .benchmark("latency/\(kind)", Published(.exactly(6), "GMP"), remark: "KAPI and GCC have 5 in their tables")
    }
    let getf = ["getf.sig", "getf.exp", "getf.s", "getf.d"].map { kind in
      Dependence.integer("\(kind) %x=f20").benchmark("latency/\(kind)", Published(.exactly(5), "KAPI, GCC, OSSL"))
    }
    return setf + getf
  }

  private static var semaphores: [Benchmark] {
    [
      ("xchg8", "xchg8 %x=[r23],r20"), ("cmpxchg8", "cmpxchg8.acq %x=[r23],r20,ar.ccv"),
      ("fetchadd8", "fetchadd8.acq %x=[r23],1"),
    ].map { name, instruction in
      Dependence.integer(instruction).benchmark(
        "latency/\(name)", nil, remark: "a semaphore blocks issue itself: see system/\(name)")
    }
  }
}

extension Dependence {
  /// ar.unat has no second of its kind: the reference is the store that does not touch it.
  fileprivate var spillToUNAT: Benchmark {
    let measured = Text.idle(idle) + Text.alone(producer) + Text.alone("mov r16=ar.unat")
    let reference = Text.idle(idle) + Text.alone("st8 [r23]=r20") + Text.alone("mov r16=ar.unat")
    return Benchmark(
      "latency/st8.spill-unat", unit: "cycles", Method(.loop(measured), minus: .loop(reference), offset: 1),
      Published(.exactly(1), "KAPI"))
  }
}
