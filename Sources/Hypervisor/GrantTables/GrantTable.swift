import Processor

/// The grant table of one domain: frames of the hypervisor's that the domain sees, which entries are in use, and what it has mapped itself.
final class GrantTable {
  /// Default of Xen's `gnttab_max_nr_frames`: 65536 references.
  static let frameLimit = 32
  /// Mappings that a domain may have at a time: as many as there are references in a table.
  static let handleLimit = frameLimit * GrantEntry.perFrame

  /// Nil once the domain is gone: mappings that others still have of it keep nothing but their frames.
  private(set) var memory: DomainMemory?
  /// Where in a paravirtualized domain the table begins; nil: the domain says where it wants each frame.
  let place: UInt64?
  private let pool: FramePool
  private(set) var frames: [(machine: UInt32, page: UnsafeMutableRawPointer)] = []
  /// Where each frame is shown, if anywhere.
  private(set) var places: [UInt64?] = []

  /// An entry that is in use by others: its flags say so, and what it leads to is what it led to at the first use.
  struct Use {
    let domain: UInt16
    let frame: UInt64
    let machine: UInt32
    var readers = 0
    var writers = 0
    static let limit = 127
  }
  var uses: [UInt32: Use] = [:]

  /// What this domain has mapped of others' frames.
  struct Mapping {
    let granter: GrantTable
    let reference: UInt32
    let machine: UInt32
    let address: UInt64
    let isReadOnly: Bool
  }
  private(set) var mappings: [UInt32: Mapping] = [:]
  private var freeHandles: [UInt32] = []
  private var nextHandle: UInt32 = 0

  init(memory: DomainMemory, place: UInt64?, pool: FramePool) {
    (self.memory, self.place, self.pool) = (memory, place, pool)
  }

  // MARK: Frames

  /// Makes the table at least so long; false: it cannot be.
  func grow(to count: Int) -> Bool {
    guard count <= Self.frameLimit else { return false }
    while frames.count < count {
      do throws(FramePool.Failure) { try pool.reserve(1) } catch { return false }
      let machine = pool.take()
      guard let page = pool.memory.host(UInt64(machine) << FramePool.frameShift, count: Int(FramePool.frameSize)) else {
        preconditionFailure("the pool gave a frame that is not memory")
      }
      frames.append((machine, page))
      places.append(nil)
      if let place { show(frames.count - 1, at: place >> FramePool.frameShift + UInt64(frames.count - 1)) }
    }
    return true
  }

  /// Shows a frame of the table somewhere in the domain, and no longer where it was.
  func show(_ index: Int, at frame: UInt64) {
    hide(index)
    memory?.show(frames[index].machine, at: frame)
    places[index] = frame
  }

  private func hide(_ index: Int) {
    // The domain may have put something else there.
    if let old = places[index], let memory, memory.shown(at: old) == frames[index].machine { _ = memory.hide(old) }
    places[index] = nil
  }

  /// The domain is gone: its table is, too.
  func die() {
    for index in frames.indices {
      hide(index)
      pool.giveBack(frames[index].machine)
    }
    pool.release(UInt64(frames.count))
    (frames, places, memory) = ([], [], nil)
  }

  // MARK: Entries

  var references: UInt32 { UInt32(frames.count * GrantEntry.perFrame) }

  private func location(_ reference: UInt32) -> UnsafeMutableRawPointer {
    frames[Int(reference) / GrantEntry.perFrame].page + Int(reference) % GrantEntry.perFrame * GrantEntry.size
  }

  /// One reading of an entry; nil: there is none.
  func entry(_ reference: UInt32) -> GrantEntry? {
    guard reference < references else { return nil }
    let word = UInt64(littleEndian: location(reference).load(as: UInt64.self))
    return GrantEntry(
      flags: UInt16(truncatingIfNeeded: word), domain: UInt16(truncatingIfNeeded: word >> 16), frame: UInt32(word >> 32))
  }

  func setFlags(_ reference: UInt32, _ flags: UInt16) {
    guard reference < references else { return }
    location(reference).storeBytes(of: flags.littleEndian, as: UInt16.self)
  }

  func setFrame(_ reference: UInt32, _ frame: UInt32) {
    guard reference < references else { return }
    location(reference).storeBytes(of: frame.littleEndian, toByteOffset: 4, as: UInt32.self)
  }

  // MARK: Handles

  func addMapping(_ mapping: Mapping) -> UInt32 {
    let handle: UInt32
    if let free = freeHandles.popLast() {
      handle = free
    } else {
      handle = nextHandle
      nextHandle += 1
    }
    mappings[handle] = mapping
    return handle
  }

  var hasHandle: Bool { mappings.count < Self.handleLimit }

  func removeMapping(_ handle: UInt32) {
    if mappings.removeValue(forKey: handle) != nil { freeHandles.append(handle) }
  }
}
