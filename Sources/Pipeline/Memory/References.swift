import Processor

/// L1D, L2D and the first-level DTLB: what the memory references of a group find.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// Makes the references of a group that issues in cycle `t`. Their results are left in `ready`; how they went is returned as in an
  /// ``Outcome``.
  @inline(never)
  func refer(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) -> UInt32 {
    referEach(group) { refer($0, $1, t, $2) }
  }

  /// Makes each reference whose predicate is set; `make` is told of its address and where its result goes.
  @inline(__always)
  private func referEach(
    _ group: UnsafePointer<IssueGroup>, _ make: (UnsafePointer<Reference>, UInt64, Ready) -> UInt32
  ) -> UInt32 {
    let s = pointee.state
    var r = group.references
    let end = r + Int(group.pointee.references)
    var ready = pointee.ready
    // The way of the last one on top.
    var ways: UInt32 = 0
    repeat {
      ready.pointee = 0
      ways &>>= 2
      if s.pr[Int(r.pointee.predicate)] != 0 { ways |= make(r, s.gr[Int(r.pointee.base)], ready) &<< 30 }
      ready += 1
      r += 1
    } while r < end
    let most = UInt32(Outcome.mostReferences)
    let count = UInt32(group.pointee.references)
    return count > most ? 0xFF &<< Outcome.referenceShift : ways &>> (2 &* (most &- count) &+ 8)
  }

  /// The same for a group whose only reference is an integer load without a predicate.
  @inline(__always) func load(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) -> UInt32 {
    let address = pointee.state.gr[Int(group.references.pointee.base)]
    guard let key = usualKey(address, writes: false) else { return refer(group, t) }
    bump(.loads)
    guard t >= pointee.memory.quietFrom, pointee.l1d.isLast(key) else { return loadLate(key, t) }
    pointee.ready.pointee = t &+ pointee.costs.loadHit
    return 0
  }

  /// The same for a store.
  @inline(__always) func store(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) -> UInt32 {
    let address = pointee.state.gr[Int(group.references.pointee.base)]
    guard let key = usualKey(address, writes: true) else { return refer(group, t) }
    pointee.ready.pointee = 0
    store(key, t)
    return 0
  }

  /// L1D may not serve the group's only load in time.
  @inline(never) private func loadLate(_ key: UInt64, _ t: UInt64) -> UInt32 {
    let ready = loadAnyhow(key, t, 0)
    pointee.ready.pointee = ready
    return way(ready, t &+ pointee.costs.loadHit, t &+ pointee.costs.l2) &<< Outcome.referenceShift
  }

  /// The same for a group that has only loads of single floating-point registers. They hit L2 nearly always.
  @inline(never) func referToFloats(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) -> UInt32 {
    referEach(group) { r, address, ready in
      guard let key = usualKey(address, writes: false), pointee.memory.bankCycle != t, t >= pointee.memory.linesUntil,
        pointee.l2d.isLast(key)
      else { return refer(r, address, t, ready) }
      bump(.loads)
      bump(.loadsPastL1D)
      bump(.l2dReads)
      pointee.memory.storeLine = .max
      _ = bank(key, t)
      ready.pointee = t &+ pointee.costs.l2 &+ pointee.costs.floatExtra
      return 0
    }
  }

  /// The same for a group that has several loads and stores.
  @inline(never) func referToSeveral(_ group: UnsafePointer<IssueGroup>, _ t: UInt64) -> UInt32 {
    referEach(group) { r, address, ready in
      guard r.pointee.kind == .load, let key = usualKey(address, writes: false) else { return refer(r, address, t, ready) }
      bump(.loads)
      if t >= pointee.memory.quietFrom && pointee.l1d.isLast(key) {
        ready.pointee = t &+ pointee.costs.loadHit
        return 0
      }
      ready.pointee = loadSlowly(key, t, 0)
      return way(ready.pointee, t &+ pointee.costs.loadHit, t &+ pointee.costs.l2)
    }
  }

  /// Where in memory an address is, if its page is one that was used lately.
  @inline(__always) private func usualKey(_ address: UInt64, writes: Bool) -> UInt64? {
    let entry = pointee.dataTable.pointee + Int(truncatingIfNeeded: address &>> 12 & UInt64(SoftEntry.count &- 1))
    let page = address & ~0xFFF
    guard (writes ? entry.pointee.writeTag : entry.pointee.readTag) == page else { return nil }
    let addend = entry.pointee.addend
    guard !pointee.translates || pointee.recentPages.has(page, addend) else { return nil }
    return UInt64(truncatingIfNeeded: Int(truncatingIfNeeded: address) &+ addend &- Int(bitPattern: pointee.memoryBase))
  }

  /// The registers that a group's references write.
  @inline(never)
  func finishReferences(_ group: UnsafePointer<IssueGroup>) {
    var r = group.references
    let end = r + Int(group.pointee.references)
    var ready = pointee.ready
    repeat {
      if ready.pointee != 0 { finish(r, ready.pointee) }
      ready += 1
      r += 1
    } while r < end
  }

  private func finish(_ r: UnsafePointer<Reference>, _ ready: UInt64) {
    switch r.pointee.kind {
    case .floatLoad, .floatPair:
      finish(r.pointee.target, ready, .floatLoad)
      if r.pointee.kind == .floatPair && r.pointee.secondTarget != 0 { finish(r.pointee.secondTarget, ready, .floatLoad) }
    default: finish(r.pointee.target, ready, .load)
    }
  }

  private typealias Ready = UnsafeMutablePointer<UInt64>

  @inline(__always)
  private func refer(_ r: UnsafePointer<Reference>, _ address: UInt64, _ t: UInt64, _ ready: Ready) -> UInt32 {
    // The engine's own table says where the page is.
    let entry = pointee.dataTable.pointee + Int(truncatingIfNeeded: address &>> 12 & UInt64(SoftEntry.count &- 1))
    let page = address & ~0xFFF
    if entry.pointee.readTag != page && entry.pointee.writeTag != page { return referSlowly(r, address, t, ready) }
    let addend = entry.pointee.addend
    let key = UInt64(truncatingIfNeeded: Int(truncatingIfNeeded: address) &+ addend &- Int(bitPattern: pointee.memoryBase))
    var extra: UInt64 = 0
    if pointee.translates && !pointee.recentPages.has(page, addend) {
      if !pointee.l1DTLB.touch(address, key) { extra = dtlbMiss(address, t) }
      pointee.recentPages.note(page, addend)
    }
    return access(r, key, t, extra, ready)
  }

  /// A reference whose physical place is known.
  @inline(__always)
  private func access(_ r: UnsafePointer<Reference>, _ key: UInt64, _ t: UInt64, _ extra: UInt64, _ ready: Ready) -> UInt32 {
    switch r.pointee.kind {
    case .load:
      bump(.loads)
      // A missing translation keeps the load out of L1D, which is as good as a miss there.
      if extra != 0 || t < pointee.memory.quietFrom || !pointee.l1d.isLast(key) {
        ready.pointee = loadSlowly(key, t, extra)
        return way(ready.pointee, t &+ pointee.costs.loadHit, t &+ pointee.costs.l2)
      }
      ready.pointee = t &+ pointee.costs.loadHit
      return 0
    case .store, .floatStore:
      store(key, t)
      return 0
    case .floatLoad:
      ready.pointee = floatLoad(key, t &+ extra)
      return floatWay(ready.pointee, t)
    default: return accessOther(r, key, t, extra, ready)
    }
  }

  @inline(__always) private func floatWay(_ ready: UInt64, _ t: UInt64) -> UInt32 {
    let usual = t &+ pointee.costs.l2 &+ pointee.costs.floatExtra
    return way(ready, usual, usual)
  }

  /// How a reference went whose data come in cycle `ready`: as an ``Outcome`` has it.
  @inline(__always) private func way(_ ready: UInt64, _ usual: UInt64, _ next: UInt64) -> UInt32 {
    if ready == usual { return 0 }
    if ready == next { return 1 }
    return ready == next &+ pointee.costs.bankConflict ? 2 : 3
  }

  /// L1 DTLB has missed: what L2 DTLB, or the walker, adds to the reference's latency.
  @inline(never) private func dtlbMiss(_ address: UInt64, _ t: UInt64) -> UInt64 {
    bump(.dtlbMisses)
    pointee.recentPages.forget()
    guard let entry = pointee.owner._withUnsafeGuaranteedRef({ $0.missesLevel2(address, instruction: false) }) else {
      return pointee.costs.l1DataMiss
    }
    bump(.dataWalks)
    return pointee.costs.l1DataMiss &+ walk(entry, t)
  }

  /// A walk that begins in cycle `t`: its cycles. The walker reads through L2.
  func walk(_ entry: UInt64, _ t: UInt64) -> UInt64 {
    guard entry != 0 else { return pointee.costs.walk }
    return pointee.costs.walk &+ level2(entry & Implementation.physicalMask, t, writes: false) &- t &- pointee.costs.l2
  }

  // MARK: Integer loads

  /// A load that L1D may not serve in time: a recent store, a line under way, or a miss. Returns when its data are there.
  @inline(never) private func loadSlowly(_ key: UInt64, _ t: UInt64, _ extra: UInt64) -> UInt64 { loadAnyhow(key, t, extra) }

  /// The same in line, where it is most of the work.
  @inline(__always) private func loadAnyhow(_ key: UInt64, _ t: UInt64, _ extra: UInt64) -> UInt64 {
    let hit = extra == 0 && pointee.l1d.touch(key)
    if hit && !storedRecently(key, t) {
      let arrival = t < pointee.memory.linesUntil ? arrivalOfLine(key) : 0
      let ready = t &+ pointee.costs.loadHit
      return arrival > ready ? arrival : ready
    }
    if !hit { bump(.l1dMisses) }
    let ready = level2(key, t &+ extra, writes: false)
    if !hit { _ = pointee.l1d.fill(key) }
    return ready
  }

  @inline(__always) private func storedRecently(_ key: UInt64, _ t: UInt64) -> Bool {
    if t > pointee.memory.lastStore &+ pointee.costs.storeWindow { return false }
    for n in 0..<8 where pointee.memory.stores[n] == key &>> 3 && t <= pointee.memory.storeCycles[n] &+ pointee.costs.storeWindow {
      return true
    }
    return false
  }

  // MARK: L2

  /// Floating-point loads go past L1D.
  @inline(__always) private func floatLoad(_ key: UInt64, _ t: UInt64) -> UInt64 {
    bump(.loads)
    bump(.loadsPastL1D)
    return level2(key, t, writes: false) &+ pointee.costs.floatExtra
  }

  /// An access to L2 in cycle `t`: when an integer load would have its data.
  @inline(__always) func level2(_ key: UInt64, _ t: UInt64, writes: Bool) -> UInt64 {
    bump(writes ? .l2dWrites : .l2dReads)
    if !writes { pointee.memory.storeLine = .max }
    let begin = bank(key, t)
    if pointee.l2d.touch(key) {
      var ready = begin &+ pointee.costs.l2
      if t < pointee.memory.linesUntil {
        let arrival = arrivalOfLine(key)
        if arrival > ready { ready = arrival }
      }
      return ready
    }
    return missLevel2(key, begin, writes: writes)
  }

  @inline(never) private func missLevel2(_ key: UInt64, _ begin: UInt64, writes: Bool) -> UInt64 {
    bump(.l2dMisses)
    // A place among the outstanding misses.
    var start = begin
    let ready: UInt64
    if writes {
      let place = pointee.memory.nextStorePlace
      pointee.memory.nextStorePlace = place &+ 1 >= pointee.costs.storeMisses ? 0 : place &+ 1
      if pointee.memory.storePlaces[place] > start { start = pointee.memory.storePlaces[place] }
      ready = beyondL2(key, start)
      pointee.memory.storePlaces[place] = ready
    } else {
      let place = pointee.memory.nextLoadPlace
      pointee.memory.nextLoadPlace = place &+ 1 >= pointee.costs.loadMisses ? 0 : place &+ 1
      if pointee.memory.loadPlaces[place] > start { start = pointee.memory.loadPlaces[place] }
      ready = beyondL2(key, start)
      pointee.memory.loadPlaces[place] = ready
    }
    // No place was free: L2's queue fills, and the pipe stands until one is.
    if start > begin && start &- 1 > pointee.hold {
      pointee.hold = start &- 1
      pointee.holdCause = .backPressure
    }
    if pointee.l2d.fill(key) { writeBack() }
    let next = pointee.memory.nextLine
    pointee.memory.lines[next & 31] = key &>> pointee.l2d.lineShift
    pointee.memory.arrivals[next & 31] = ready
    pointee.memory.nextLine = next &+ 1
    if next &- pointee.memory.firstLine == 32 { pointee.memory.firstLine &+= 1 }
    if ready > pointee.memory.linesUntil { pointee.memory.linesUntil = ready }
    if ready > pointee.memory.quietFrom { pointee.memory.quietFrom = ready }
    if ready > pointee.memory.drained { pointee.memory.drained = ready }
    return ready
  }

  /// When the line arrives that is under way, or 0.
  @inline(never) private func arrivalOfLine(_ key: UInt64) -> UInt64 {
    let line = key &>> pointee.l2d.lineShift
    var arrival: UInt64 = 0
    let next = pointee.memory.nextLine
    var n = pointee.memory.firstLine
    // No access is earlier than this, be it of the back end or of the front end: what has come before keeps nobody waiting any more.
    let earliest = Swift.min(pointee.now, pointee.fetched)
    while n != next && pointee.memory.arrivals[n & 31] < earliest { n &+= 1 }
    pointee.memory.firstLine = n
    while n != next {
      if pointee.memory.lines[n & 31] == line && pointee.memory.arrivals[n & 31] > arrival {
        arrival = pointee.memory.arrivals[n & 31]
      }
      n &+= 1
    }
    return arrival
  }

  /// Two accesses of a cycle to one bank, but not to the same 16 bytes of it: the second is tried again later.
  @inline(__always) private func bank(_ key: UInt64, _ t: UInt64) -> UInt64 {
    if pointee.memory.bankCycle == t { return bankAgain(key, t) }
    pointee.memory.bankCycle = t
    pointee.memory.bankKeys[0] = key &>> 4
    pointee.memory.bankCount = 1
    return t
  }

  /// Not the first access of its cycle.
  @inline(__always) private func bankAgain(_ key: UInt64, _ t: UInt64) -> UInt64 {
    let place = key &>> 4
    let first = pointee.memory.bankKeys[0]
    guard pointee.memory.bankCount == 1, (first ^ place) & pointee.costs.bankMask != 0 else { return bankAmongOthers(key, t) }
    pointee.memory.bankKeys[1] = place
    pointee.memory.bankCount = 2
    return t
  }

  @inline(never) private func bankAmongOthers(_ key: UInt64, _ t: UInt64) -> UInt64 {
    let place = key &>> 4
    var conflicts = false
    let count = pointee.memory.bankCount
    for n in 0..<count {
      let other = pointee.memory.bankKeys[n]
      if other == place { return t }
      if (other ^ place) & pointee.costs.bankMask == 0 { conflicts = true }
    }
    if count < 8 {
      pointee.memory.bankKeys[count] = place
      pointee.memory.bankCount = count &+ 1
    }
    guard conflicts else { return t }
    bump(.bankConflicts)
    return t &+ pointee.costs.bankConflict
  }

  // MARK: Stores

  /// Stores go through L1D to L2, which allocates. A hit in L1D keeps its line.
  @inline(__always) private func store(_ key: UInt64, _ t: UInt64) {
    bump(.stores)
    let n = Int(pointee.memory.nextStore & 7)
    pointee.memory.stores[n] = key &>> 3
    pointee.memory.storeCycles[n] = t
    pointee.memory.nextStore = pointee.memory.nextStore &+ 1
    pointee.memory.lastStore = t
    let later = t &+ pointee.costs.storeWindow &+ 1
    if later > pointee.memory.quietFrom { pointee.memory.quietFrom = later }
    // The line that the last store has made dirty is there, and the one used last.
    if key &>> pointee.l2d.lineShift == pointee.memory.storeLine {
      bump(.l2dWrites)
      _ = bank(key, t)
    } else {
      storeElsewhere(key, t)
    }
  }

  @inline(never) private func storeElsewhere(_ key: UInt64, _ t: UInt64) {
    pointee.memory.storeLine = key &>> pointee.l2d.lineShift
    _ = level2(key, t, writes: true)
    pointee.l2d.soil(key)
  }

  // MARK: Everything else

  @inline(never)
  private func accessOther(_ r: UnsafePointer<Reference>, _ key: UInt64, _ t: UInt64, _ extra: UInt64, _ ready: Ready) -> UInt32 {
    switch r.pointee.kind {
    case .floatPair:
      ready.pointee = floatLoad(key, t &+ extra)
      return floatWay(ready.pointee, t)
    case .checkLoad, .floatCheck:
      // With its entry in the ALAT the load is not made; if it is not there, a notice follows.
      bump(.loads)
      bump(.loadsPastL1D)
      bump(.alatChecks)
    case .semaphore:
      bump(.loads)
      bump(.loadsPastL1D)
      bump(.stores)
      let done = level2(key, t &+ extra, writes: true)
      pointee.l2d.soil(key)
      ready.pointee = Swift.max(done, t &+ pointee.costs.semaphore)
      holdUntil(ready.pointee, .memoryOrder)
      return 3
    case .prefetch:
      // The line goes to L1D, if anything is to be had of it.
      if !pointee.l1d.touch(key) {
        _ = level2(key, t &+ extra, writes: false)
        _ = pointee.l1d.fill(key)
      }
    case .flush:
      let line = key
      pointee.memory.storeLine = .max
      pointee.l1d.remove(line)
      pointee.l2d.remove(line)
      pointee.fetchEpoch &+= 1
      pointee.l1i.remove(line)
      pointee.l2i.remove(line)
      if pointee.l3.remove(line) { pointee.memory.busFree = Swift.max(pointee.memory.busFree, t) &+ pointee.costs.lineOnBus }
      pointee.memory.drained = Swift.max(pointee.memory.drained, t &+ pointee.costs.flushLine)
    case .load, .store, .floatStore, .floatLoad: break
    }
    return 0
  }

  /// Nothing issues before `cycle`.
  @inline(__always) func holdUntil(_ cycle: UInt64, _ cause: Cause) {
    guard cycle > pointee.hold &+ 1 else { return }
    pointee.hold = cycle &- 1
    pointee.holdCause = cause
  }

  /// The engine's table does not have the page: a device, a page that nobody has referred to yet, or no translation.
  @inline(never)
  private func referSlowly(_ r: UnsafePointer<Reference>, _ address: UInt64, _ t: UInt64, _ ready: Ready) -> UInt32 {
    switch pointee.owner._withUnsafeGuaranteedRef({ $0.place(of: address) }) {
    case .memory(let key): return accessElsewhere(r, address, key, t, ready)
    case .uncached:
      switch r.pointee.kind {
      case .load, .floatLoad, .floatPair, .checkLoad, .floatCheck: bump(.uncachedLoads)
      case .store, .floatStore: bump(.uncachedStores)
      case .semaphore, .prefetch, .flush: break
      }
      let arrival = t &+ pointee.costs.uncached
      if r.pointee.target != 0 { ready.pointee = arrival }
      if arrival > pointee.memory.drained { pointee.memory.drained = arrival }
    case .unknown:
      guard pointee.memory.deferredCount < 4 else { return 3 }
      pointee.memory.deferred[pointee.memory.deferredCount] = r.pointee
      pointee.memory.deferredAddresses[pointee.memory.deferredCount] = address
      pointee.memory.deferredCount &+= 1
    }
    return 3
  }

  /// A reference to a page that the engine's table does not have.
  private func accessElsewhere(_ r: UnsafePointer<Reference>, _ address: UInt64, _ key: UInt64, _ t: UInt64, _ ready: Ready)
    -> UInt32
  {
    var extra: UInt64 = 0
    if pointee.translates {
      if !pointee.l1DTLB.touch(address, key) { extra = dtlbMiss(address, t) }
    }
    return access(r, key, t, extra, ready)
  }

  /// A walk has brought a translation that was missing when its reference issued.
  @inline(never) func takeUpDeferred(_ t: UInt64) {
    let count = pointee.memory.deferredCount
    pointee.memory.deferredCount = 0
    for n in 0..<count {
      let address = pointee.memory.deferredAddresses[n]
      guard case .memory(let key) = pointee.owner._withUnsafeGuaranteedRef({ $0.place(of: address) }) else { continue }
      var reference = pointee.memory.deferred[n]
      pointee.ready.pointee = 0
      _ = accessElsewhere(&reference, address, key, t, pointee.ready)
      if pointee.ready.pointee != 0 { finish(&reference, pointee.ready.pointee) }
    }
  }
}
