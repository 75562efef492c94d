import Processor

/// A domain's table of frames as the domain itself may read it (expose_p2m): for each of its frames the first word of a translation to the
/// machine's frame (Volume 2, figure 4-5), not present where there is none. Its pages are the hypervisor's.
final class ExposedFrames {
  /// Words of a page.
  static let entries = FramePool.frameSize / 8
  /// Write-back, accessed, dirty, all rights: what Xen's own table has of RAM.
  private static let present: UInt64 = 1 | 1 << 5 | 1 << 6 | 3 << 9
  private static let presentReadOnly: UInt64 = 1 | 1 << 5

  /// Frames of the domain that it tells of.
  let covered: Range<UInt64>
  /// The machine's numbers of its pages.
  let pages: [UInt32]
  private let words: [UnsafeMutablePointer<UInt64>]
  private let pool: FramePool

  init(_ covered: Range<UInt64>, pool: FramePool) throws(FramePool.Failure) {
    let count = (covered.upperBound - covered.lowerBound + Self.entries - 1) / Self.entries
    try pool.reserve(count)
    (self.covered, self.pool) = (covered, pool)
    pages = (0..<count).map { _ in pool.take() }
    words = pages.map { page in
      guard let host = pool.memory.host(UInt64(page) << FramePool.frameShift, count: Int(FramePool.frameSize)) else {
        preconditionFailure("a frame of the pool is not memory")
      }
      return host.assumingMemoryBound(to: UInt64.self)
    }
  }

  deinit {
    for page in pages { pool.giveBack(page) }
    pool.release(UInt64(pages.count))
  }

  func set(_ frame: UInt64, _ slot: DomainMemory.Slot) {
    guard covered.contains(frame) else { return }
    let index = frame - covered.lowerBound
    let isThere = slot.isOwn || slot.isForeign
    words[Int(index / Self.entries)][Int(index % Self.entries)] =
      isThere ? UInt64(slot.frame) << FramePool.frameShift | (slot.isReadOnly ? Self.presentReadOnly : Self.present) : 0
  }
}

extension DomainMemory {
  /// Shows the domain, from its frame `place` on, what its frames in `range` are, for as long as it lives; what was exposed before no longer
  /// is. All of RAM among them is given to the domain. Frames beyond RAM's end have no pages.
  func expose(_ range: Range<UInt64>, at place: UInt64) throws(FramePool.Failure) {
    let end = (ranges.last?.upperBound ?? 0) >> FramePool.frameShift
    let covered = range.clamped(to: 0..<end)
    if let old = exposed {
      for page in old.pages.indices where shown(at: exposedAt + UInt64(page)) == old.pages[page] {
        _ = hide(exposedAt + UInt64(page))
      }
      exposed = nil
    }
    guard !covered.isEmpty else { return }
    let table = try ExposedFrames(covered, pool: pool)
    (exposed, exposedAt) = (table, place)
    for (n, page) in table.pages.enumerated() { show(page, at: place + UInt64(n), readOnly: true) }
    for frame in covered {
      _ = machine(frame << FramePool.frameShift)
      if let slot = slot(frame << FramePool.frameShift) { table.set(frame, slot.pointee) }
    }
  }
}
