/// What a cycle was spent on. Each cycle has exactly one cause; names in comments are the performance monitor's events.
public enum Cause: UInt8, CaseIterable, Sendable, Codable {
  /// A group issued.
  case issue
  /// The processor was halted, or time passed for it while others ran.
  case halted
  /// BE_FLUSH_BUBBLE.BRU: a branch was predicted wrongly.
  case mispredict
  /// BE_FLUSH_BUBBLE.XPN: an interruption, or an instruction that refetches what follows.
  case flush
  /// BE_L1D_FPU_BUBBLE.L1D_TLB, L1D_HPW: the data translation had to be fetched.
  case dataTLB
  case walker
  /// BE_L1D_FPU_BUBBLE.L1D_L2BPRESS: L2 takes no more accesses.
  case backPressure
  /// BE_L1D_FPU_BUBBLE: semaphores, fences and uncacheable references.
  case memoryOrder
  /// BE_EXE_BUBBLE.GRALL less GRGR: an integer load's data are not there.
  case load
  /// BE_EXE_BUBBLE.GRGR: another integer result is not there.
  case integer
  /// BE_EXE_BUBBLE.FRALL: a floating-point result or load.
  case float
  /// BE_EXE_BUBBLE.PR
  case predicate
  /// BE_EXE_BUBBLE.ARCR
  case system
  /// BE_EXE_BUBBLE.BANK_SWITCH
  case bankSwitch
  /// BE_RSE_BUBBLE.OVERFLOW, UNDERFLOW
  case stackOverflow, stackUnderflow
  /// BACK_END_BUBBLE.FE, by what kept the front end (FE_BUBBLE): a taken branch, a miss in L1I, in the ITLB, a loop count that came
  /// late, and plain lack of bandwidth.
  case fetchBranch, fetchMiss, fetchTLB, fetchLoop, fetchBandwidth
  /// The hypervisor worked for the guest.
  case hypervisor

  /// Words from one privilege level's counts to the next.
  static let stride = 32

  /// What files for machines call it.
  public var key: String {
    switch self {
    case .mispredict: "branch_mispredict"
    case .dataTLB: "data_tlb"
    case .walker: "vhpt_walker"
    case .backPressure: "l2_full"
    case .memoryOrder: "memory_order"
    case .integer: "integer_result"
    case .float: "float_result"
    case .system: "system_register"
    case .bankSwitch: "bank_switch"
    case .stackOverflow: "stack_store"
    case .stackUnderflow: "stack_load"
    case .fetchBranch: "fetch_branch"
    case .fetchMiss: "fetch_miss"
    case .fetchTLB: "fetch_tlb"
    case .fetchLoop: "fetch_loop"
    case .fetchBandwidth: "fetch_bandwidth"
    case .issue, .halted, .flush, .load, .predicate, .hypervisor: "\(self)"
    }
  }

  /// What reports call it.
  public var name: String {
    switch self {
    case .issue: "issue"
    case .halted: "halted"
    case .mispredict: "mispredicted branch"
    case .flush: "interruption or serialization"
    case .dataTLB: "L1 DTLB"
    case .walker: "VHPT walker"
    case .backPressure: "L2 full"
    case .memoryOrder: "memory ordering"
    case .load: "load data"
    case .integer: "integer result"
    case .float: "floating-point result"
    case .predicate: "predicate"
    case .system: "application or control register"
    case .bankSwitch: "bank switch"
    case .stackOverflow: "register stack store"
    case .stackUnderflow: "register stack load"
    case .fetchBranch: "fetch: taken branch"
    case .fetchMiss: "fetch: L1I miss"
    case .fetchTLB: "fetch: ITLB miss"
    case .fetchLoop: "fetch: loop count"
    case .fetchBandwidth: "fetch: bandwidth"
    case .hypervisor: "hypervisor"
    }
  }
}

/// Things that are counted beside cycles, at most ``BranchCount/first`` of them.
enum Count: Int, CaseIterable {
  /// Squashed syllables are counted only while a performance counter wants them.
  case syllables, nops, squashed
  /// Those past L1D are floating-point loads, check loads and semaphores; the uncached ones come on top.
  case loads, loadsPastL1D, stores, uncachedLoads, uncachedStores
  /// A branch was rightly expected to be taken, but to another place; wrongly expected not to be taken.
  case mispredictTarget, mispredictTaken
  case l1iReads, l1iMisses, l2iReads, l2iMisses
  case l1dMisses, l2dReads, l2dWrites, l2dMisses, l3Reads, l3Misses, bankConflicts
  case dtlbMisses, itlbMisses, dataWalks, instructionWalks
  case stackStores, stackLoads, failedChecks, interruptions
  /// `chk.a` and check loads, and those that failed; `srlz.i`; lines that L2 and L3 write back.
  case alatChecks, alatMisses, serializations, l3Writes, memoryWrites
}

/// What is counted for each kind of branch, behind the ``Count``s.
enum BranchCount: Int, CaseIterable {
  case executed, taken, mispredicted

  static let first = 48

  @inline(__always) func index(_ kind: Branch.Kind) -> Int { Self.first &+ Int(kind.rawValue) &* 3 &+ rawValue }
}
