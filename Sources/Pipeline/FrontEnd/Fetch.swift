import Processor

/// IPG and ROT: bundle pairs from L1I into the buffer that decouples the front end from the back end.
extension UnsafeMutablePointer where Pointee == PipelineState {
  /// The pairs that a group begins are put into the buffer; returns the cycle in which they are there.
  @inline(__always)
  func fetchPairs(_ group: UnsafePointer<IssueGroup>, _ earliest: UInt64, _ causes: UnsafeMutablePointer<UInt64>) -> UInt64 {
    var t = earliest
    var pairs = group.pointee.pairs
    var place = pointee.bufferNext
    let cause = Int(pointee.fetchCause.rawValue)
    // The last pair that was fetched, and its successors.
    var fetched = pointee.fetched
    repeat {
      // One pair a cycle, and not before the buffer has room.
      if place.pointee > fetched { fetched = place.pointee }
      fetched &+= 1
      if fetched > t {
        causes[cause] &+= fetched &- t
        t = fetched
      }
      place.pointee = t
      place += 1
      if place == pointee.bufferEnd { place = pointee.buffer }
      pairs &-= 1
    } while pairs != 0
    pointee.bufferNext = place
    pointee.fetched = fetched
    pointee.fetchCause = .fetchBandwidth
    return t
  }

  /// New lines of L1I, and the translation of a new page.
  @inline(__always) func fetchLines(_ group: UnsafePointer<IssueGroup>, _ block: UInt64) {
    if group.pointee.lines == 1 && hasLine(group.pointee.line, block &+ UInt64(group.pointee.offset)) { return }
    fetchLines(group, block &+ UInt64(group.pointee.offset), group.pointee.linePhysical &>> pointee.l1i.lineShift)
  }

  /// Whether the line is there without further ado that begins somewhere behind an address. A loop inside one line asks for nothing.
  @inline(__always) func hasLine(_ line: UInt64, _ address: UInt64) -> Bool {
    if line == pointee.fetchLine { return true }
    guard address &>> 12 == pointee.fetchPage && pointee.l1i.isLast(line: line) else { return false }
    pointee.fetchLine = line
    bump(.l1iReads)
    return true
  }

  @inline(never) private func fetchLines(_ group: UnsafePointer<IssueGroup>, _ address: UInt64, _ line: UInt64) {
    let page = address &>> 12
    if page != pointee.fetchPage {
      pointee.fetchEpoch &+= 1
      fetchPage(page, group.pointee.linePhysical)
    }
    let key = group.pointee.linePhysical
    // A block that begins in the middle of a line may begin with the one that was read last.
    if line != pointee.fetchLine {
      pointee.fetchLine = line
      bump(.l1iReads)
      fetchLine(key)
    }
    guard group.pointee.lines > 1 else { return }
    pointee.fetchLine = line &+ 1
    bump(.l1iReads)
    fetchLine(key &+ 16)
  }

  /// Reads a line that need not be the one of its set that was used last.
  @inline(__always) private func fetchLine(_ key: UInt64) {
    if pointee.l1i.isLast(key) { return }
    pointee.fetchEpoch &+= 1
    if !pointee.l1i.touch(key) { fetchMiss(key) }
  }

  @inline(never) private func fetchPage(_ page: UInt64, _ physical: UInt64) {
    pointee.fetchPage = page
    // PSR.it
    guard pointee.state.pointee.psr & 1 &<< 36 != 0 else { return }
    if pointee.l1ITLB.touch(page &<< 12, physical) { return }
    bump(.itlbMisses)
    pointee.fetched &+= pointee.costs.l1InstructionMiss
    if let entry = pointee.owner._withUnsafeGuaranteedRef({ $0.missesLevel2(page &<< 12, instruction: true) }) {
      bump(.instructionWalks)
      pointee.fetched &+= walk(entry, pointee.fetched)
    }
    pointee.fetchCause = .fetchTLB
  }

  @inline(never) private func fetchMiss(_ key: UInt64) {
    bump(.l1iMisses)
    bump(.l2iReads)
    let start = pointee.fetched
    var ready = start &+ pointee.costs.l2i &- 1
    if pointee.costs.l2IsUnified { pointee.memory.storeLine = .max }
    let hit = pointee.costs.l2IsUnified ? pointee.l2d.touch(key) : pointee.l2i.touch(key)
    if !hit {
      bump(.l2iMisses)
      ready = beyondL2(key, start)
      if pointee.costs.l2IsUnified {
        if pointee.l2d.fill(key) { writeBack() }
      } else {
        _ = pointee.l2i.fill(key)
      }
    }
    _ = pointee.l1i.fill(key)
    pointee.fetched = ready
    pointee.fetchCause = .fetchMiss
  }
}
