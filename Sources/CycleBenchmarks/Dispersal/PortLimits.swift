/// How many instructions of a class one cycle takes.
///
/// A group holds more of them than the ports of their class, so it takes several cycles: that many instructions over the cycles of the
/// group are the ports. A pass holds the group sixteen times, the reference eight times; what the loop itself costs drops out.
enum PortLimits {
  static func all(_ core: Core) -> [Benchmark] { integer(core) + memory + floatingPoint + system + branches }

  /// Groups of two bundles, each slot an instruction; `units` of them are of the class in question.
  private static func limit(
    _ name: String, of what: String, _ first: (String, [String]), _ second: (String, [String]), units: Int, _ perCycle: Double,
    _ source: String, _ confidence: Confidence = .verified, setup: String = "", remark: String? = nil
  ) -> Benchmark {
    func code(_ count: Int) -> Code {
      .loop(
        Text.repeated(count) { copy in
          Text.bundle(first.0, numbered(first.1, copy, 0))
            + Text.bundle(second.0, numbered(second.1, copy, first.1.count), stop: true)
        }, setup: setup)
    }
    return Benchmark(
      "ports/\(name)", unit: "\(what) per cycle", Method(code(16), minus: code(8), units: 8 * units, isRate: true),
      Published(.exactly(perCycle), source, confidence), remark: remark)
  }

  /// `%r` and `%f` become a target of its own in each slot of a pass, since results may be still under way when the next group comes; `%g`
  /// the float register that makes a pair with `%f`.
  private static func numbered(_ slots: [String], _ copy: Int, _ first: Int) -> [String] {
    slots.enumerated().map { index, text in
      let slot = first + index
      let target = 32 + copy * 6 + slot
      return text.replacing("%r", with: "r\(target)").replacing("%f", with: "f\(target)").replacing("%g", with: "f\(target ^ 1)")
        .replacing("%a", with: "r\(23 + slot)")
    }
  }

  private static func same(_ template: String, _ text: String) -> (String, [String]) {
    (template, [String](repeating: text, count: template == "mlx" ? 2 : 3))
  }

  private static func integer(_ core: Core) -> [Benchmark] {
    let addition = "add %r=r21,r22"
    let shift = "extr.u %r=r22,3,5"
    let shifters: Double = core == .montecito ? 2 : 1
    return [
      limit("alu", of: "instructions", same("mmi", addition), same("mmi", addition), units: 6, 6, "KAPI, GCC"),
      limit("alu-mii", of: "instructions", same("mii", addition), same("mii", addition), units: 6, 6, "KB98064, GCC"),
      limit(
        "multimedia-alu", of: "instructions", same("mmi", "padd2 %r=r21,r22"), same("mmi", "padd2 %r=r21,r22"), units: 6, 6, "KAPI"),
      limit(
        "variable-shift", of: "instructions", ("mii", [addition, "shl %r=r22,r21", "shl %r=r22,r21"]),
        ("mii", [addition, "shl %r=r22,r21", "shl %r=r22,r21"]), units: 4, 2, "KAPI"),
      limit(
        "sign-extend", of: "instructions", ("mii", [addition, "sxt4 %r=r22", "sxt4 %r=r22"]),
        ("mii", [addition, "sxt4 %r=r22", "sxt4 %r=r22"]), units: 4, 2, "KAPI"),
      limit(
        "fixed-shift", of: "instructions", ("mii", [addition, shift, shift]), ("mii", [addition, shift, shift]), units: 4, shifters,
        core == .montecito ? "OSSL" : "KAPI, OSSL"),
      limit(
        "test-bit", of: "instructions", ("mii", [addition, "tbit.z p8,p0=r22,1", "tbit.z p9,p0=r22,2"]),
        ("mii", [addition, "tbit.z p14,p0=r22,3", "tbit.z p15,p0=r22,4"]), units: 4, 1, "KAPI, GCC"),
      limit(
        "multimedia-multiply", of: "instructions", ("mii", [addition, "pmpy2.r %r=r21,r22", "pmpy2.r %r=r21,r22"]),
        ("mii", [addition, "pmpy2.r %r=r21,r22", "pmpy2.r %r=r21,r22"]), units: 4, 1, "KAPI"),
      limit(
        "move-long", of: "instructions", ("mlx", [addition, "movl %r=77"]), ("mlx", [addition, "movl %r=78"]), units: 2, 2, "GCC"),
      limit(
        "mov-from-br", of: "instructions", ("mii", ["nop.m 0", "mov %r=b6", "mov %r=b7"]),
        ("mii", ["nop.m 0", "mov %r=b6", "mov %r=b7"]),
        units: 4, 1, "KAPI, GCC"),
      limit("nops", of: "instructions", same("mmi", "nop 0"), same("mmi", "nop 0"), units: 6, 6, "GCC, GMP"),
    ]
  }

  private static let load = "ld8 %r=[%a]"
  private static let store = "st8 [%a]=r20"

  private static var memory: [Benchmark] {
    let nop = "nop.i 0"
    return [
      limit("load", of: "loads", ("mmi", [load, load, nop]), ("mmi", [load, load, nop]), units: 4, 2, "KAPI, GCC, 7CPU"),
      limit("store", of: "stores", ("mmi", [store, store, nop]), ("mmi", [store, store, nop]), units: 4, 2, "KAPI, GCC, 7CPU"),
      limit(
        "load-store", of: "references", ("mmi", [load, load, nop]), ("mmi", [store, store, nop]), units: 4, 4, "KAPI, GCC",
        remark: "SGI words it as two loads, two stores, or one of each"),
      limit(
        "store-load", of: "references", ("mmi", [store, load, nop]), ("mmi", [store, load, nop]), units: 4, 4, "KAPI, GCC",
        remark: "in any order of the text: dispersal looks at the kind"),
      limit(
        "float-load", of: "loads", ("mmi", ["ldfd %f=[%a]", "ldfd %f=[%a]", nop]), ("mmi", ["ldfd %f=[%a]", "ldfd %f=[%a]", nop]),
        units: 4, 4, "KAPI, GCC", setup: spread),
      limit(
        "float-load-pair", of: "loads", ("mmi", ["ldfpd %f,%g=[%a]", "nop.m 0", nop]),
        ("mmi", ["nop.m 0", "ldfpd %f,%g=[%a]", nop]),
        units: 2, 2, "KAPI, GCC", setup: spread),
      limit(
        "float-load-pair-and-loads", of: "loads", ("mmi", ["ldfpd %f,%g=[%a]", load, nop]),
        ("mmi", ["nop.m 0", "ldfpd %f,%g=[%a]", nop]),
        units: 3, 1.5, "KAPI, GCC", setup: spread, remark: "three in a group take two cycles: two ports"),
      limit(
        "prefetch", of: "prefetches", ("mmi", ["lfetch [%a]", "lfetch [%a]", nop]), ("mmi", ["lfetch [%a]", "lfetch [%a]", nop]),
        units: 4, 2, "KAPI, GCC", setup: spread),
      limit(
        "float-store", of: "stores", ("mmi", ["stfd [%a]=f20", "stfd [%a]=f21", nop]),
        ("mmi", ["stfd [%a]=f20", "stfd [%a]=f21", nop]), units: 4, 2, "KAPI, GCC", setup: spread),
      limit(
        "alu-beside-loads", of: "instructions", ("mmi", [load, load, "add %r=r21,r22"]),
        ("mmi", ["add %r=r21,r22", "add %r=r21,r22", "add %r=r21,r22"]), units: 6, 6, "KAPI, GCC"),
    ]
  }

  /// Addresses in different banks of L2: 16 bytes apart.
  private static let spread = (1..<7).map { Text.alone("adds r\(22 + $0)=\($0 * 16),r20") }.joined()

  private static var floatingPoint: [Benchmark] {
    let multiply = "fma.d %f=f20,f21,f21"
    let addition = "add %r=r21,r22"
    return [
      limit(
        "multiply-add", of: "instructions", ("mfi", [addition, multiply, "nop.i 0"]), ("mfi", [addition, multiply, "nop.i 0"]),
        units: 2,
        2, "KAPI, GCC"),
      limit(
        "fixed-multiply", of: "instructions", ("mfi", [addition, "xma.l %f=f22,f23,f22", "nop.i 0"]),
        ("mfi", [addition, "xma.hu %f=f22,f23,f22", "nop.i 0"]), units: 2, 2, "KAPI, GCC"),
      limit(
        "float-compare", of: "instructions", ("mfi", [addition, "fcmp.eq p8,p0=f20,f21", "nop.i 0"]),
        ("mfi", [addition, "fcmp.eq p9,p0=f20,f21", "nop.i 0"]), units: 2, 2, "KAPI, GCC"),
      limit(
        "parallel-multiply-add", of: "instructions", ("mfi", [addition, "fpma %f=f22,f23,f22", "nop.i 0"]),
        ("mfi", [addition, "fpma %f=f22,f23,f22", "nop.i 0"]), units: 2, 1, "KAPI",
        remark: "occupies both units"),
      limit(
        "parallel-beside-float", of: "instructions", ("mfi", [addition, "fpma %f=f22,f23,f22", "nop.i 0"]),
        ("mfi", [addition, multiply, "nop.i 0"]), units: 2, 1, "KAPI"),
    ]
  }

  private static var system: [Benchmark] {
    let nop = "nop.i 0"
    func single(_ name: String, _ one: String, _ two: String, _ perCycle: Double, _ source: String) -> Benchmark {
      limit(name, of: "instructions", ("mmi", [one, two, nop]), ("mmi", ["nop.m 0", "nop.m 0", nop]), units: 2, perCycle, source)
    }
    return [
      single("getf", "getf.sig %r=f22", "getf.sig %r=f23", 1, "KAPI, GCC, GMP"),
      single("setf", "setf.sig %f=r21", "setf.sig %f=r22", 2, "KAPI, GCC, GMP"),
      single("getf-setf", "getf.sig %r=f22", "setf.sig %f=r22", 2, "KAPI, GCC"),
      single("mov-to-ar", "mov ar.k0=r21", "mov ar.k1=r22", 1, "KAPI, GCC"),
      single("chk.s.m", "chk.s.m r21,end", "chk.s.m r22,end", 2, "KAPI"),
    ]
  }

  /// Never taken, and predicted so.
  private static var branches: [Benchmark] {
    let branch = "(p10) br.cond.spnt.few end"
    return [
      limit(
        "branch-bbb", of: "branches", ("mii", ["nop 0", "nop 0", "nop 0"]), same("bbb", branch), units: 3, 3, "KAPI, GCC"),
      limit(
        "branch-mib", of: "branches", ("mib", ["nop 0", "nop 0", branch]), ("mib", ["nop 0", "nop 0", branch]), units: 2, 1, "GCC",
        remark: "a real branch ends the cycle of its bundle when it comes first"),
    ]
  }
}
