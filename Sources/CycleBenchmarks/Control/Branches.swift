/// Branches and loops: bubbles of predicted branches, loops at both places of a bundle pair, mispredictions.
enum Branches {
  static func all() -> [Benchmark] { predicted + loops + mispredicted + patterns + targets }

  private static func bubbles(
    _ name: String, unit: String = "cycles lost", _ measured: Code, _ reference: Code, units: Int = 4, _ published: Published?,
    remark: String? = nil
  ) -> Benchmark {
    Benchmark("branch/\(name)", unit: unit, Method(measured, minus: reference, units: units), published, remark: remark)
  }

  /// A bundle whose branch slot holds `branch`, with a stop.
  private static func bundle(_ branch: String) -> String { Text.bundle("mib", ["nop 0", "nop 0", branch], stop: true) }

  /// A group of a whole bundle pair with a branch at its end. A cycle takes all of it, so the front end has no time to hide a bubble in.
  private static func pair(_ branch: String) -> String { Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"]) + bundle(branch) }
  private static let idlePair =
    Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"]) + Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"], stop: true)

  /// Four branches over a bundle pair to the next one, and as many groups without. Both execute the same number.
  private static func jumps(_ branch: (String) -> String) -> String {
    Text.repeated(4) { n in pair(branch("target\(n)")) + idlePair + "target\(n):\n" }
  }
  private static let straight = Text.repeated(4) { _ in pair("nop.b 0") }

  private static var predicted: [Benchmark] {
    let zero = Published(.exactly(0), "251110", .high)
    func four(_ branch: String) -> Code { .loop(Text.repeated(4) { _ in pair(branch) }) }
    return [
      bubbles("taken", .loop(jumps { "br.cond.sptk.few \($0)" }), .loop(straight), zero),
      bubbles("taken-conditional", .loop(jumps { "(p12) br.cond.dptk.few \($0)" }), .loop(straight), zero),
      bubbles("not-taken", four("(p10) br.cond.spnt.few end"), .loop(straight), zero),
      bubbles("not-taken-dynamic", four("(p10) br.cond.dpnt.few end"), .loop(straight), zero),
      bubbles("brp", four("brp.sptk end,end"), .loop(straight), Published(.exactly(0), "KAPI"), remark: "costs its slot"),
      bubbles(
        "long", .loop(longJumps), .loop(Text.repeated(4) { _ in longPair("nop.x 0") }), nil),
    ]
  }

  private static func longPair(_ instruction: String) -> String {
    Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"]) + Text.bundle("mlx", ["nop 0", instruction], stop: true)
  }
  private static let longJumps = Text.repeated(4) { n in longPair("brl.cond.sptk.few target\(n)") + idlePair + "target\(n):\n" }

  // MARK: Loops

  /// Bundles of a loop that ends with a counted branch.
  private static func countedLoop(_ bundles: Int, _ branch: String, setup: String = "") -> Code {
    let inner = Text.repeated(bundles - 1) { n in Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"]) }
    let start = "adds r9=-1,r9 ;;\nmov ar.lc=r9 ;;\nmov ar.ec=r0 ;;\n"
    return Code(setup: setup + start, .whole("loop:\n" + inner + bundle("\(branch) loop")))
  }

  private static func loop(_ name: String, _ code: Code, _ published: Published?, remark: String? = nil) -> Benchmark {
    Benchmark("loop/\(name)", unit: "cycles per pass", Method(code, passes: (200, 1200)), published, remark: remark)
  }

  private static var loops: [Benchmark] {
    let one = Published(.exactly(1), "251110, GMP", .high)
    let split = Published(.exactly(2), "251110, CAL", .high)
    var result: [Benchmark] = []
    for (name, branch) in [("cloop", "br.cloop.sptk.few"), ("ctop", "br.ctop.sptk.few")] {
      result += [
        loop("\(name)-two-bundles", countedLoop(2, branch), one),
        loop("\(name)-four-bundles", countedLoop(4, branch), Published(.exactly(2), "251110, GMP", .high)),
        loop(
          "\(name)-two-bundles-second", countedLoop(2, branch).with(\.alignment, .second), split,
          remark: "the target is the second bundle of a pair: one bundle arrives in its cycle"),
        loop("\(name)-one-bundle", countedLoop(1, branch), nil, remark: "the alignment in the pair matters"),
        loop("\(name)-one-bundle-second", countedLoop(1, branch).with(\.alignment, .second), nil),
      ]
    }
    result.append(
      loop(
        "conditional-two-bundles",
        Code(
          .whole(
            "loop:\n" + Text.bundle("mmi", ["cmp.ne p8,p0=1,r9", "adds r9=-1,r9", "nop 0"])
              + bundle("(p8) br.cond.sptk.few loop"))), one, remark: "compare and branch in one group"))
    result.append(
      loop(
        "count-set-late",
        Code(
          .whole(
            """
            loop:
            { .mii
              nop.m 0
              mov ar.lc=r0 ;;
              nop.i 0
            }
            { .mib
              adds r9=-1,r9
              nop.i 0
              br.cloop.sptk.few loop ;;
            }
            { .mib
              cmp.ne p8,p0=0,r9
              nop.i 0
              (p8) br.cond.sptk.few loop ;;
            }
            """)), nil, remark: "ar.lc written in the group before its branch"))
    return result
  }

  // MARK: Mispredictions

  /// A static hint overrides the predictor, so a branch against its hint is mispredicted each time; the reference has the right hint.
  private static var mispredicted: [Benchmark] {
    let six = Published(.exactly(6), "251110, GCC", .high)
    func notTaken(_ hint: String) -> Code {
      .loop(Text.idle(8) + Text.repeated(2) { _ in bundle("(p10) br.cond.\(hint).few end") + Text.idle(8) })
    }
    func taken(_ hint: String) -> Code {
      .loop(
        Text.idle(8)
          + Text.repeated(2) { n in bundle("(p12) br.cond.\(hint).few next\(n)") + Text.idle(1) + "next\(n):\n" + Text.idle(8) })
    }
    return [
      bubbles("mispredicted-not-taken", notTaken("sptk"), notTaken("spnt"), units: 2, six),
      bubbles("mispredicted-taken", taken("spnt"), taken("sptk"), units: 2, six),
    ]
  }

  // MARK: Patterns

  /// A branch that follows the lowest bit of r30, which `step` moves on. Both ways have as many groups.
  private static func patternLoop(_ step: String, _ setup: String) -> Code {
    .loop(
      Text.alone(step) + Text.alone("tbit.nz p14,p15=r30,0") + Text.idle(4) + bundle("(p14) br.cond.dptk.few other") + Text.idle(1)
        + bundle("br.cond.sptk.few join") + "other:\n" + Text.idle(2) + "join:\n" + Text.idle(4), setup: setup)
  }

  private static var patterns: [Benchmark] {
    // x' = x >> 1 ^ (x & 1 ? taps : 0): a maximal sequence of 63 bits.
    let generator = """
      tbit.nz p8,p9=r30,0 ;;
      shr.u r30=r30,1 ;;
      (p8) xor r30=r30,r31
      """
    let generated = patternLoop(generator, "movl r30=0x2545f4914f6cdd1d ;;\nmovl r31=0x6000000000000000 ;;\n")
    let alternating = patternLoop("xor r30=1,r30 ;;\nnop.m 0 ;;\nnop.m 0", "mov r30=0 ;;\n")
    let always = patternLoop("or r30=1,r30 ;;\nnop.m 0 ;;\nnop.m 0", "mov r30=0 ;;\n")
    let wide = (few: 400, many: 2400)
    func pattern(_ name: String, _ code: Code, remark: String) -> Benchmark {
      Benchmark(
        "branch/pattern-\(name)", unit: "cycles lost", Method(code, minus: always, passes: wide), nil, remark: remark)
    }
    return [
      pattern("random", generated, remark: "half of a misprediction, where nothing can be learnt"),
      pattern(
        "alternating", alternating,
        remark: "nothing, with a local history"),
    ]
  }

  // MARK: Targets from elsewhere

  private static var targets: [Benchmark] {
    let returned = Text.repeated(4) { _ in pair("br.call.sptk.few b6=function") }
    let jumped = Text.repeated(4) { n in
      pair("br.cond.sptk.few place\(n)") + idlePair + "place\(n):\n" + pair("br.cond.sptk.few back\(n)") + idlePair + "back\(n):\n"
    }
    // The function stands before the loop, where nothing falls into it.
    let function = pair("br.cond.sptk.few main") + "function:\n" + pair("br.ret.sptk.few b6") + "main:\n"
    let indirect = Text.repeated(2) { n in pair("br.cond.sptk.few b\(6 + n)") + idlePair + "target\(n):\n" + idlePair }
    let direct = Text.repeated(2) { n in pair("br.cond.sptk.few target\(n)") + idlePair + "target\(n):\n" + idlePair }
    let setup = "movl r16=target0 ;;\nmovl r17=target1 ;;\nmov b6=r16 ;;\nmov b7=r17 ;;\n"
    func written(_ distance: Int, _ register: String) -> Code {
      .loop(
        Text.idle(8) + Text.alone("mov b6=r16") + Text.idle(distance) + bundle("br.cond.sptk.few \(register)") + Text.idle(1)
          + "target0:\n" + Text.idle(1) + "target1:\n",
        setup: "movl r16=target0 ;;\nmovl r17=target0 ;;\nmov b6=r16 ;;\nmov b7=r17 ;;\n")
    }
    return [
      bubbles(
        "return", unit: "cycles lost per call and return", .loop(returned, setup: function), .loop(jumped),
        Published(.exactly(1), "251110", .medium), remark: "the call 0, the return 1; the reference jumps there and back"),
      bubbles(
        "indirect", .loop(indirect, setup: setup), .loop(direct, setup: setup), units: 2, Published(.exactly(2), "251110", .medium)),
      bubbles(
        "mov-to-br-at-once", written(0, "b6"), written(0, "b7"), units: 1, nil, remark: "the front end knows the target too late"),
      bubbles(
        "mov-to-br-eight-groups", written(8, "b6"), written(8, "b7"), units: 1, Published(.exactly(0), "LK"),
        remark: "Linux leaves seven cycles"),
    ]
  }
}
