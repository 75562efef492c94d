import CycleBenchmarks
import Pipeline
import Processor
import Testing

/// Changing one parameter of a machine's description changes what it should, and nothing else: a sample of the microbenchmarks, one or two
/// for each mechanism, measured again with one key changed.
@Suite("Parameters of the description", .timeLimit(.minutes(5)))
struct ParameterTests {
  private static let sample = [
    "latency/add", "latency/padd1", "latency/fma.d", "latency/xma.l", "latency/fmin", "latency/fcvt.xf", "latency/fcmp.eq",
    "latency/getf.sig", "latency/setf.sig", "bypass/alu-multimedia", "bypass/multimedia-alu", "bypass/load-load-address",
    "bypass/load-multimedia", "bypass/load-setf", "bypass/fma-stf", "bypass/load-stf", "ports/fixed-shift", "ports/load-store",
    "branch/taken", "branch/mispredicted-taken", "branch/return", "branch/indirect", "branch/mov-to-br-at-once",
    "loop/count-set-late",
    "system/read-ar.bsp", "system/read-ar.unat", "system/read-ar.itc", "system/read-cr.iip", "system/read-cr.ifa",
    "system/rsm-srlz",
    "system/bsw", "system/probe", "system/mf", "system/xchg8", "system/rfi", "speculation/chk.a-fails", "memory/l2-to-alu",
    "memory/l2-to-float", "memory/l3-to-alu", "memory/l2-l1dtlb-miss", "memory/l2-walk", "memory/store-load-3", "bank/conflict",
    "stack/call-chain",
  ]

  private static func figures(_ yaml: String) throws -> [String: Ratio?] {
    let description = try MachineDescription.parse("base: montecito-1.6\n\(yaml)\n")
    let runner = BenchmarkRunner { Attachment(Pipeline(description, watching: $0)) }
    let chosen = Set(sample)
    var figures: [String: Ratio?] = [:]
    for benchmark in Catalogue.benchmarks(for: .montecito) where chosen.contains(benchmark.name) {
      figures[benchmark.name] = runner.measure(benchmark).figure
    }
    return figures
  }

  private static let unchanged = Swift.Result { try figures("") }

  /// What each key is for decides what may change; where several benchmarks need the mechanism, all of them are named.
  @Test(
    arguments: [
      ("latency: { fma: 5 }", ["latency/fma.d"]),
      // Multimedia results of later, not what integer instructions wait beyond that: the difference is kept.
      ("latency: { multimedia: 3 }", ["latency/padd1"]),
      ("latency: { integer_to_multimedia: 2 }", ["bypass/alu-multimedia"]),
      ("latency: { multimedia_to_integer: 4 }", ["bypass/multimedia-alu"]),
      // Pointer chases are loads of addresses; those without translation are measured to an ALU instruction.
      ("latency: { load_to_address: 3 }", ["bypass/load-load-address", "memory/l2-l1dtlb-miss", "memory/l2-walk"]),
      ("latency: { load_to_address: 9 }", ["bypass/load-load-address", "memory/l2-l1dtlb-miss", "memory/l2-walk"]),
      ("latency: { load_to_multimedia: 3 }", ["bypass/load-multimedia"]),
      ("latency: { load_to_setf: 3 }", ["bypass/load-setf"]),
      ("latency: { float_to_store: 6 }", ["bypass/fma-stf"]),
      ("latency: { float_load_to_store: 8 }", ["bypass/load-stf"]),
      ("latency: { getf: 6 }", ["latency/getf.sig"]),
      ("latency: { setf: 7 }", ["latency/setf.sig"]),
      ("latency: { xma: 5 }", ["latency/xma.l"]),
      ("latency: { fcmp: 3 }", ["latency/fcmp.eq"]),
      ("latency: { float_convert: 5 }", ["latency/fcvt.xf"]),
      ("latency: { float_miscellaneous: 5 }", ["latency/fmin"]),
      ("dispersal: { shifter_on_i1: false }", ["ports/fixed-shift"]),
      ("dispersal: { memory_operations_per_cycle: 2 }", ["ports/load-store"]),
      ("front_end: { return_bubble: 2 }", ["branch/return"]),
      ("front_end: { indirect_bubble: 3 }", ["branch/indirect"]),
      ("branch: { mispredict: 9 }", ["branch/mispredicted-taken", "branch/mov-to-br-at-once"]),
      ("branch: { loop_count_ahead: 8 }", ["loop/count-set-late"]),
      ("system: { slow_read: 13 }", ["system/read-ar.bsp"]),
      ("system: { nat_read: 6 }", ["system/read-ar.unat"]),
      ("system: { itc_read: 40 }", ["system/read-ar.itc"]),
      ("system: { quick_control_read: 3 }", ["system/read-cr.iip"]),
      ("system: { control_read: 14 }", ["system/read-cr.ifa"]),
      ("system: { system_mask: 7 }", ["system/rsm-srlz"]),
      ("system: { bank_switch: 8 }", ["system/bsw"]),
      ("system: { probe: 7 }", ["system/probe"]),
      ("system: { fence: 9 }", ["system/mf"]),
      ("system: { semaphore: 9 }", ["system/xchg8"]),
      ("system: { return_from_interruption: 20 }", ["system/rfi"]),
      ("system: { check_recovery: 8 }", ["speculation/chk.a-fails"]),
      ("stack: { registers_per_cycle: 1 }", ["stack/call-chain"]),
      ("memory: { float_extra: 2 }", ["memory/l2-to-float"]),
      ("memory: { bank_conflict: 6 }", ["bank/conflict"]),
      ("memory: { store_forward_window: 2 }", ["memory/store-load-3"]),
      // A walk follows a miss of both levels.
      ("translation: { l1_data_miss: 6 }", ["memory/l2-l1dtlb-miss", "memory/l2-walk"]),
      ("translation: { walk: 20 }", ["memory/l2-walk"]),
      // Everything that is served by L2: floating-point loads and semaphores always are.
      (
        "l2d: { latency: 7 }",
        [
          "bypass/load-stf", "system/xchg8", "memory/l2-l1dtlb-miss", "memory/l2-walk", "memory/l2-to-alu", "memory/l2-to-float",
          "memory/store-load-3",
        ]
      ),
      ("l3: { latency: 20 }", ["memory/l3-to-alu"]),
      // What no program here can see.
      ("memory: { nanoseconds: 300 }", []), ("virtualization: { intercept: 100 }", []), ("name: another", []),
    ])
  func changesOnlyWhatItShould(yaml: String, affected: [String]) throws {
    let before = try Self.unchanged.get()
    let after = try Self.figures(yaml)
    #expect(before.count == Self.sample.count)
    let changed = before.keys.filter { before[$0] != after[$0] }
    #expect(Set(changed) == Set(affected), "\(yaml)")
  }

  /// A run is a function of its inputs, to the last cycle.
  @Test func isDeterministic() throws { #expect(try Self.unchanged.get() == Self.figures("")) }

  private final class Attachment: AttachedModel {
    private let pipeline: Pipeline
    init(_ pipeline: Pipeline) { self.pipeline = pipeline }
    /// Causes add up to the clock.
    func runEnded(_ processor: LogicalProcessor) {
      #expect(pipeline.accountedCycles == processor.state.cycles)
    }
  }
}

@Suite("Descriptions as YAML")
struct DescriptionTests {
  @Test(arguments: MachineDescription.shipped) func ships(name: String) throws {
    #expect(try MachineDescription.load(name).name == name)
  }

  /// The defaults are those of the file that names no difference.
  @Test func defaults() throws {
    #expect(try MachineDescription.load("montecito-1.6") == MachineDescription())
    #expect(try MachineDescription.parse(MachineDescription().yaml) == MachineDescription())
  }

  @Test func differences() throws {
    let madison = try MachineDescription.load("madison-1.5")
    #expect(madison.clockMHz == 1500 && madison.itcDivisor == 1 && !madison.dispersal.shifterOnI1 && madison.l2i.bytes == 0)
    let own = try MachineDescription.parse("base: madison-1.5\nmemory: { nanoseconds: 400, load_misses: 4 }")
    #expect(own.memory.nanoseconds == 400 && own.memory.loadMisses == 4 && own.clockMHz == 1500)
  }

  /// One line that says what is wrong, and what there is.
  @Test(
    arguments: [
      ("latency: { fmaa: 4 }", "latency.fmaa: there is no such key; there are "),
      ("latency: 4", "latency.: keys and values are wanted"),
      ("latency: { fma: { a: 1 } }", "latency.fma.: one value is wanted"),
      ("latency: { fma: four }", "latency.fma: the value is of the wrong kind"),
      ("base: pentium", "base: there is no pentium; there are montecito-1.6"),
      ("l3: { ways: 7 }", "l3: bytes / (ways * line) must be a power of two"),
      ("l1d: { line: 48 }", "l1d.line: a power of two is wanted"),
      ("branch: { return_stack: 0 }", "branch.return_stack: from 1 to 64, not 0"),
      ("system: { fence: -1 }", "system.fence: from 0 to 16384, not -1"),
      // What would not fit a group's record, or what the model cannot do, is said and not cut off.
      ("system: { slow_read: 100000 }", "system.slow_read: from 0 to 16384, not 100000"),
      ("latency: { integer_to_multimedia: 4 }", "latency.integer_to_multimedia: from 1 to 3, not 4"),
      ("memory: { banks: 12 }", "memory.banks: a power of two is wanted"),
      ("memory: { uncached_nanoseconds: .nan }", "memory.uncached_nanoseconds: from 0.0 to 1000000.0, not nan"),
      ("clock_mhz: 0", "clock_mhz: from 1.0 to 100000.0, not 0.0"), ("[1, 2]", "a description is a list of keys and values"),
      ("a: [", ""),
    ])
  func mistakes(yaml: String, message: String) {
    do {
      _ = try MachineDescription.parse(yaml)
      Issue.record("\(yaml) was taken")
    } catch {
      #expect("\(error)".hasPrefix(message), "\(error)")
      #expect(!"\(error)".contains("\n"))
    }
  }
}
