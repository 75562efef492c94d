/// In which cycle a group was in which stage, told from the cycle in which it issued and what it has waited for.
///
/// The model knows the cycle of EXE. The stages before it move together: all of them stand while the group in REG waits, and what keeps
/// the front end leaves a gap. So a group's way is that of the groups before it, one step behind, and each wait lies in one place:
/// - what had to be fetched (a line, a translation, a loop count, bandwidth) holds the group in IPG,
/// - what steers fetching elsewhere (a taken branch, a misprediction, a flush) or stops the processor keeps it from beginning,
/// - everything else holds it in REG, in front of EXE.
///
/// That draws IPG and ROT as late as they can have been: how far the front end runs ahead into its buffer does not show.
struct StagePlacement {
  /// Cycles of the last steps of the stages in front of EXE, the newest last: in the newest one a group went to EXE.
  private var steps: [UInt64] = []
  private static let depth = 8

  /// First cycles of IPG, ROT, EXP, REN, REG and EXE.
  struct Stages {
    var ipg, rot, exp, ren, reg, exe: UInt64
  }

  mutating func place(issued: UInt64, waits: CauseCounts) -> Stages {
    var before: UInt64 = 0
    var fetching: UInt64 = 0
    var waiting: UInt64 = 0
    for (cause, cycles) in waits.entries {
      switch cause.place {
      case .beforeFetch: before &+= cycles
      case .fetch: fetching &+= cycles
      case .register: waiting &+= cycles
      case .none: break
      }
    }
    if steps.isEmpty {
      // Nothing was in the pipeline. It was not there before cycle 0 either.
      let start = issued &- 1 &- before &- fetching &- waiting
      for back in (0..<UInt64(Self.depth)).reversed() { steps.append(start > back ? start &- back : 0) }
    }
    advance(before)
    let ipg = steps[Self.depth - 5]
    advance(fetching)
    let reg = steps[Self.depth - 1]
    steps.removeFirst()
    steps.append(issued)
    return Stages(
      ipg: ipg, rot: steps[Self.depth - 5], exp: steps[Self.depth - 4], ren: steps[Self.depth - 3], reg: reg, exe: issued)
  }

  /// The group of the newest step goes on, and goes to EXE only then.
  mutating func delay(to issued: UInt64) { if !steps.isEmpty { steps[Self.depth - 1] = issued } }

  /// Steps in which nothing goes to EXE.
  private mutating func advance(_ cycles: UInt64) {
    let start = steps[Self.depth - 1]
    let visible = min(cycles, UInt64(Self.depth))
    for step in 0..<visible {
      steps.removeFirst()
      steps.append(start &+ cycles &- visible &+ step &+ 1)
    }
  }
}

extension Cause {
  /// Where a wait shows.
  enum Place { case beforeFetch, fetch, register, none }

  var place: Place {
    switch self {
    case .issue: .none
    case .halted, .mispredict, .flush, .hypervisor, .fetchBranch: .beforeFetch
    case .fetchMiss, .fetchTLB, .fetchLoop, .fetchBandwidth: .fetch
    case .dataTLB, .walker, .backPressure, .memoryOrder, .load, .integer, .float, .predicate, .system, .bankSwitch, .stackOverflow,
      .stackUnderflow:
      .register
    }
  }
}
