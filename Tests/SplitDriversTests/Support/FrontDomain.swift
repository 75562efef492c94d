import HostResources
import Hypervisor
import Platform
import Processor
import SplitDrivers

/// The machine's time, moved by the test.
final class TestClock: VirtualClock {
  var now: UInt64 = 0
}

/// A host with back ends, and what they need.
final class DriverFixture {
  let pool: FramePool
  let events = EventChannels()
  let grants: GrantTables
  let store: XenStore
  let queue = EventQueue()
  let clock = TestClock()
  let host: DriverHost
  var reports: [String] = []

  init() throws {
    pool = try FramePool(size: 32 << 20, kept: 1 << 20)
    grants = GrantTables(pool: pool)
    store = XenStore(events: events, grants: grants)
    host = DriverHost(store: store, events: events, grants: grants, queue: queue, clock: clock)
    host.report = { [weak self] in self?.reports.append("\($0) \($1): \($2)") }
  }

  /// Runs what is due, in order, until nothing is left or the time is over.
  func run(nanoseconds: UInt64 = 10_000_000_000) {
    let end = clock.now + Cycles.from(nanoseconds: nanoseconds)
    while let next = queue.earliest, next <= end {
      clock.now = max(clock.now, next)
      queue.run(until: next)
    }
    clock.now = end
  }
}

/// A domain with front ends: memory, a grant table, ports. What `drivers/xen/blkfront` and `netfront` do, by hand.
final class FrontDomain: ServicedDomain {
  static let frame = FramePool.frameSize
  let domainNumber: UInt16
  let memory: DomainMemory
  let sharedInfo: SharedInfo
  let virtualProcessorCount = 1
  let fixture: DriverFixture
  private var nextFrame: UInt64 = 1
  private var nextReference: UInt32 = 8
  /// Where the grant table is: in RAM, so that tests write to it as to any other.
  private static let tableFrame: UInt64 = 100

  init(_ number: UInt16, _ fixture: DriverFixture, frames: UInt64 = 128) throws {
    domainNumber = number
    self.fixture = fixture
    memory = try DomainMemory(pool: fixture.pool, layout: [(0, frames * Self.frame)])
    try fixture.pool.reserve(1)
    let frame = fixture.pool.take()
    guard let page = fixture.pool.memory.host(UInt64(frame) << FramePool.frameShift, count: Int(FramePool.frameSize)) else {
      throw XenError.noMemory
    }
    sharedInfo = SharedInfo(page: page, machineFrame: frame)
    fixture.events.add(self)
    try fixture.grants.add(self)
    try fixture.grants.showTable(0, at: Self.tableFrame, in: number)
    try fixture.store.makeDirectory("/local/domain/\(number)")
    try fixture.store.setPermissions("/local/domain/\(number)", [StorePermission(.none, number)])
  }

  func upcall(_ processor: Int) {}

  /// Whether a port was raised since the last look.
  func takeEvent(_ port: UInt32) -> Bool {
    defer {
      sharedInfo.setPending(Int(port), false)
      sharedInfo.setPendingSelector(0, 0)
      sharedInfo.setUpcallPending(0, false)
    }
    return sharedInfo.isPending(Int(port))
  }

  /// A frame of its own, and its address.
  func page() -> UInt64 {
    if nextFrame == Self.tableFrame { nextFrame += 1 }
    nextFrame += 1
    return (nextFrame - 1) * Self.frame
  }

  /// Lets domain 0 have a page.
  func grant(_ page: UInt64, readOnly: Bool = false, to domain: UInt16 = 0) -> UInt32 {
    nextReference += 1
    let entry = entry(nextReference)
    memory.store(entry + 4, UInt32(page / Self.frame))
    memory.store(entry + 2, domain)
    allow(nextReference, readOnly: readOnly)
    return nextReference
  }
  /// Lets the same page be used again, after ``end(_:)``.
  func allow(_ reference: UInt32, readOnly: Bool) { memory.store(entry(reference), UInt16(readOnly ? 5 : 1)) }
  /// Takes a grant back. False: it is mapped.
  func end(_ reference: UInt32) -> Bool {
    guard let flags = flags(reference), flags & 0b11000 == 0 else { return false }
    return memory.store(entry(reference), 0 as UInt16)
  }
  func flags(_ reference: UInt32) -> UInt16? { memory.load(entry(reference)) }
  private func entry(_ reference: UInt32) -> UInt64 { Self.tableFrame * Self.frame + UInt64(reference) * 8 }

  /// The host lets it go: devices first, then what it has.
  func die() throws {
    fixture.host.domainGone(domainNumber)
    fixture.store.release(domainNumber)
    fixture.events.remove(domainNumber)
    fixture.grants.remove(domainNumber)
    try fixture.store.remove("/local/domain/\(domainNumber)")
  }

  func port() throws -> UInt32 { try fixture.events.allocateUnbound(in: domainNumber, for: 0) }
}

/// A front end's side of a generic ring.
final class FrontRing {
  let domain: FrontDomain
  let page: UInt64
  let reference: UInt32
  let entry: UInt64
  let slots: UInt32
  var produced: UInt32 = 0
  var consumed: UInt32 = 0

  init(_ domain: FrontDomain, entry: Int) {
    self.domain = domain
    page = domain.page()
    reference = domain.grant(page)
    self.entry = UInt64(entry)
    slots = BackRing.slots(entrySize: entry)
    // SHARED_RING_INIT.
    domain.memory.store(page + 4, 1 as UInt32)
    domain.memory.store(page + 12, 1 as UInt32)
  }

  func slot(_ index: UInt32) -> UInt64 { page + 0x40 + UInt64(index & (slots - 1)) * entry }

  func put(_ request: [UInt8]) {
    domain.memory.write(slot(produced), request)
    produced &+= 1
  }
  /// True: the back end is to be told.
  func push() -> Bool {
    let old: UInt32 = domain.memory.load(page) ?? 0
    domain.memory.store(page, produced)
    let event: UInt32 = domain.memory.load(page + 4) ?? 0
    return produced &- event < produced &- old
  }
  /// Responses that have come.
  func take(_ size: Int) -> [[UInt8]] {
    let end: UInt32 = domain.memory.load(page + 8) ?? 0
    var list: [[UInt8]] = []
    // Noise may have posted the ring itself as a buffer.
    guard end &- consumed <= slots else { return [] }
    while consumed != end {
      list.append(domain.memory.read(slot(consumed), count: size) ?? [])
      consumed &+= 1
    }
    domain.memory.store(page + 12, consumed &+ 1)
    return list
  }
}

/// A medium in memory.
final class MemoryDisk: DiscardingStorage {
  var bytes: [UInt8]
  var log: [String] = []
  var fails = false
  let isReadOnly = false
  var size: UInt64 { UInt64(bytes.count) }

  init(sectors: Int) { bytes = (0..<sectors * 512).map { UInt8(truncatingIfNeeded: $0 / 512) } }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    guard !fails else { throw .host(errno: 5) }
    log.append("read \(offset / 512) \(buffer.count / 512)")
    buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + buffer.count])
  }
  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    log.append("write \(offset / 512) \(buffer.count / 512)")
    bytes.replaceSubrange(Int(offset)..<Int(offset) + buffer.count, with: buffer)
  }
  func flush() throws(StorageFailure) { log.append("flush") }
  func discard(at offset: UInt64, count: UInt64) throws(StorageFailure) { log.append("discard \(offset / 512) \(count / 512)") }
}

/// The same numbers everywhere (Steele, Lea and Flood).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
