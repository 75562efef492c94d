/// Traffic of the register stack: what a register costs that a call, a return or an instruction moves between file and memory.
enum RegisterStack {
  static func all() -> [Benchmark] { [chain, overflow, flush, load] }

  /// At most two references a cycle (event RSE_REFERENCES_RETIRED), so half a cycle for a register at least.
  private static let half = Published(.atLeast(0.5), "PFM")

  /// Functions that call each other `depth` deep, each with a frame of `size` registers, and return.
  private static func calls(depth: Int, size: Int) -> Code {
    // The deepest one first; each saves ar.pfs and the link in its frame.
    var functions = "br.cond.sptk.few main ;;\n"
    for level in (0..<depth).reversed() {
      functions += "level\(level):\n"
      functions += Text.alone("alloc r32=ar.pfs,0,\(size),0,0") + Text.alone("mov r33=b0")
      if level + 1 < depth {
        functions += "{ .mib\nnop 0\nnop 0\nbr.call.sptk.few b0=level\(level + 1) ;;\n}\n"
      }
      functions += Text.alone("mov ar.pfs=r32") + Text.alone("mov b0=r33") + Text.idle(8)
      functions += "{ .mib\nnop 0\nnop 0\nbr.ret.sptk.few b0 ;;\n}\n"
    }
    let setup = Text.alone("alloc r31=ar.pfs,0,2,0,0")
    return .loop("{ .mib\nnop 0\nnop 0\nbr.call.sptk.few b0=level0 ;;\n}\n", setup: functions + "main:\n" + setup)
  }

  /// Eight frames of 22 registers, 176 with the caller's two more than the file's 96; the reference has frames of two. Each pass spills
  /// and fills what does not fit.
  private static var chain: Benchmark {
    let (depth, size) = (8, 22)
    let moved = 2 * (depth * size + 2 - 96)
    return Benchmark(
      "stack/call-chain", unit: "cycles per register moved",
      Method(calls(depth: depth, size: size), minus: calls(depth: depth, size: 2), units: moved), half,
      remark: "spilled on the way down, filled on the way up")
  }

  /// Four frames of 22 registers fit: deep calls without traffic cost no more than small ones.
  private static var overflow: Benchmark {
    Benchmark(
      "stack/call-chain-that-fits", unit: "cycles lost per chain",
      Method(calls(depth: 4, size: 22), minus: calls(depth: 4, size: 2)),
      Published(.exactly(0), "LK"), remark: "96 physical registers")
  }

  /// A call makes the 80 registers of the frame dirty; flushrs writes them. The callee's frame is empty.
  private static func dirtied(_ size: Int, _ instructions: String) -> Code {
    let function =
      "br.cond.sptk.few main ;;\nfunction:\n" + instructions + Text.idle(8) + "{ .mib\nnop 0\nnop 0\nbr.ret.sptk.few b0 ;;\n}\n"
    let body =
      Text.alone("alloc r31=ar.pfs,0,\(size),0,0") + Text.idle(4) + "{ .mib\nnop 0\nnop 0\nbr.call.sptk.few b0=function ;;\n}\n"
      + Text.idle(8)
    return .loop(body, setup: function + "main:\n" + Text.alone("mov ar.rsc=0"))
  }

  private static var flush: Benchmark {
    Benchmark(
      "stack/flushrs", unit: "cycles per register",
      Method(dirtied(80, Text.alone("flushrs")), minus: dirtied(16, Text.alone("flushrs")), units: 64),
      half, remark: "the return finds the registers still in the file")
  }

  /// What is above `loadrs` bytes of the backing store is thrown away, so the return fills its frame.
  private static var load: Benchmark {
    let instructions = Text.alone("flushrs") + Text.alone("loadrs")
    return Benchmark(
      "stack/flushrs-loadrs-return", unit: "cycles per register",
      Method(dirtied(80, instructions), minus: dirtied(16, instructions), units: 128),
      half, remark: "written by flushrs, dropped by loadrs, filled by the return")
  }
}
