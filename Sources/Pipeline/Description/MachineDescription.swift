/// What the pipeline model is told of a processor: sizes, widths and costs, by name.
///
/// Figures that are published have their published value in the descriptions that ship (`montecito-1.6`, `madison-1.5`, `mckinley-1.0`);
/// what nobody has published is a parameter like the others, and its comment says so. All latencies are in core cycles from the issue of
/// the producer to the issue of the consumer.
public struct MachineDescription: Codable, Sendable, Equatable {
  /// Name of the description, for reports.
  public var name = "montecito-1.6"
  /// Core clock in MHz. Times of the bus and memory are in nanoseconds and become cycles by it.
  public var clockMHz = 1600.0
  /// AR.ITC counts once in so many cycles: 4 on Montecito, 1 before.
  public var itcDivisor = 4

  public var frontEnd = FrontEnd()
  public var dispersal = Dispersal()
  public var latency = Latency()
  public var system = SystemCosts()
  public var branch = Branch()
  public var stack = RegisterStack()
  public var l1i = Cache(bytes: 16 << 10, ways: 4, line: 64, latency: 1)
  public var l1d = Cache(bytes: 16 << 10, ways: 4, line: 64, latency: 1)
  /// The second-level cache for data; for instructions too where `l2i` has no bytes.
  public var l2d = Cache(bytes: 256 << 10, ways: 8, line: 128, latency: 5)
  public var l2i = Cache(bytes: 1 << 20, ways: 8, line: 128, latency: 7)
  public var l3 = Cache(bytes: 12 << 20, ways: 12, line: 128, latency: 14)
  public var memory = Memory()
  public var translation = Translation()
  public var virtualization = Virtualization()

  public init() {}

  public struct FrontEnd: Codable, Sendable, Equatable {
    /// Bundles that the decoupling buffer between ROT and EXP holds.
    public var bufferBundles = 8
    /// Lost fetch cycles after a taken branch whose target the branch cache knows.
    public var takenBubble = 0
    /// The same when the target must be computed from the instruction.
    public var recomputedTargetBubble = 1
    /// A return whose target the return stack gives.
    public var returnBubble = 1
    /// A branch through a branch register.
    public var indirectBubble = 2
  }

  public struct Dispersal: Codable, Sendable, Equatable {
    /// Fixed shifts, deposits and extracts on I1 as well (Montecito's second shifter).
    public var shifterOnI1 = true
    /// popcnt on I1 as well. Probable on Montecito, not verified.
    public var popcntOnI1 = true
    /// Loads and stores of one cycle: the ports allow two of each; one published wording allows two together.
    public var memoryOperationsPerCycle = 4
  }

  /// Latencies of the classes, and what certain pairs of producer and consumer take longer.
  public struct Latency: Codable, Sendable, Equatable {
    public var multimedia = 2
    /// An integer result that a multimedia instruction reads.
    public var integerToMultimedia = 3
    /// A multimedia result that anything but a multimedia instruction reads.
    public var multimediaToInteger = 3
    /// A load that hits L1D, read as the address of a memory instruction, by a multimedia instruction or setf.
    public var loadToAddress = 2
    public var loadToMultimedia = 2
    public var loadToSetf = 2
    public var fma = 4
    public var floatMiscellaneous = 4
    public var floatConvert = 4
    public var xma = 4
    /// An FP result that is stored.
    public var floatToStore = 5
    /// An FP load that getf or a store reads. For others it takes `memory.float_extra` longer than an integer load that L2 serves.
    public var floatLoadToStore = 7
    public var fcmp = 2
    public var getf = 5
    public var setf = 6
    public var movFromBranch = 2
    public var movFromPredicates = 2
    /// Moves to a branch register before a branch of the same path can use it without a flush.
    public var movToBranchAhead = 7
  }

  /// Costs of system instructions: result latencies, and how long what follows is held back.
  public struct SystemCosts: Codable, Sendable, Equatable {
    /// ar.k0-7, rsc, bsp, bspstore, fpsr; PSR; IPSR.
    public var slowRead = 12
    /// ar.rnat, unat.
    public var natRead = 5
    public var ccvRead = 6
    /// ar.pfs, lc, ec.
    public var loopRead = 2
    public var itcRead = 36
    /// cr.iip, iim, isr, iva, iipa.
    public var quickControlRead = 2
    /// cr.ifa, itir, dcr, ifs, iha, pta. Not published for this processor.
    public var controlRead = 12
    /// cr.ivr, tpr, lid, itm, itv, irr, lrr. From the first Itanium.
    public var interruptRead = 36
    /// Other indirect moves: rr, pkr, pmd, cpuid. Not published.
    public var indirectRead = 12
    /// Until a written register can be read: bspstore, rsc, ccv and unat, fpsr, rnat.
    public var bspstoreWrite = 6
    public var rscWrite = 10
    public var ccvWrite = 5
    public var fpsrWrite = 9
    public var rnatWrite = 5
    public var pfsWrite = 1
    /// Until srlz or rfi goes on: interrupt registers and ITC, other control registers, rsm and ssm.
    public var interruptWrite = 35
    public var controlWrite = 10
    public var systemMask = 5
    /// srlz.i and sync.i refetch what follows. Not published: a flush and the refill.
    public var instructionSerialize = 12
    public var bankSwitch = 6
    public var probe = 5
    public var thash = 5
    /// mf with nothing outstanding. Not published.
    public var fence = 7
    /// mf.a waits for the bus, in nanoseconds. Not published.
    public var acceptanceNanoseconds = 100.0
    /// fc: one line through the hierarchy, in nanoseconds. Not published.
    public var flushNanoseconds = 60.0
    /// itc, itr. Not published.
    public var insert = 10
    public var purgeLocal = 30
    /// ptc.g, ptc.ga: a transaction on the bus, in nanoseconds. Not published.
    public var purgeGlobalNanoseconds = 200.0
    public var semaphore = 6
    /// From the group that faults to the first group of the handler, caches hit. Not published.
    public var interruption = 13
    public var returnFromInterruption = 13
    public var enterPrivilegedCode = 1
    /// A check that fails re-executes or branches to recovery code: as a misprediction.
    public var checkRecovery = 6
  }

  public struct Branch: Codable, Sendable, Equatable {
    /// Cycles in which nothing issues after a branch that was predicted wrongly.
    public var mispredict = 6
    /// Branches whose history is remembered. The order of magnitude is published.
    public var histories = 12288
    /// Bits of each branch's own history.
    public var historyBits = 4
    public var returnStack = 8
    /// A loop count that is written later than so many cycles before its branch makes the front end wait. Not published.
    public var loopCountAhead = 5
  }

  public struct RegisterStack: Codable, Sendable, Equatable {
    /// Registers that are stored or loaded in a cycle.
    public var registersPerCycle = 2
  }

  public struct Cache: Codable, Sendable, Equatable {
    public var bytes: Int
    public var ways: Int
    /// Bytes of a line.
    public var line: Int
    /// A hit; for what lies beyond L1, from the issue of the load to its use by an ALU instruction.
    public var latency: Int
    public var sets: Int { max(1, bytes / (ways * line)) }
  }

  public struct Memory: Codable, Sendable, Equatable {
    /// From L3's miss to the data, on the local board. Not published for this server.
    public var nanoseconds = 200.0
    /// Megabytes that the bus carries in a second: 128 bits at 533 MT/s.
    public var busMegabytesPerSecond = 8528.0
    /// What an FP load takes longer than an integer load, beyond L1.
    public var floatExtra = 1
    /// Lines that may be on their way to L2 at a time: for loads, and for stores.
    public var loadMisses = 8
    public var storeMisses = 8
    /// Banks of L2, each 16 bytes wide, and what a conflict costs the younger access. The retry is not published.
    public var banks = 16
    public var bankConflict = 4
    /// Bytes per cycle from L3 to L2.
    public var l3BytesPerCycle = 32
    /// Cycles after a store in which a load of the same eight bytes goes to L2.
    public var storeForwardWindow = 3
    /// An uncacheable access, in nanoseconds. Not published.
    public var uncachedNanoseconds = 250.0
  }

  public struct Translation: Codable, Sendable, Equatable {
    public var l1Entries = 32
    /// Entries of L2 DTLB and L2 ITLB each, of any page size; translation registers are beside them.
    public var l2Entries = 128
    /// A miss in L1 DTLB that L2 DTLB serves.
    public var l1DataMiss = 4
    /// The same for instructions; two to three.
    public var l1InstructionMiss = 3
    /// A walk whose entry hits L2; the entry's own latency beyond that is added.
    public var walk = 15
  }

  /// Costs of virtualization. No figure is published: parameters, for comparisons between methods.
  public struct Virtualization: Codable, Sendable, Equatable {
    /// From the intercepted instruction to the hypervisor's first instruction.
    public var intercept = 55
    /// vmsw, and PAL services that resume a guest.
    public var resume = 20
    public var vmsw = 12
    public var palService = 60
    /// A handler of the hypervisor: in assembly, with few registers saved; in C.
    public var fastHandler = 150
    public var handler = 500
    /// A visit to a device model, in the host's operating system; copying, per 64 bytes.
    public var deviceModel = 2000
    public var copyLine = 8
    /// One virtual processor takes the place of another.
    public var contextSwitch = 2000
    /// The host's operating system, for each request that it does for a domain (block layer or network stack, driver, the device's
    /// interrupt), for each page of it, and for each notification between it and the domain.
    public var hostRequest = 8000
    public var hostPage = 400
    public var hostNotification = 1500
    /// The same for a frame through its bridge and its network driver.
    public var hostFrame = 6000
  }

  /// Nanoseconds in cycles, rounded.
  func cycles(nanoseconds: Double) -> UInt64 { UInt64((nanoseconds * clockMHz / 1000).rounded()) }
}
