import IA64
import Processor

/// Writes the records of issue groups that the back end works from.
struct Planner {
  let dispersal: Dispersal
  let latencies: Latencies
  let lineSize: UInt64

  init(_ description: MachineDescription) {
    dispersal = Dispersal(description: description)
    latencies = Latencies(description: description)
    lineSize = UInt64(description.l1i.line)
  }

  /// The plan of a run of instructions; `isKept`: the records stay as they are until all are dropped. Returns bytes written; stops early
  /// rather than exceed `capacity`.
  func plan(
    _ bundles: UnsafeRawPointer, physical: UInt64, startSlot: Int, end: Int, isKept: Bool, into records: UnsafeMutableRawPointer,
    capacity: Int
  ) -> Int {
    var used = 0
    var fetched = -1
    var drafts: [Draft] = []
    for group in dispersal.groups(Dispersal.syllables(bundles, startSlot: startSlot, end: end)) {
      let draft = Draft(group, physical: physical, fetched: &fetched, isKept: isKept, self)
      guard used + draft.byteCount <= capacity else { break }
      drafts.append(draft)
      used += draft.byteCount
    }
    Self.join(&drafts)
    var place = records
    for draft in drafts {
      draft.write(to: place)
      place += draft.byteCount
    }
    return used
  }

  /// Lets groups that only compute lead those behind them. All of a unit together may begin one line.
  private static func join(_ drafts: inout [Draft]) {
    var unit = IssueGroup.Unit()
    for n in drafts.indices {
      let group = drafts[n].group
      if unit.groups == 1 { unit.offset = group.offset }
      unit.lines += group.lines
      unit.line += group.line
      unit.packedSlots += group.packedSlots
      if drafts[n].canLead, n + 1 < drafts.count, unit.groups < 7, unit.lines + drafts[n + 1].group.lines <= 1,
        !drafts[n + 1].group.hasPredicatedMultimedia
      {
        drafts[n].group.header.isLead = true
        unit.groups += 1
        unit.leadBytes += group.header.byteCount
        unit.lastLeadBytes = group.header.byteCount
      } else {
        drafts[n].group.unit = unit
        drafts[n].group.header.issue = UnitKind.issue(drafts[n].group, drafts[n].references)
        unit = IssueGroup.Unit()
      }
    }
  }

  /// One group on its way into memory.
  private struct Draft {
    var group: IssueGroup
    /// It may issue together with the next group (``IssueGroup/Unit``).
    private(set) var canLead = false
    var uses: [Use] = []
    var results: [Result] = []
    var references: [Reference] = []
    var branches: [Branch] = []
    var specials: [Special] = []
    var quickResults: [UInt8] = []
    var guards: [UInt8] = []
    private var writtenPredicates: Set<UInt16> = []

    /// `fetched`: the last bundle that earlier groups have caused to be fetched.
    init(_ plan: Dispersal.Group, physical: UInt64, fetched: inout Int, isKept: Bool, _ planner: Planner) {
      let isFirst = fetched < 0
      let first = plan.syllables[0]
      let last = plan.syllables[plan.syllables.count - 1]
      group = IssueGroup(
        header: IssueGroupHeader(
          byteCount: 0, start: UInt8(first.position), end: UInt8(last.position + last.slots), issue: UnitKind.anyIssue))
      group.offset = UInt16(first.bundle * 16)
      group.fallThrough = UInt16(last.isLastOfBundle ? last.bundle * 16 + 16 : last.bundle * 16)
      group.physical = physical + UInt64(first.bundle * 16)
      group.split = plan.split
      group.packedSlots = UInt64(plan.syllables.reduce(0) { $0 + $1.slots }) << 32
      for bundle in first.bundle...last.bundle where bundle > fetched {
        let address = physical + UInt64(bundle * 16)
        if address & 16 == 0 || fetched < 0 { group.pairs += 1 }
        if address & (planner.lineSize - 1) == 0 || fetched < 0 {
          if group.lines == 0 { group.linePhysical = address }
          group.lines += 1
        }
        fetched = bundle
      }
      if group.lines == 1 { group.line = group.linePhysical >> UInt64(max(16, planner.lineSize).trailingZeroBitCount) }
      for s in plan.syllables { add(s, planner) }
      if isFirst && first.position % 3 != 0 { group.flags.insert(.first) }
      // A register that several syllables read is looked at once for each kind of use.
      var seen: Set<UInt64> = []
      uses.removeAll { use in
        let key = UInt64(use.code) | UInt64(use.consumer.rawValue) << 16 | UInt64(use.predicate) << 24
        return !seen.insert(key).inserted
      }
      // Overwriting needs no look of its own where the register is read, too.
      let read = Set(uses.filter { $0.consumer != .overwrite && $0.predicate == 0 }.map(\.code))
      uses.removeAll { $0.consumer == .overwrite && read.contains($0.code) }
      func renaming(_ use: Use) -> Int {
        switch use.code {
        case 32..<RegisterCode.float: 1
        case RegisterCode.float + 32..<RegisterCode.predicate: 2
        case RegisterCode.predicate..<RegisterCode.branch: 3
        default: 0
        }
      }
      uses = (0..<4).flatMap { kind in uses.filter { renaming($0) == kind } }
      group.fixedUses = UInt8(uses.count { renaming($0) == 0 })
      group.stackedUses = UInt8(uses.count { renaming($0) == 1 })
      group.rotatingUses = UInt8(uses.count { renaming($0) == 2 })
      group.predicateUses = UInt8(uses.count { renaming($0) == 3 })
      for use in uses { group.registers.insert(use.code) }
      if group.flags.contains(.float) { group.registers.insert(RegisterCode.predicate) }
      group.uses = UInt8(uses.count)
      group.results = UInt8(results.count)
      group.references = UInt8(references.count)
      group.branches = UInt8(branches.count)
      group.specials = UInt8(specials.count)
      group.quickResults = UInt8(quickResults.count)
      group.guards = UInt8(guards.count)
      describeMemo(plan.syllables, isKept: isKept)
      layOut()
    }

    /// What the outcome of the group depends on, and which shorter ways it can go (`Memo`).
    private mutating func describeMemo(_ syllables: [Dispersal.Syllable], isKept: Bool) {
      let names = Set(uses.map(\.predicate) + results.map(\.predicate) + references.map(\.predicate)).subtracting([0]).sorted()
      if syllables.contains(where: { $0.kind.movesFrame && $0.instruction.operation != .brCloop }) {
        group.flags.insert(.movesFrame)
      }
      func set(_ n: Int, in bits: inout (UInt64, UInt64)) {
        if n < 64 { bits.0 |= 1 << UInt64(n) } else { bits.1 |= 1 << UInt64(n - 64) }
      }
      for use in uses where use.consumer == .multimedia {
        set(Int(use.code), in: &group.multimediaUses)
        if use.predicate != 0 { group.hasPredicatedMultimedia = true }
      }
      for register in quickResults { set(Int(register), in: &group.quickRegisters) }
      if group.references | group.branches | group.specials != 0 { group.flags.insert(.open) }
      if branches.contains(where: { $0.kind.counts }) { group.flags.insert(.counts) }
      group.hasPlainBranch = branches.count == 1 && (branches[0].kind == .conditional || branches[0].kind == .call)
      group.hasLoopBranch = branches.count == 1 && branches[0].kind.counts
      if let slot = branches.first?.slot { group.historyName = UInt32(group.fallThrough >> 2) + UInt32(History.name(slot: slot)) }
      let isPending = branches.count > 1 || branches.contains { !$0.isDecided && !$0.kind.counts }
      group.looksAround = (isPending ? 1 : 0) | (group.flags.contains(.movesFrame) ? 2 : 0)
      guard isKept, names.count <= Outcome.mostPredicates, references.count <= Outcome.mostReferences,
        specials.allSatisfy({ $0.isQuick })
      else { return }
      group.predicates = UInt8(names.count)
      for (n, name) in names.enumerated() { group.predicateNames |= UInt64(name) << UInt64(8 * n) }
      group.flags.insert(.kept)
      if names.isEmpty && !group.flags.contains(.first) { group.flags.insert(.plain) }
      canLead =
        group.flags.contains(.plain) && group.flags.isDisjoint(with: [.open, .movesFrame, .multimedia])
        && syllables.allSatisfy(\.onlyComputes)
    }

    private mutating func add(_ s: Dispersal.Syllable, _ planner: Planner) {
      let i = s.instruction
      switch s.kind {
      case .nopM, .nopI, .nopF, .nopB:
        group.packedSlots += 1
        return
      default: break
      }
      let dependencies = Dependencies(i, s.kind)
      let qp = i.qp
      if qp != 0 && i.unit != .b { guards.append(qp) }
      // Unconditional compares and the loop branches work whatever their predicate holds.
      if qp != 0 {
        uses.append(Use(code: RegisterCode.predicate + UInt16(qp), consumer: s.kind.isBranch ? .branch : .qualify, predicate: 0))
      }
      for read in dependencies.reads {
        uses.append(Use(code: read.code, consumer: read.consumer, predicate: qp))
        if read.consumer == .multimedia { group.flags.insert(.multimedia) }
        if read.consumer == .float { group.flags.insert(.float) }
      }
      let latency = planner.latencies.result(i, s.kind)
      for code in dependencies.writes {
        uses.append(Use(code: code, consumer: .overwrite, predicate: qp))
        if isReferenceResult(s.kind) { continue }
        if let latency {
          // The predicate of an approximation is there as soon as that of a compare.
          let isPredicate = latency.producer == .float && code >= RegisterCode.predicate && code < RegisterCode.branch
          results.append(
            Result(
              code: code, producer: isPredicate ? .approximation : latency.producer, predicate: qp,
              latency: UInt16(isPredicate ? planner.latencies.description.latency.fcmp : latency.latency)))
        } else if code < RegisterCode.float {
          quickResults.append(UInt8(code))
        }
      }
      if let latency, dependencies.writes.isEmpty, latency.producer == .system {
        results.append(Result(code: RegisterCode.system, producer: .system, predicate: qp, latency: UInt16(latency.latency)))
      }
      if let base = dependencies.updatesBase { quickResults.append(base) }
      addReference(s)
      addBranch(s, writtenPredicates)
      writtenPredicates.formUnion(dependencies.writes.filter { $0 >= RegisterCode.predicate && $0 < RegisterCode.branch })
      if s.kind == .toPredicates { writtenPredicates.formUnion(RegisterCode.predicate..<RegisterCode.branch) }
      if s.kind.isSpecial { specials.append(Special(kind: s.kind, predicate: qp, register: specialRegister(i))) }
    }

    private func specialRegister(_ i: Instruction) -> UInt8 {
      switch i.operation {
      case .movToBR: i.b1
      case .movToAR, .movToARImmediate: i.ar3
      default: i.r3
      }
    }

    private func isReferenceResult(_ kind: InstructionClass) -> Bool {
      switch kind {
      case .load, .checkLoad, .floatLoad, .floatLoadPair, .floatCheckLoad, .semaphore: true
      default: false
      }
    }

    private mutating func addReference(_ s: Dispersal.Syllable) {
      let i = s.instruction
      let kind: Reference.Kind
      switch s.kind {
      case .load: kind = .load
      case .checkLoad: kind = .checkLoad
      case .floatLoad: kind = .floatLoad
      case .floatLoadPair: kind = i.operation == .loadFPPair ? .floatPair : .floatLoad
      case .floatCheckLoad: kind = .floatCheck
      case .store: kind = .store
      case .floatStore: kind = .floatStore
      case .semaphore: kind = .semaphore
      case .prefetch: kind = .prefetch
      case .flushLine: kind = .flush
      default: return
      }
      var target: UInt16 = 0
      var second: UInt16 = 0
      switch kind {
      case .load, .checkLoad, .semaphore: target = RegisterCode.general + UInt16(i.r1)
      case .floatLoad, .floatCheck: target = RegisterCode.float + UInt16(i.f1)
      case .floatPair:
        target = RegisterCode.float + UInt16(i.f1)
        second = RegisterCode.float + UInt16(i.f2)
      default: break
      }
      if i.operation == .loadFPPair { second = RegisterCode.float + UInt16(i.f2) }
      references.append(
        Reference(
          kind: kind, size: max(1, i.attributes.size), base: i.r3, predicate: i.qp, target: target, secondTarget: second))
    }

    private mutating func addBranch(_ s: Dispersal.Syllable, _ written: Set<UInt16>) {
      let i = s.instruction
      let kind: Branch.Kind
      switch i.operation {
      case .brCond, .brlCond: kind = .conditional
      case .brCall, .brlCall: kind = .call
      case .brCondIndirect, .brIA: kind = .indirect
      case .brCallIndirect: kind = .indirectCall
      case .brRet: kind = .returns
      case .brCloop: kind = .cloop
      case .brCtop: kind = .ctop
      case .brCexit: kind = .cexit
      case .brWtop: kind = .wtop
      case .brWexit: kind = .wexit
      default: return
      }
      branches.append(
        Branch(
          kind: kind, predicate: i.qp, whether: i.whether, register: i.b2, slot: UInt8(s.position % 3),
          isDecided: i.qp == 0 || !written.contains(RegisterCode.predicate + UInt16(i.qp)),
          displacement: i.immediate &+ Int64(s.bundle * 16)))
    }

    private mutating func layOut() {
      func padded(_ bytes: Int) -> UInt16 { UInt16((bytes + 7) & ~7) }
      group.resultsAt = UInt16(IssueGroup.headerSize) + padded(uses.count * MemoryLayout<Use>.stride)
      group.referencesAt = group.resultsAt + padded(results.count * MemoryLayout<Result>.stride)
      group.branchesAt = group.referencesAt + padded(references.count * MemoryLayout<Reference>.stride)
      group.specialsAt = group.branchesAt + padded(branches.count * MemoryLayout<Branch>.stride)
      group.quickResultsAt = group.specialsAt + padded(specials.count * MemoryLayout<Special>.stride)
      group.guardsAt = group.quickResultsAt + padded(quickResults.count)
      group.header.byteCount = group.guardsAt + padded(guards.count)
    }

    var byteCount: Int { Int(group.header.byteCount) }

    func write(to record: UnsafeMutableRawPointer) {
      record.storeBytes(of: group, as: IssueGroup.self)
      func put<T>(_ list: [T], _ at: Int) {
        for (index, element) in list.enumerated() {
          record.storeBytes(of: element, toByteOffset: at + index * MemoryLayout<T>.stride, as: T.self)
        }
      }
      put(uses, IssueGroup.headerSize)
      put(results, Int(group.resultsAt))
      put(references, Int(group.referencesAt))
      put(branches, Int(group.branchesAt))
      put(specials, Int(group.specialsAt))
      put(quickResults, Int(group.quickResultsAt))
      put(guards, Int(group.guardsAt))
    }
  }
}

extension InstructionClass {
  /// It does something to time beyond ports and latencies (`Specials.swift`).
  var isSpecial: Bool {
    switch self {
    case .toBranch, .toLoop, .toApplication, .fence, .acceptanceFence, .serializeInstruction, .insert, .purgeLocal, .purgeGlobal,
      .bankSwitch, .enterPrivileged, .returnFromInterruption, .machineSwitch, .checkAdvanced:
      true
    default: false
    }
  }
}

extension InstructionClass {
  /// Behind it registers may have other names.
  fileprivate var movesFrame: Bool {
    switch self {
    case .call, .indirectCall, .returnBranch, .loopBranch, .longBranch, .cover, .clearRename, .returnFromInterruption: true
    default: false
    }
  }
}

extension Branch.Kind {
  /// It looks at LC or EC, and the front end is never wrong about it.
  @inline(__always) var counts: Bool { rawValue &- Self.cloop.rawValue <= Self.cexit.rawValue - Self.cloop.rawValue }
}

extension Dispersal.Syllable {
  /// An integer instruction on general registers and predicates, which never faults. At hint @pause the engine may leave its block, and
  /// what is reserved may fault.
  fileprivate var onlyComputes: Bool {
    switch kind {
    case .alu, .compare, .multimediaALU, .multimedia, .multimediaMultiply, .popcnt, .shift, .extend, .bitTest, .long, .fromIP: true
    case .nopM, .nopI, .nopF, .nopB: instruction.operation == .nop
    default: false
    }
  }
}

extension Special {
  /// It takes no time of its own and holds nothing.
  fileprivate var isQuick: Bool {
    switch kind {
    case .toBranch, .toLoop, .checkAdvanced: true
    // AR.FPSR holds floating-point instructions.
    case .toApplication: register != 40
    default: false
    }
  }
}
