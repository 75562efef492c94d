/// Latency of each integer instruction to the consumer that waits least: the class table's last column.
enum IntegerLatencies {
  static func all() -> [Benchmark] { alu + compares + multimedia + bitFields + moves }

  private static func list(
    _ instructions: [String], _ make: (String) -> Dependence, _ cycles: Double, _ source: String,
    _ confidence: Confidence = .verified
  ) -> [Benchmark] {
    instructions.map { instruction in
      let name = instruction.prefix { $0 != " " }
      return make(instruction).benchmark("latency/\(name)", Published(.exactly(cycles), source, confidence))
    }
  }

  private static var alu: [Benchmark] {
    list(
      [
        "add %x=r21,r22", "sub %x=r22,r21", "adds %x=5,r21", "addl %x=77777,r0", "shladd %x=r21,3,r22", "addp4 %x=r21,r22",
        "shladdp4 %x=r21,2,r22", "and %x=r21,r22", "andcm %x=r21,r22", "or %x=r21,r22", "xor %x=r21,r22",
        "movl %x=0x123456789abcdef",
      ], Dependence.integer, 1, "KAPI, GCC")
  }

  /// To the qualifying predicate of an instruction that is no branch.
  private static var compares: [Benchmark] {
    list(
      [
        "cmp.eq %x,p0=r0,r0", "cmp.lt %x,p0=r21,r22", "cmp4.ltu %x,p0=r0,r21", "cmp.eq.or %x,p0=r0,r0", "cmp.ne.and %x,p0=r21,r0",
        "tbit.z %x,p0=r0,5", "tnat.z %x,p0=r21",
      ], Dependence.predicate, 1, "KAPI")
  }

  /// To another multimedia instruction.
  private static var multimedia: [Benchmark] {
    list(
      [
        "padd1 %x=r21,r22", "padd2 %x=r21,r22", "padd4 %x=r21,r22", "psub2.sss %x=r21,r22", "pavg1 %x=r21,r22",
        "pavgsub2 %x=r21,r22",
        "pcmp2.eq %x=r21,r22", "pshladd2 %x=r21,2,r22", "pshradd2 %x=r21,2,r22", "pmin2 %x=r21,r22", "pmax1.u %x=r21,r22",
        "psad1 %x=r21,r22", "pshl2 %x=r22,r21", "pshr4.u %x=r22,3", "shl %x=r22,r21", "shr %x=r22,r21", "shr.u %x=r22,r21",
        "pack2.sss %x=r21,r22", "unpack1.h %x=r21,r22", "mix2.l %x=r21,r22", "mux1 %x=r22,@rev", "mux2 %x=r22,0x1b",
        "pmpy2.r %x=r21,r22", "pmpyshr2 %x=r21,r22,7", "popcnt %x=r22",
      ], Dependence.multimedia, 2, "KAPI, OSSL")
  }

  private static var bitFields: [Benchmark] {
    list(
      [
        "extr.u %x=r22,7,9", "extr %x=r22,7,9", "dep %x=r21,r22,8,4", "dep.z %x=r21,8,8", "shrp %x=r21,r22,17", "sxt4 %x=r22",
        "zxt1 %x=r22", "czx1.r %x=r22",
      ], Dependence.integer, 1, "KAPI, GCC")
  }

  private static var moves: [Benchmark] {
    [
      Dependence.predicate("mov pr=r22,0x4000").benchmark("latency/mov-to-pr", Published(.exactly(1), "KAPI")),
      Dependence.integer("mov %x=pr").benchmark("latency/mov-from-pr", Published(.exactly(2), "KAPI, LK")),
      Dependence(producer: "mov %x=r22", consumer: "mov r16=%x", x: "b6", y: "b7")
        .benchmark("latency/mov-to-br", Published(.exactly(1), "KAPI")),
      Dependence.integer("mov %x=b6").benchmark("latency/mov-from-br", Published(.exactly(2), "KAPI, LK")),
      Dependence.integer("mov %x=ip").benchmark("latency/mov-from-ip", nil),
    ]
  }
}
