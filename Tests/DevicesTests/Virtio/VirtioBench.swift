import Devices
import HostResources
import Platform
import Testing

/// A virtio device on a bus, and a driver made of hands: it lays out queues as the specification says, and a test moves its clock.
final class VirtioBench {
  enum Driver: Sendable, CaseIterable { case legacy, modern }

  /// A part of a chain.
  struct Part {
    var address: UInt64
    var count: UInt32
    var isWritable = false
    static func read(_ address: UInt64, _ count: Int) -> Part { Part(address: address, count: UInt32(count)) }
    static func write(_ address: UInt64, _ count: Int) -> Part { Part(address: address, count: UInt32(count), isWritable: true) }
  }

  let memory: IDEBench.Memory
  let clock = BenchClock()
  let events = EventQueue()
  let bus = SystemBus()
  let root: PCIRoot
  let pci: VirtioPCI
  private let sapic: IOSAPIC
  private let sink = NoInterrupts()
  static let device: UInt8 = 3
  /// Feature bits 28, 29 and 32 (section 6).
  static let indirect: UInt64 = 1 << 28
  static let eventIndex: UInt64 = 1 << 29
  static let version1: UInt64 = 1 << 32

  init(
    interface: VirtioInterface = .transitional, memory: IDEBench.Memory = IDEBench.Memory(),
    _ make: (EventQueue, BenchClock) -> VirtioDevice
  ) throws {
    self.memory = memory
    sapic = IOSAPIC(sink: sink)
    root = try PCIRoot(memory: memory, bus: bus, interrupts: sapic)
    pci = VirtioPCI(make(events, clock), interface: interface)
    try root.attach(pci.function, model: pci, device: Self.device)
    try root.assignResources()
    setConfiguration(4, 2, 7)
  }

  // MARK: Time

  /// Lets everything happen that is on its way; false: it does not end.
  @discardableResult func settle(limit: Int = 100_000) -> Bool {
    for _ in 0..<limit {
      guard let next = events.earliest else { return true }
      clock.now = max(clock.now, next)
      events.run(until: clock.now)
    }
    return false
  }

  func run(nanoseconds: UInt64) {
    let end = clock.now + Cycles.from(nanoseconds: nanoseconds)
    while let next = events.earliest, next <= end {
      clock.now = max(clock.now, next)
      events.run(until: clock.now)
    }
    clock.now = end
  }

  // MARK: Registers

  func configuration(_ register: Int, _ size: Int) -> UInt32 {
    root.readConfiguration(bus: 0, device: Self.device, function: 0, register: UInt16(register), size: size)
  }
  func setConfiguration(_ register: Int, _ size: Int, _ value: UInt32) {
    root.writeConfiguration(bus: 0, device: Self.device, function: 0, register: UInt16(register), size: size, value: value)
  }
  /// The interrupt pin.
  var interrupt: Bool { configuration(6, 2) & 8 != 0 }

  /// Where a capability of this type says that its structure is (section 4.1.4).
  func structure(_ type: UInt8) -> (bar: Int, offset: UInt64, length: UInt32, capability: Int)? {
    var at = Int(configuration(0x34, 1))
    while at != 0 {
      if configuration(at, 1) == 9, configuration(at + 3, 1) == UInt32(type) {
        return (Int(configuration(at + 4, 1)), UInt64(configuration(at + 8, 4)), configuration(at + 12, 4), at)
      }
      at = Int(configuration(at + 1, 1))
    }
    return nil
  }

  func common(_ offset: UInt64, _ size: Int) -> UInt64 {
    structure(1).map { pci.read(bar: $0.bar, offset: $0.offset + offset, size: size) } ?? .max
  }
  func setCommon(_ offset: UInt64, _ size: Int, _ value: UInt64) {
    if let s = structure(1) { pci.write(bar: s.bar, offset: s.offset + offset, size: size, value: value) }
  }
  func legacy(_ offset: UInt64, _ size: Int) -> UInt64 { pci.read(bar: 0, offset: offset, size: size) }
  func setLegacy(_ offset: UInt64, _ size: Int, _ value: UInt64) { pci.write(bar: 0, offset: offset, size: size, value: value) }

  var driver = Driver.modern
  /// The device's own configuration.
  func field(_ offset: UInt64, _ size: Int) -> UInt64 {
    if driver == .legacy { return legacy(20 + offset, size) }
    return structure(4).map { pci.read(bar: $0.bar, offset: $0.offset + offset, size: size) } ?? .max
  }
  func setField(_ offset: UInt64, _ size: Int, _ value: UInt64) {
    if driver == .legacy { return setLegacy(20 + offset, size, value) }
    if let s = structure(4) { pci.write(bar: s.bar, offset: s.offset + offset, size: size, value: value) }
  }
  var status: UInt8 { UInt8(driver == .legacy ? legacy(18, 1) : common(20, 1)) }
  /// Reading acknowledges.
  func isr() -> UInt8 {
    if driver == .legacy { return UInt8(legacy(19, 1)) }
    return structure(3).map { UInt8(pci.read(bar: $0.bar, offset: $0.offset, size: 1)) } ?? 0
  }

  var offered: UInt64 {
    if driver == .legacy { return legacy(0, 4) }
    return (0..<2).reduce(UInt64(0)) { features, half in
      setCommon(0, 4, UInt64(half))
      return features | common(4, 4) << UInt64(32 * half)
    }
  }

  // MARK: Driver

  /// A queue's three parts, each of 256 entries at most.
  struct Ring {
    var size: UInt64
    var descriptors: UInt64
    var available: UInt64
    var used: UInt64
    var nextDescriptor: UInt64 = 0
    var index: UInt16 = 0
    var seen: UInt16 = 0
  }
  var rings: [Ring] = []
  private var features: UInt64 = 0
  private static let ringStart: UInt64 = 0x1_0000
  private static let ringStep: UInt64 = 0x4000

  /// Section 3.1.1, up to DRIVER_OK. `features`: those that the driver wants.
  func start(_ driver: Driver = .modern, features: UInt64 = 0, queues: Int) {
    self.driver = driver
    setStatus(0)
    setStatus(1)
    setStatus(3)
    self.features = features | (driver == .modern ? Self.version1 : 0)
    if driver == .legacy {
      setLegacy(4, 4, features)
    } else {
      for half in 0..<2 {
        setCommon(8, 4, UInt64(half))
        setCommon(12, 4, self.features >> UInt64(32 * half) & 0xFFFF_FFFF)
      }
      setStatus(0xB)
      #expect(status == 0xB)
    }
    rings = (0..<queues).map(placeRing)
    setStatus(status | 4)
  }

  func setStatus(_ status: UInt8) {
    if driver == .legacy { setLegacy(18, 1, UInt64(status)) } else { setCommon(20, 1, UInt64(status)) }
  }

  private func placeRing(_ queue: Int) -> Ring {
    let base = Self.ringStart + UInt64(queue) * Self.ringStep
    for n in stride(from: UInt64(0), to: Self.ringStep, by: 8) { memory.store(base + n, UInt64(0)) }
    if driver == .legacy {
      setLegacy(14, 2, UInt64(queue))
      let size = legacy(12, 2)
      setLegacy(8, 4, base >> 12)
      // Section 2.7.2: the available ring behind the descriptors, the used ring on the next page.
      let available = base + 16 * size
      return Ring(size: size, descriptors: base, available: available, used: (available + 6 + 2 * size + 4095) & ~4095)
    }
    setCommon(22, 2, UInt64(queue))
    let size = common(24, 2)
    let ring = Ring(size: size, descriptors: base, available: base + 0x1800, used: base + 0x2800)
    for (offset, value) in [(32 as UInt64, ring.descriptors), (40, ring.available), (48, ring.used)] { setCommon(offset, 8, value) }
    setCommon(28, 2, 1)
    return ring
  }

  func setDescriptor(_ queue: Int, _ n: UInt64, address: UInt64, length: UInt32, flags: UInt16, next: UInt16 = 0) {
    store(rings[queue].descriptors + 16 * n, address: address, length: length, flags: flags, next: next)
  }
  func store(_ at: UInt64, address: UInt64, length: UInt32, flags: UInt16, next: UInt16 = 0) {
    memory.store(at, address)
    memory.store(at + 8, length)
    memory.store(at + 12, flags)
    memory.store(at + 14, next)
  }

  /// Makes a chain from the next descriptors available, without a notification. Returns its head.
  @discardableResult func post(_ queue: Int, _ parts: [Part], table: UInt64? = nil) -> UInt16 {
    let head = UInt16(rings[queue].nextDescriptor)
    for (n, part) in parts.enumerated() {
      let flags: UInt16 = (part.isWritable ? 2 : 0) | (n + 1 < parts.count ? 1 : 0)
      if let table {
        store(table + UInt64(16 * n), address: part.address, length: part.count, flags: flags, next: UInt16(n + 1))
      } else {
        let number = rings[queue].nextDescriptor
        rings[queue].nextDescriptor = (number + 1) % rings[queue].size
        setDescriptor(
          queue, number, address: part.address, length: part.count, flags: flags, next: UInt16(rings[queue].nextDescriptor))
      }
    }
    if let table {
      setDescriptor(queue, UInt64(head), address: table, length: UInt32(16 * parts.count), flags: 4)
      rings[queue].nextDescriptor = (rings[queue].nextDescriptor + 1) % rings[queue].size
    }
    expose(queue, head)
    return head
  }

  /// Puts a head into the available ring.
  func expose(_ queue: Int, _ head: UInt16) {
    let ring = rings[queue]
    memory.store(ring.available + 4 + 2 * (UInt64(ring.index) % ring.size), head)
    rings[queue].index = ring.index &+ 1
    memory.store(ring.available + 2, ring.index &+ 1)
  }

  func notify(_ queue: Int) {
    if driver == .legacy { return setLegacy(16, 2, UInt64(queue)) }
    guard let s = structure(2) else { return }
    setCommon(22, 2, UInt64(queue))
    let multiplier = UInt64(configuration(s.capability + 16, 4))
    pci.write(bar: s.bar, offset: s.offset + common(30, 2) * multiplier, size: 2, value: UInt64(queue))
  }

  /// What the device has given back since the last time.
  func collect(_ queue: Int) -> [(head: UInt32, written: UInt32)] {
    let ring = rings[queue]
    let index = memory.load(ring.used + 2, as: UInt16.self) ?? 0
    var list: [(UInt32, UInt32)] = []
    while rings[queue].seen != index {
      let at = ring.used + 4 + 8 * (UInt64(rings[queue].seen) % ring.size)
      list.append((memory.load(at) ?? 0, memory.load(at + 4) ?? 0))
      rings[queue].seen &+= 1
    }
    return list
  }

  /// One request to its end: bytes written, as the device says.
  func request(_ queue: Int, _ parts: [Part]) -> UInt32? {
    let head = post(queue, parts)
    notify(queue)
    settle()
    let done = collect(queue)
    return done.count == 1 && done[0].head == UInt32(head) ? done[0].written : nil
  }

  func bytes(_ address: UInt64, _ count: Int) -> [UInt8] { memory.bytes(address, count: count) ?? [] }
}

/// Little-endian fields one behind the other.
func little(_ fields: (value: UInt64, size: Int)...) -> [UInt8] {
  fields.flatMap { field in (0..<field.size).map { UInt8(truncatingIfNeeded: field.value >> UInt64(8 * $0)) } }
}
