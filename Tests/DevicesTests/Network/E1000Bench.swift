import Devices
import HostResources
import Platform
import Processor
import Testing

/// The far end of the cable.
final class TestPort: NetworkPort {
  var sent: [(frame: [UInt8], cycle: UInt64)] = []
  private var waiting: [[UInt8]] = []
  var frameArrived: (() -> Void)?
  var statistics = NetworkStatistics()
  var clock: BenchClock?
  func send(_ frame: [UInt8]) { sent.append((frame, clock?.now ?? 0)) }
  func receive() -> [UInt8]? { waiting.isEmpty ? nil : waiting.removeFirst() }
  func deliver(_ frame: [UInt8]) {
    waiting.append(frame)
    if waiting.count == 1 { frameArrived?() }
  }
  var waitingCount: Int { waiting.count }
}

/// An adapter on a bus, without a processor: a test moves its clock.
final class E1000Bench {
  let machine: Machine
  let root: PCIRoot
  let clock = BenchClock()
  let events = EventQueue()
  let port = TestPort()
  let adapter: E1000
  static let address = MACAddress(value: 0x0016_3E12_3456)

  init() throws {
    machine = try Machine(MachineConfiguration(memorySize: MachineConfiguration.smallestMemory))
    root = try PCIRoot(memory: PhysicalDMA(memory: machine.memory), bus: machine.bus, interrupts: machine.ioSAPIC)
    port.clock = clock
    adapter = E1000(address: Self.address, port: port, clock: clock, events: events)
    try root.attach(adapter.function, model: adapter, device: 3)
    root.writeConfiguration(bus: 0, device: 3, function: 0, register: 4, size: 2, value: 7)
  }

  // MARK: Time

  func run(cycles: UInt64) {
    let end = clock.now + cycles
    while let next = events.earliest, next <= end {
      clock.now = max(clock.now, next)
      events.run(until: clock.now)
    }
    clock.now = end
  }
  func run(nanoseconds: UInt64) { run(cycles: Cycles.from(nanoseconds: nanoseconds)) }

  // MARK: Registers

  subscript(_ register: Int) -> UInt32 {
    get { UInt32(adapter.read(bar: 0, offset: UInt64(register), size: 4)) }
    set { adapter.write(bar: 0, offset: UInt64(register), size: 4, value: UInt64(newValue)) }
  }
  /// The interrupt pin, as the configuration's status register shows it.
  var interrupt: Bool { root.readConfiguration(bus: 0, device: 3, function: 0, register: 6, size: 2) & 8 != 0 }

  func phy(read register: UInt32) -> UInt16 {
    self[0x20] = 2 << 26 | 1 << 21 | register << 16
    return UInt16(truncatingIfNeeded: self[0x20])
  }
  func phy(write register: UInt32, _ value: UInt16) { self[0x20] = 1 << 26 | 1 << 21 | register << 16 | UInt32(value) }

  // MARK: Rings

  static let transmitRing: UInt64 = 0x10_0000
  static let receiveRing: UInt64 = 0x11_0000
  static let transmitBuffers: UInt64 = 0x20_0000
  static let receiveBuffers: UInt64 = 0x30_0000
  let ringSize: UInt32 = 16

  /// Link up, both rings in place, all receive buffers but one lent to the adapter.
  func start(receiveControl: UInt32 = 0x8002) {
    self[0x00] = 0x40 | self[0x00]
    run(nanoseconds: 300_000_000)
    self[0x3800] = UInt32(Self.transmitRing)
    self[0x3804] = 0
    self[0x3808] = ringSize * 16
    self[0x2800] = UInt32(Self.receiveRing)
    self[0x2804] = 0
    self[0x2808] = ringSize * 16
    for n in 0..<UInt64(ringSize) {
      machine.memory.store(Self.receiveRing + 16 * n, Self.receiveBuffers + 4096 * n)
      machine.memory.store(Self.receiveRing + 16 * n + 8, UInt64(0))
    }
    self[0x100] = receiveControl
    self[0x2818] = ringSize - 1
    self[0x400] = 0x0004_00FA
    _ = self[0xC0]
  }

  private var tail: UInt32 = 0
  /// Puts a descriptor behind the last one; ``kick()`` tells the adapter.
  func put(_ low: UInt64, _ high: UInt64) {
    machine.memory.store(Self.transmitRing + 16 * UInt64(tail), low)
    machine.memory.store(Self.transmitRing + 16 * UInt64(tail) + 8, high)
    tail = (tail + 1) % ringSize
  }
  func kick() { self[0x3818] = tail }
  /// The adapter was reset: its ring begins at 0.
  func rewind() { tail = 0 }

  /// One frame in one legacy descriptor: EOP, IFCS, RS.
  func send(_ frame: [UInt8], command: UInt64 = 0x0B, checksumStart: UInt64 = 0, checksumOffset: UInt64 = 0, special: UInt64 = 0) {
    #expect(machine.memory.write(Self.transmitBuffers, frame))
    put(
      Self.transmitBuffers,
      UInt64(frame.count) | checksumOffset << 16 | command << 24 | checksumStart << 40 | special << 48)
    kick()
  }

  /// The frame in receive descriptor `n`, with status, errors, tag and checksum, if it is done.
  func received(_ n: UInt64) -> (frame: [UInt8], status: UInt8, errors: UInt8, tag: UInt16, checksum: UInt16)? {
    guard let word = machine.memory.load(Self.receiveRing + 16 * n + 8, as: UInt64.self), word >> 32 & 1 != 0 else { return nil }
    let bytes = machine.memory.read(Self.receiveBuffers + 4096 * n, count: Int(word & 0xFFFF)) ?? []
    return (
      bytes, UInt8(truncatingIfNeeded: word >> 32), UInt8(truncatingIfNeeded: word >> 40), UInt16(word >> 48),
      UInt16(truncatingIfNeeded: word >> 16)
    )
  }
  /// Lends descriptors up to `n` exclusive.
  func lend(to n: UInt32) { self[0x2818] = n }

  static func frame(
    to destination: MACAddress = address, type: UInt16 = 0x88B5, payload: [UInt8] = .init(repeating: 0x5A, count: 46)
  )
    -> [UInt8]
  {
    destination.bytes + MACAddress(value: 0x0200_0000_0001).bytes + [UInt8(type >> 8), UInt8(truncatingIfNeeded: type)] + payload
  }
}
