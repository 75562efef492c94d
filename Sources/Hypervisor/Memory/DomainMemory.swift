import Glibc
import Processor

/// What a domain calls physical memory: for each of its frames of 16 KiB, the machine's frame that is there. The only way from a
/// guest-physical address to memory; nothing that is not in this table is within the domain's reach.
public final class DomainMemory: GuestMemory {
  /// Where RAM may be, whether populated or not.
  public let ranges: [Range<UInt64>]
  public let pool: FramePool
  /// What is in each frame of each range.
  private let tables: [UnsafeMutablePointer<Slot>]
  /// Frames outside of the ranges that the hypervisor has put there, by their number in the domain.
  var outside: [UInt64: Slot] = [:]

  /// One frame of the domain: the machine's frame that is there, and whose it is.
  struct Slot: Equatable {
    var bits: UInt32
    /// Given at the first touch. Zero, so that a table costs the host what is used of it; the pool never gives out the machine's frame 0.
    static let unpopulated = Slot(bits: 0)
    /// The domain has given it up: there is nothing until it is populated again.
    static let absent = Slot(bits: 1 << 31)
    private static let foreignBit: UInt32 = 1 << 30
    private static let readOnlyBit: UInt32 = 1 << 29

    static func own(_ frame: UInt32) -> Slot { Slot(bits: frame) }
    /// Another domain's, or the hypervisor's.
    static func foreign(_ frame: UInt32, readOnly: Bool) -> Slot {
      Slot(bits: frame | foreignBit | (readOnly ? readOnlyBit : 0))
    }
    var isForeign: Bool { bits & Self.foreignBit != 0 }
    var isReadOnly: Bool { bits & Self.readOnlyBit != 0 }
    var isOwn: Bool { bits != 0 && bits & (Self.foreignBit | Self.absent.bits) == 0 }
    /// The machine's; meaningless for what is unpopulated or absent.
    var frame: UInt32 { bits & (Self.readOnlyBit - 1) }
  }

  /// What the domain may read of this table, and the frame of the domain's where that begins.
  var exposed: ExposedFrames?
  var exposedAt: UInt64 = 0

  /// Told before a frame of the domain becomes another one: no translation may lead to the old one any more.
  public var forgetsTranslations: (() -> Void)?

  /// Frames that are RAM, populated or not.
  public let frames: UInt64
  public internal(set) var populated: UInt64 = 0
  /// Frames that the pool keeps for the domain, no fewer than it has and no more than are RAM.
  public internal(set) var promised: UInt64 = 0
  /// The domain has touched a frame that was no longer promised, and the pool had none: what it read and wrote there is not memory.
  public private(set) var isShort = false

  /// `layout`: (base, size) in bytes, multiples of 16 KiB, ascending and disjoint.
  public init(pool: FramePool, layout: [(base: UInt64, size: UInt64)]) throws(FramePool.Failure) {
    self.pool = pool
    ranges = layout.map { $0.base..<$0.base + $0.size }
    let counts = layout.map { Int($0.size >> FramePool.frameShift) }
    let total = UInt64(counts.reduce(0, +))
    try pool.reserve(total)
    (frames, promised) = (total, total)
    tables = counts.map { count in
      guard let table = calloc(count, MemoryLayout<Slot>.stride) else { preconditionFailure("the host is out of memory") }
      return table.bindMemory(to: Slot.self, capacity: count)
    }
  }

  deinit {
    for (range, table) in zip(ranges, tables) {
      for index in 0..<range.count >> Int(FramePool.frameShift) where table[index].isOwn {
        pool.giveBack(table[index].frame)
      }
      free(table)
    }
    pool.release(promised)
  }

  @inline(__always) func slot(_ physical: UInt64) -> UnsafeMutablePointer<Slot>? {
    for (range, table) in zip(ranges, tables) where range.contains(physical) {
      return table + Int((physical - range.lowerBound) >> FramePool.frameShift)
    }
    return nil
  }

  /// The machine's address of a guest-physical one; nil: no RAM. Populates.
  public func machine(_ physical: UInt64) -> UInt64? {
    guard let slot = slot(physical) else { return machineOutside(physical) }
    if slot.pointee == .unpopulated {
      guard populated < promised || promiseAnother() else { return nil }
      slot.pointee = .own(pool.take())
      populated += 1
      exposed?.set(physical >> FramePool.frameShift, slot.pointee)
    }
    guard slot.pointee != .absent else { return nil }
    return UInt64(slot.pointee.frame) << FramePool.frameShift | physical & (FramePool.frameSize - 1)
  }

  @inline(never) private func machineOutside(_ physical: UInt64) -> UInt64? {
    outside[physical >> FramePool.frameShift].map {
      UInt64($0.frame) << FramePool.frameShift | physical & (FramePool.frameSize - 1)
    }
  }

  /// Whether the domain may write where it may read.
  public func isWritable(_ physical: UInt64) -> Bool {
    guard let slot = slot(physical) else { return outside[physical >> FramePool.frameShift]?.isReadOnly != true }
    return !slot.pointee.isReadOnly
  }

  // MARK: Promises

  /// What is touched again is promised again, if there is any.
  @inline(never) private func promiseAnother() -> Bool {
    do throws(FramePool.Failure) { try pool.reserve(1) } catch {
      isShort = true
      return false
    }
    promised += 1
    return true
  }

  /// Changes how many frames are promised, without the domain's help: to more, up to all that are RAM, or to fewer, by as many as it has not
  /// touched, and then by those that are zero; these it is given anew when it touches them. It is the caller's to see that no translation of
  /// any frame is left. ``promised`` says how far it went.
  public func promise(_ wanted: UInt64) throws(FramePool.Failure) {
    if wanted > promised {
      let more = min(wanted, frames) - promised
      try pool.reserve(more)
      promised += more
      return
    }
    if wanted < populated { giveBackZeros(populated - wanted) }
    let kept = max(wanted, populated)
    pool.release(promised - kept)
    promised = kept
  }

  /// Frames of zeros are as good as untouched.
  private func giveBackZeros(_ most: UInt64) {
    var left = most
    for (range, table) in zip(ranges, tables).reversed() {
      for index in (0..<range.count >> Int(FramePool.frameShift)).reversed() where table[index].isOwn {
        guard left > 0 else { return }
        // What another domain shows stays what it is, and what the domain knows the number of.
        guard !pool.isHeld(table[index].frame),
          exposed?.covered.contains(range.lowerBound >> FramePool.frameShift + UInt64(index)) != true
        else { continue }
        guard let frame = pool.memory.host(UInt64(table[index].frame) << FramePool.frameShift, count: Int(FramePool.frameSize))
        else {
          continue
        }
        let words = UnsafeRawBufferPointer(start: frame, count: Int(FramePool.frameSize)).bindMemory(to: UInt64.self)
        guard words.allSatisfy({ $0 == 0 }) else { continue }
        pool.giveBack(table[index].frame)
        table[index] = .unpopulated
        populated -= 1
        left -= 1
      }
    }
  }

  // MARK: GuestMemory

  public func host(_ physical: UInt64, count: Int) -> UnsafeMutableRawPointer? {
    guard count > 0, let first = machine(physical) else { return nil }
    // Frames that follow each other in the machine too.
    var offset = FramePool.frameSize - physical & (FramePool.frameSize - 1)
    while offset < UInt64(count) {
      guard machine(physical &+ offset) == first &+ offset else { return nil }
      offset += FramePool.frameSize
    }
    return pool.memory.host(first, count: count)
  }

  public func piece(_ physical: UInt64, limit: Int) -> UnsafeMutableRawBufferPointer? {
    guard limit > 0, let machine = machine(physical) else { return nil }
    let count = min(limit, Int(FramePool.frameSize - physical & (FramePool.frameSize - 1)))
    return pool.memory.host(machine, count: count).map { UnsafeMutableRawBufferPointer(start: $0, count: count) }
  }

  public func noteWrite(_ physical: UInt64, count: Int) {
    var done = 0
    while done < count {
      let address = physical &+ UInt64(done)
      let inFrame = min(count - done, Int(FramePool.frameSize - address & (FramePool.frameSize - 1)))
      if let machine = machine(address) { pool.memory.noteWrite(machine, count: inFrame) }
      done += inFrame
    }
  }

  public func clear(_ physical: UInt64, count: UInt64) -> Bool {
    guard isRAM(physical, count: count) else { return false }
    var done: UInt64 = 0
    while done < count {
      let address = physical + done
      let inFrame = min(count - done, FramePool.frameSize - address & (FramePool.frameSize - 1))
      // What nobody has touched is zero.
      if let slot = slot(address), slot.pointee.isOwn {
        pool.memory.clear(
          UInt64(slot.pointee.frame) << FramePool.frameShift | address & (FramePool.frameSize - 1), count: inFrame)
      }
      done += inFrame
    }
    return true
  }

  public func contentHash() -> UInt64 {
    var hash = MemoryHash.start
    for (range, table) in zip(ranges, tables) {
      for index in 0..<range.count >> Int(FramePool.frameShift) where table[index].isOwn {
        guard let host = pool.memory.host(UInt64(table[index].frame) << FramePool.frameShift, count: Int(FramePool.frameSize))
        else {
          continue
        }
        let address = range.lowerBound + (UInt64(index) << FramePool.frameShift)
        for offset in stride(from: 0, to: Int(FramePool.frameSize), by: 4096) {
          hash = MemoryHash.mix(hash, host + offset, at: address + UInt64(offset))
        }
      }
    }
    return hash
  }
}
