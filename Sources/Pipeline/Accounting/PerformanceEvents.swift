import Processor

/// An event of the Montecito's performance monitor, and what of the model it is: causes of cycles and counts.
public struct MonitoredEvent: Sendable {
  public let name: String
  /// Event select and unit mask.
  public let select: UInt16
  public let umask: UInt16
  /// The most that it counts in a cycle, as the hardware's counters have it.
  public let increment: Int
  /// The causes whose cycles it counts, a bit for each.
  let causes: UInt32
  /// Counts that are added and subtracted, a bit for each.
  let added: UInt128
  let subtracted: UInt128
  /// Number in each group, for thresholds.
  let numbers: GroupNumber?

  init(
    _ name: String, _ select: UInt16, _ umask: UInt16 = 0, per increment: Int = 1, causes: [Cause] = [], counts added: [Count] = [],
    less subtracted: [Count] = [], branches: [BranchCount] = [], lessBranches: [BranchCount] = [], of kinds: [Branch.Kind]? = nil,
    numbers: GroupNumber? = nil
  ) {
    self.name = name
    self.select = select
    self.umask = umask
    self.increment = increment
    self.causes = causes.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    func mask(_ counts: [Count], _ branches: [BranchCount]) -> UInt128 {
      var mask: UInt128 = 0
      for count in counts { mask |= 1 << UInt128(count.rawValue) }
      for count in branches { for kind in kinds ?? Branch.Kind.allCases { mask |= 1 << UInt128(count.index(kind)) } }
      return mask
    }
    self.added = mask(added, branches)
    self.subtracted = mask(subtracted, lessBranches)
    self.numbers = numbers
  }
}

extension MonitoredEvent {
  // MARK: Kinds of cycles (the five components of BACK_END_BUBBLE)

  private static let flush: [Cause] = [.mispredict, .flush]
  private static let memory: [Cause] = [.dataTLB, .walker, .backPressure, .memoryOrder]
  private static let operands: [Cause] = [.load, .integer, .float, .predicate, .system, .bankSwitch]
  private static let stack: [Cause] = [.stackOverflow, .stackUnderflow]
  private static let frontEnd: [Cause] = [.fetchBranch, .fetchMiss, .fetchTLB, .fetchLoop, .fetchBandwidth]
  private static let allStalls = flush + memory + operands + stack + frontEnd
  private static let allLoads: [Count] = [.loads, .uncachedLoads, .stackLoads]
  private static let allStores: [Count] = [.stores, .uncachedStores, .stackStores]

  /// Every event that is counted. Those that are not here read as zero. Instructions retired and changes of the privilege level are
  /// counted by the processor itself.
  public static let all: [MonitoredEvent] = basic + stalls + branches + instructionSide + dataSide + caches

  private static let basic: [MonitoredEvent] = [
    MonitoredEvent("CPU_OP_CYCLES.ALL", 0x12, causes: [.issue] + allStalls),
    MonitoredEvent("CPU_OP_CYCLES.QUAL", 0x12, 1, causes: [.issue] + allStalls),
    MonitoredEvent("CPU_OP_CYCLES_HALTED", 0x18, per: 7, causes: [.halted]),
    MonitoredEvent("IA64_INST_RETIRED", 0x08, per: 6, numbers: .slots),
    MonitoredEvent("INST_DISPERSED", 0x4D, per: 6, counts: [.syllables], numbers: .slots),
    MonitoredEvent("NOPS_RETIRED", 0x50, per: 6, counts: [.nops], numbers: .nops),
    MonitoredEvent("PREDICATE_SQUASHED_RETIRED", 0x51, per: 6, counts: [.squashed], numbers: .squashed),
    MonitoredEvent("DISP_STALLED", 0x49, causes: flush + memory + operands + stack),
    MonitoredEvent("SERIALIZATION_EVENTS", 0x53, counts: [.serializations]),
  ]

  private static let stalls: [MonitoredEvent] = [
    MonitoredEvent("BACK_END_BUBBLE.ALL", 0x00, 0, causes: allStalls),
    MonitoredEvent("BACK_END_BUBBLE.FE", 0x00, 1, causes: frontEnd),
    MonitoredEvent("BACK_END_BUBBLE.L1D_FPU_RSE", 0x00, 2, causes: memory + stack),
    MonitoredEvent("BE_FLUSH_BUBBLE.ALL", 0x04, 0, causes: flush),
    MonitoredEvent("BE_FLUSH_BUBBLE.BRU", 0x04, 1, causes: [.mispredict]),
    MonitoredEvent("BE_FLUSH_BUBBLE.XPN", 0x04, 2, causes: [.flush]),
    MonitoredEvent("BE_EXE_BUBBLE.ALL", 0x02, 0, causes: operands),
    MonitoredEvent("BE_EXE_BUBBLE.GRALL", 0x02, 1, causes: [.load, .integer]),
    MonitoredEvent("BE_EXE_BUBBLE.FRALL", 0x02, 2, causes: [.float]),
    MonitoredEvent("BE_EXE_BUBBLE.PR", 0x02, 3, causes: [.predicate]),
    MonitoredEvent("BE_EXE_BUBBLE.ARCR", 0x02, 4, causes: [.system]),
    MonitoredEvent("BE_EXE_BUBBLE.GRGR", 0x02, 5, causes: [.integer]),
    MonitoredEvent("BE_EXE_BUBBLE.BANK_SWITCH", 0x02, 7, causes: [.bankSwitch]),
    MonitoredEvent("BE_RSE_BUBBLE.ALL", 0x01, 0, causes: stack),
    MonitoredEvent("BE_RSE_BUBBLE.OVERFLOW", 0x01, 3, causes: [.stackOverflow]),
    MonitoredEvent("BE_RSE_BUBBLE.UNDERFLOW", 0x01, 4, causes: [.stackUnderflow]),
    MonitoredEvent("BE_L1D_FPU_BUBBLE.ALL", 0xCA, 0, causes: memory),
    MonitoredEvent("BE_L1D_FPU_BUBBLE.L1D", 0xCA, 2, causes: memory),
    MonitoredEvent("BE_L1D_FPU_BUBBLE.L1D_HPW", 0xCA, 5, causes: [.walker]),
    MonitoredEvent("BE_L1D_FPU_BUBBLE.L1D_L2BPRESS", 0xCA, 9, causes: [.backPressure]),
    MonitoredEvent("BE_L1D_FPU_BUBBLE.L1D_TLB", 0xCA, 0xA, causes: [.dataTLB]),
    // The model looks at the front end where the back end waits for it, so that the factor between the two (reference, stall
    // accounting) is one.
    MonitoredEvent("FE_BUBBLE.ALL", 0x71, 0, causes: frontEnd),
    MonitoredEvent("FE_BUBBLE.IMISS", 0x71, 6, causes: [.fetchMiss]),
    MonitoredEvent("FE_BUBBLE.TLBMISS", 0x71, 7, causes: [.fetchTLB]),
    MonitoredEvent("FE_BUBBLE.BRANCH", 0x71, 9, causes: [.fetchBranch, .fetchLoop]),
    MonitoredEvent(
      "FE_BUBBLE.ALLBUT_FEFLUSH_BUBBLE", 0x71, 0xB, causes: [.fetchMiss, .fetchTLB, .fetchBranch, .fetchLoop]),
    MonitoredEvent("FE_BUBBLE.ALLBUT_IBFULL", 0x71, 0xC, causes: frontEnd),
    MonitoredEvent("FE_BUBBLE.BUBBLE", 0x71, 0xD, causes: [.fetchBandwidth]),
  ]

  private static let indirect: [Branch.Kind] = [.indirect, .indirectCall]
  private static let relative: [Branch.Kind] = [.conditional, .call, .cloop, .ctop, .cexit, .wtop, .wexit]

  private static let branches: [MonitoredEvent] = [
    MonitoredEvent("BR_MISPRED_DETAIL.ALL.ALL_PRED", 0x5B, 0, per: 3, branches: [.executed]),
    MonitoredEvent("BR_MISPRED_DETAIL.ALL.CORRECT_PRED", 0x5B, 1, per: 3, branches: [.executed], lessBranches: [.mispredicted]),
    MonitoredEvent("BR_MISPRED_DETAIL.ALL.WRONG_PATH", 0x5B, 2, per: 3, less: [.mispredictTarget], branches: [.mispredicted]),
    MonitoredEvent("BR_MISPRED_DETAIL.ALL.WRONG_TARGET", 0x5B, 3, per: 3, counts: [.mispredictTarget]),
    MonitoredEvent("BR_MISPRED_DETAIL.IPREL.ALL_PRED", 0x5B, 4, per: 3, branches: [.executed], of: relative),
    MonitoredEvent(
      "BR_MISPRED_DETAIL.IPREL.CORRECT_PRED", 0x5B, 5, per: 3, branches: [.executed], lessBranches: [.mispredicted], of: relative),
    MonitoredEvent("BR_MISPRED_DETAIL.RETURN.ALL_PRED", 0x5B, 8, per: 3, branches: [.executed], of: [.returns]),
    MonitoredEvent(
      "BR_MISPRED_DETAIL.RETURN.CORRECT_PRED", 0x5B, 9, per: 3, branches: [.executed], lessBranches: [.mispredicted],
      of: [.returns]),
    MonitoredEvent("BR_MISPRED_DETAIL.NRETIND.ALL_PRED", 0x5B, 0xC, per: 3, branches: [.executed], of: indirect),
    MonitoredEvent(
      "BR_MISPRED_DETAIL.NRETIND.CORRECT_PRED", 0x5B, 0xD, per: 3, branches: [.executed], lessBranches: [.mispredicted],
      of: indirect),
    MonitoredEvent(
      "BR_PATH_PRED.ALL.MISPRED_NOTTAKEN", 0x54, 0, per: 3, less: [.mispredictTarget, .mispredictTaken],
      branches: [.mispredicted]),
    MonitoredEvent("BR_PATH_PRED.ALL.MISPRED_TAKEN", 0x54, 1, per: 3, counts: [.mispredictTaken]),
    MonitoredEvent(
      "BR_PATH_PRED.ALL.OKPRED_NOTTAKEN", 0x54, 2, per: 3, counts: [.mispredictTarget, .mispredictTaken], branches: [.executed],
      lessBranches: [.taken, .mispredicted]),
    MonitoredEvent("BR_PATH_PRED.ALL.OKPRED_TAKEN", 0x54, 3, per: 3, less: [.mispredictTaken], branches: [.taken]),
    MonitoredEvent("BE_BR_MISPRED_DETAIL.ANY", 0x61, 0, branches: [.mispredicted]),
  ]

  private static let instructionSide: [MonitoredEvent] = [
    MonitoredEvent("L1I_READS", 0x40, counts: [.l1iReads]),
    MonitoredEvent("L1I_FILLS", 0x41, counts: [.l1iMisses]),
    MonitoredEvent("L2I_DEMAND_READS", 0x42, counts: [.l2iReads]),
    MonitoredEvent("L2I_READS.ALL", 0x78, 0xF, counts: [.l2iReads]),
    MonitoredEvent("L2I_READS.HIT", 0x78, 0x7, counts: [.l2iReads], less: [.l2iMisses]),
    MonitoredEvent("L2I_READS.MISS", 0x78, 0xB, counts: [.l2iMisses]),
    MonitoredEvent("ITLB_MISSES_FETCH.L1ITLB", 0x47, 1, counts: [.itlbMisses]),
    MonitoredEvent("ITLB_MISSES_FETCH.L2ITLB", 0x47, 2, counts: [.instructionWalks]),
    MonitoredEvent("ITLB_MISSES_FETCH.ALL", 0x47, 3, counts: [.itlbMisses]),
    MonitoredEvent("L1ITLB_INSERTS_HPW", 0x48, counts: [.instructionWalks]),
  ]

  private static let dataSide: [MonitoredEvent] = [
    MonitoredEvent("LOADS_RETIRED", 0xCD, per: 4, counts: allLoads),
    MonitoredEvent("STORES_RETIRED", 0xD1, per: 2, counts: allStores),
    MonitoredEvent("UC_LOADS_RETIRED", 0xCF, per: 4, counts: [.uncachedLoads]),
    MonitoredEvent("UC_STORES_RETIRED", 0xD0, per: 2, counts: [.uncachedStores]),
    MonitoredEvent("RSE_REFERENCES_RETIRED.LOAD", 0x20, 1, per: 2, counts: [.stackLoads]),
    MonitoredEvent("RSE_REFERENCES_RETIRED.STORE", 0x20, 2, per: 2, counts: [.stackStores]),
    MonitoredEvent("RSE_REFERENCES_RETIRED.ALL", 0x20, 3, per: 2, counts: [.stackLoads, .stackStores]),
    MonitoredEvent("INST_CHKA_LDC_ALAT.ALL", 0x56, 3, per: 2, counts: [.alatChecks]),
    MonitoredEvent("INST_FAILED_CHKS_RETIRED.ALL", 0x55, 3, counts: [.failedChecks], less: [.alatMisses]),
    MonitoredEvent("INST_FAILED_CHKA_LDC_ALAT.ALL", 0x57, 3, counts: [.alatMisses]),
    MonitoredEvent("DATA_REFERENCES_SET0", 0xC3, per: 4, counts: allLoads + allStores),
    MonitoredEvent("DATA_REFERENCES_SET1", 0xC5, per: 4, counts: allLoads + allStores),
    MonitoredEvent("L1D_READS_SET0", 0xC2, per: 2, counts: [.loads], less: [.loadsPastL1D]),
    MonitoredEvent("L1D_READS_SET1", 0xC4, per: 2, counts: [.loads], less: [.loadsPastL1D]),
    MonitoredEvent("L1D_READ_MISSES.ALL", 0xC7, per: 2, counts: [.l1dMisses]),
    MonitoredEvent("L1DTLB_TRANSFER", 0xC0, counts: [.dtlbMisses]),
    MonitoredEvent("L2DTLB_MISSES", 0xC1, per: 4, counts: [.dataWalks]),
    MonitoredEvent("DTLB_INSERTS_HPW", 0xC9, per: 4, counts: [.dataWalks]),
    MonitoredEvent("HPW_DATA_REFERENCES", 0x2D, per: 4, counts: [.dataWalks, .instructionWalks]),
  ]

  private static let caches: [MonitoredEvent] = [
    MonitoredEvent("L2D_REFERENCES.READS", 0xE6, 1, per: 4, counts: [.l2dReads]),
    MonitoredEvent("L2D_REFERENCES.WRITES", 0xE6, 2, per: 4, counts: [.l2dWrites]),
    MonitoredEvent("L2D_REFERENCES.ALL", 0xE6, 3, per: 4, counts: [.l2dReads, .l2dWrites]),
    MonitoredEvent("L2D_MISSES", 0xCB, counts: [.l2dMisses]),
    MonitoredEvent("L2D_OZQ_CANCELS0.BANK_CONF", 0xE0, 8, per: 4, counts: [.bankConflicts]),
    MonitoredEvent("L3_REFERENCES", 0xDB, counts: [.l3Reads, .l3Writes]),
    MonitoredEvent("L3_MISSES", 0xDC, counts: [.l3Misses]),
    MonitoredEvent("L3_READS.ALL.ALL", 0xDD, 0xF, counts: [.l3Reads]),
    MonitoredEvent("L3_READS.ALL.HIT", 0xDD, 0xD, counts: [.l3Reads], less: [.l3Misses]),
    MonitoredEvent("L3_READS.ALL.MISS", 0xDD, 0xE, counts: [.l3Misses]),
    // Lines that L2 gives up are always in L3.
    MonitoredEvent("L3_WRITES.ALL.ALL", 0xDE, 0xF, counts: [.l3Writes]),
    MonitoredEvent("L3_WRITES.ALL.HIT", 0xDE, 0xD, counts: [.l3Writes]),
    MonitoredEvent("BUS_MEMORY.ALL.SELF", 0x8A, 0xE, counts: [.l3Misses, .memoryWrites]),
    MonitoredEvent("BUS_ALL.SELF", 0x87, 2, counts: [.l3Misses, .memoryWrites]),
    MonitoredEvent("BUS_ALL.ANY", 0x87, 3, counts: [.l3Misses, .memoryWrites]),
  ]
}
