import Foundation
import Testing

/// What `--timing cycle` reports: the pipeline trace, statistics and the table of a program whose cycles follow from the published rules
/// of the Itanium 2.
@Suite("Cycle reports") struct CycleReportTests {
  /// A loop of 16 turns, each of them seven groups; assembled by GNU as.
  /// ```
  ///     alloc r2=ar.pfs,0,0,1,0
  ///     adds r14=-64,r12 ;;
  ///     st8 [r14]=r14
  ///     mov r15=1025
  ///     mov ar.lc=15 ;;
  /// loop:                              // 40000000000100a0
  ///     ld8 r14=[r14] ;;               // t
  ///     ld8 r14=[r14] ;;               // t + 2: an address is there two cycles after its load
  ///     add r17=r14,r0 ;;              // t + 3: other operands after one
  ///     fma.d f6=f0,f0,f1 ;;           // t + 4
  ///     fma.d f7=f6,f6,f1 ;;           // t + 8: fma takes four cycles
  ///     getf.sig r18=f1 ;;             // t + 9
  ///     add r19=r18,r0                 // t + 14: getf takes five
  ///     br.cloop.sptk loop ;;          // t + 15 again: a taken branch that was expected costs nothing
  ///     cmp.eq p6,p7=r0,r0 ;;          // 4000000000010110
  /// (p7) adds r32=1,r0
  /// (p6) br.cond.sptk done ;;
  ///     nop.m 0 ;;
  /// done:
  ///     mov r32=0
  ///     break 0x100000 ;;
  /// ```
  private static let loop: [UInt64] = [
    0x00E0_0580_0004_1009, 0x0004_0000_0046_7E32, 0x08F0_1198_1C38_0009, 0x002A_08F0_0048_1000,
    0x0000_1018_1C00_7001, 0x0004_0000_0000_0200, 0x0000_1018_1C00_7001, 0x0004_0000_0000_0200,
    0x0000_2000_0038_8801, 0x0004_0000_0000_0200, 0x0860_0001_0000_000D, 0x0004_0000_0048_0000,
    0x0870_0001_0000_000D, 0x0004_0000_0048_0C18, 0x0000_10E1_0004_9001, 0x0004_0000_0000_0200,
    0x0000_2000_0048_9811, 0x48FF_FFA0_A000_0200, 0x0000_3807_0000_3009, 0x0004_0000_0000_0200,
    0x0000_2100_0005_00F1, 0x4000_0020_0300_0200, 0x0000_0001_0000_0001, 0x0004_0000_0000_0200,
    0x0000_2400_0001_0011, 0x2000_0000_0004_0000,
  ]
  private static let map = """
    4000000000010080 T _start
    40000000000100a0 t __loop_start
    40000000000100a0 t loop
    4000000000010110 T last
    4000000000010150 D _edata

    """

  private let folder: TemporaryFolder
  private let program: String

  init() throws {
    folder = try TemporaryFolder()
    program = try folder.write("program", SmallProgram(code: Self.loop).bytes)
  }

  private func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  private func run(_ options: [String]) throws -> Epicure.Result {
    let result = try Epicure.run(["run", "--timing", "cycle"] + options + [program], seconds: 60)
    #expect(!result.crashed, "\(result.errors)")
    return result
  }

  private func trace(_ options: [String] = []) throws -> [KanataLog.Instruction] {
    let file = path("trace")
    let result = try run(["--pipeline-trace", file] + options)
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    return try KanataLog(String(contentsOfFile: file, encoding: .utf8)).instructions
  }

  // MARK: The trace

  /// The last turn of the loop, when all caches and buffers know it. Cycles in EXE: the rules are in the program's comments.
  @Test func traceOfALoopFollowsThePublishedLatencies() throws {
    let all = try trace()
    func last(_ address: String) throws -> KanataLog.Instruction { try #require(all.last { $0.label.hasPrefix(address) }) }
    let first = try last("40000000000100a0.0")
    let t = try #require(first.start("EXE"))
    for (offset, after) in [(0xB0, 2), (0xC0, 3), (0xD0, 4), (0xE0, 8), (0xF0, 9), (0x100, 14)] {
      let instruction = try last(String(0x4000_0000_0001_0000 + offset, radix: 16) + ".0")
      #expect(instruction.start("EXE") == t + after, "\(instruction.label)")
    }
    // The turn before was 15 cycles earlier.
    #expect(all.filter { $0.label.hasPrefix("40000000000100a0.0") }.dropLast().last?.start("EXE") == t - 15)
    #expect(first.label == "40000000000100a0.0: ld8 r14=[r14]")

    // Who waits does so in REG; the second lane says for what.
    let chase = try last("40000000000100b0.0")
    #expect(chase.stages.first { $0.name == "REG" } == KanataLog.Stage(name: "REG", start: t, end: t + 2))
    #expect(chase.waits == [KanataLog.Stage(name: "load", start: t + 1, end: t + 2)])
    #expect(chase.detail.contains("waited 1: 1 load data"))
    let consumer = try last("4000000000010100.0")
    #expect(consumer.waits == [KanataLog.Stage(name: "integer_result", start: t + 10, end: t + 14)])

    // Eight stages; FP instructions are in FP1 to FP4 instead of EXE and DET (section 1 of the manual).
    #expect(first.stages.map(\.name) == ["IPG", "ROT", "EXP", "REN", "REG", "EXE", "DET", "WRB"])
    #expect(first.end == t + 3)
    let float = try last("40000000000100e0.1")
    #expect(float.label.hasSuffix("fma.d.s0 f7=f6,f6,f1"))
    #expect(float.stages.map(\.name) == ["IPG", "ROT", "EXP", "REN", "REG", "FP1", "FP2", "FP3", "FP4", "WRB"])
    #expect(float.start("FP1") == t + 8)
    #expect(float.end == t + 13)
  }

  /// Each instruction that retires is there once, in order; branches and predicates are marked.
  @Test func traceIsComplete() throws {
    let everything = try trace()
    // The first store finds no page of the stack; when that is there, its group comes again.
    let flushed = everything.filter(\.isFlushed)
    #expect(flushed.map { String($0.label.prefix(18)) } == (0..<3).map { "4000000000010090.\($0)" })
    #expect(flushed.allSatisfy { $0.label.hasSuffix("[not executed]") })
    let all = everything.filter { !$0.isFlushed }
    // 2 bundles, 16 turns of 7, 2 bundles, and the last one up to its break; the bundle that is branched over is not there.
    #expect(all.count == 3 * (2 + 16 * 7 + 2) + 2)
    #expect(all.count { $0.label.contains("br.cloop") } == 16)
    #expect(all.count { $0.label.contains("br.cloop") && $0.label.hasSuffix("[taken]") } == 15)
    #expect(all.filter { $0.label.hasSuffix("[off]") }.map(\.label) == ["4000000000010120.0: (p07) adds r32=1,r0  [off]"])
    #expect(all.contains { $0.label.contains("(p06) br.cond.sptk.few") && $0.label.hasSuffix("[taken]") })
    let issued = all.compactMap { $0.start("EXE") ?? $0.start("FP1") }
    #expect(issued == issued.sorted())
  }

  @Test func traceIsLimited() throws {
    let all = try trace()
    let exe = all.compactMap { $0.start("EXE") ?? $0.start("FP1") }
    let from = try #require(all.last { $0.label.hasPrefix("40000000000100a0.0") }?.start("EXE"))
    let some = try trace(["--pipeline-trace-from", "\(from)", "--pipeline-trace-cycles", "9"])
    #expect(some.count == exe.count { from <= $0 && $0 < from + 9 })
    #expect(some.compactMap { $0.start("EXE") ?? $0.start("FP1") } == exe.filter { from <= $0 && $0 < from + 9 })
  }

  // MARK: Statistics

  private struct Statistics: Decodable {
    struct Level: Decodable {
      var level: Int
      var cycles: UInt64
      var stall: [String: UInt64]
    }
    struct Symbol: Decodable {
      var name: String
      var cycles: UInt64
      var groups: UInt64
      var stall: [String: UInt64]
    }
    struct Branches: Decodable {
      struct Kind: Decodable { var executed, taken, mispredicted: UInt64 }
      var executed, taken, mispredicted: UInt64
      var kinds: [String: Kind]
    }
    struct Cache: Decodable { var accesses, misses: UInt64 }
    struct Pipeline: Decodable {
      var cycles: UInt64
      var instructions: UInt64
      var stall: [String: UInt64]
      var privilege_levels: [Level]
      var symbols: [Symbol]
      var branch: Branches
      var cache: [String: Cache]
      var tlb: [String: UInt64]
    }
    var cycles: UInt64
    var pipeline: Pipeline
  }

  private func statistics(_ options: [String] = []) throws -> Statistics {
    #expect(try run(["--stats", path("stats")] + options).status == 0)
    return try JSONDecoder().decode(Statistics.self, from: Data(contentsOf: folder.url.appendingPathComponent("stats")))
  }

  @Test func causesAddUp() throws {
    let all = try statistics()
    let p = all.pipeline
    #expect(p.cycles == all.cycles)
    #expect(p.stall.values.reduce(0, +) == p.cycles)
    #expect(p.privilege_levels.map(\.level) == [3])
    for level in p.privilege_levels { #expect(level.stall.values.reduce(0, +) == level.cycles) }
    #expect(p.privilege_levels.reduce(0) { $0 + $1.cycles } == p.cycles)
    for symbol in p.symbols { #expect(symbol.stall.values.reduce(0, +) == symbol.cycles) }
    #expect(p.symbols.reduce(0) { $0 + $1.cycles } == p.cycles)
    // One group a bundle, and the one that comes again.
    let groups: UInt64 = 3 + 16 * 7 + 3
    #expect(p.stall["issue"] == groups)
  }

  @Test func branchesAreCountedByKind() throws {
    let branch = try statistics().pipeline.branch
    #expect(branch.executed == 17)
    #expect(branch.taken == 16)
    let loop = try #require(branch.kinds["cloop"])
    #expect(loop.executed == 16 && loop.taken == 15 && loop.mispredicted == 0)
    let conditional = try #require(branch.kinds["conditional"])
    #expect(conditional.executed == 1 && conditional.taken == 1)
  }

  @Test func cachesAreCounted() throws {
    let p = try statistics().pipeline
    // Two loads a turn.
    #expect(p.cache["l1d"]?.accesses == 32)
    #expect(Set(p.cache.keys) == ["l1i", "l1d", "l2i", "l2d", "l3"])
    for (name, cache) in p.cache { #expect(cache.misses <= cache.accesses, "\(name)") }
  }

  /// By System.map, as plain text and compressed; without one the program's page.
  @Test func cyclesAreSummedUpBySymbol() throws {
    let map = try folder.write("System.map", Array(Self.map.utf8))
    let p = try statistics(["--symbols", map]).pipeline
    #expect(Set(p.symbols.map(\.name)) == ["_start", "loop", "last"])
    let loop = try #require(p.symbols.first { $0.name == "loop" })
    #expect(loop.groups == 16 * 7)
    // In each turn three cycles for fma and four for getf; in the first one a new line of L1I takes longer than getf.
    #expect(loop.stall["integer_result"] == 15 * 4)
    #expect(loop.stall["float_result"] == 16 * 3)
    let page = try statistics().pipeline.symbols
    #expect(page.map(\.name) == ["[page]"])
  }

  // MARK: The table

  @Test func tableIsOnStandardError() throws {
    let map = try folder.write("System.map", Array(Self.map.utf8))
    let result = try run(["--cycle-report", "--symbols", map])
    #expect(result.status == 0)
    #expect(result.output.isEmpty)
    #expect(result.errors.hasPrefix("montecito-1.6: "))
    for word in ["CPI", "IPC", "floating-point result", "#", "loop", "branches: 17 executed"] {
      #expect(result.errors.contains(word), "\(word)")
    }
  }

  // MARK: What cannot be

  /// Status 2 and one line.
  private func refused(_ arguments: [String], _ reason: String) throws {
    let result = try Epicure.run(["run"] + arguments + [program], seconds: 60)
    #expect(result.status == 2)
    #expect(result.errors.split(separator: "\n").count == 1)
    #expect(result.errors.hasPrefix("epicure: ") && result.errors.contains(reason), "\(result.errors)")
  }

  @Test func optionsNeedCycleTiming() throws {
    try refused(["--pipeline-trace", path("trace")], "--pipeline-trace needs --timing cycle")
    try refused(["--cycle-report"], "--cycle-report needs --timing cycle")
    try refused(["--symbols", program], "--symbols needs --timing cycle")
    try refused(["--timing", "cycle", "--pipeline-trace-from", "5"], "--pipeline-trace-from needs --pipeline-trace")
    try refused(
      ["--timing", "cycle", "--pipeline-trace", path("trace"), "--pipeline-trace-processor", "1"],
      "--pipeline-trace-processor must be less")
    #expect(!FileManager.default.fileExists(atPath: path("trace")))
  }

  @Test func filesThatCannotBe() throws {
    try refused(["--timing", "cycle", "--pipeline-trace", path("no/trace")], "cannot write \(path("no/trace"))")
    try refused(["--timing", "cycle", "--symbols", path("nothing"), "--cycle-report"], path("nothing"))
    let text = try folder.write("text", Array("neither this\nnor that\n".utf8))
    try refused(["--timing", "cycle", "--symbols", text, "--cycle-report"], "neither an ELF file nor a System.map")
  }

  /// The program's result is what counts.
  @Test func fullDiskEndsTheTraceOnly() throws {
    let result = try run(["--pipeline-trace", "/dev/full"])
    #expect(result.status == 0)
    #expect(result.errors == "epicure: the pipeline trace is not complete: /dev/full: No space left on device\n")
  }
}
