import Devices
import HostResources
import Platform

/// Memory of the host as a medium, with faults to order.
final class MemoryStorage: BlockStorage {
  var bytes: [UInt8]
  var isReadOnly = false
  /// Blocks of 512 bytes that cannot be read, or written.
  var unreadable: Set<UInt64> = []
  var unwritable: [UInt64: StorageFailure] = [:]
  var flushFailure: StorageFailure?
  private(set) var flushes = 0
  private(set) var accesses = 0

  init(blocks: Int) { bytes = [UInt8](repeating: 0, count: blocks * 512) }
  var size: UInt64 { UInt64(bytes.count) }

  private func range(_ offset: UInt64, _ count: Int) throws(StorageFailure) -> Range<UInt64> {
    accesses += 1
    guard offset <= size, UInt64(count) <= size - offset else { throw .outside }
    return offset / 512..<(offset + UInt64(count) + 511) / 512
  }
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    for block in try range(offset, buffer.count) where unreadable.contains(block) { throw .host(errno: 5) }
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + buffer.count]))
    }
  }
  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    if isReadOnly { throw .readOnly }
    for block in try range(offset, buffer.count) { if let failure = unwritable[block] { throw failure } }
    bytes.replaceSubrange(Int(offset)..<Int(offset) + buffer.count, with: buffer)
  }
  func flush() throws(StorageFailure) {
    if let flushFailure { throw flushFailure }
    flushes += 1
  }
}

/// A transport without a bus: commands in, data and status out.
struct DirectTransport {
  let unit: SCSIUnit
  var initiator: UInt8 = 0
  /// Moves this many bytes at a time.
  var piece = 65536

  struct Result: Equatable {
    var status: SCSIStatus
    var data: [UInt8] = []
    var sense: SCSISense?
  }

  func run(_ command: [UInt8], data: [UInt8] = []) -> Result {
    var task = unit.begin(command, initiator: initiator)
    var result: [UInt8] = []
    var sent = 0
    while task.direction == .toInitiator, task.moved < task.length {
      var buffer = [UInt8](repeating: 0xEE, count: piece)
      let count = buffer.withUnsafeMutableBytes { unit.read(&task, into: $0) }
      result += buffer[..<count]
      if count == 0 { break }
    }
    while task.direction == .fromInitiator, task.status == nil, task.moved < task.length, sent < data.count {
      let count = data[sent..<min(sent + piece, data.count)].withUnsafeBytes { unit.write(&task, from: $0) }
      sent += count
      if count == 0 { break }
    }
    var turns = 0
    while task.status == nil && turns < 1 << 14 {
      unit.proceed(&task)
      turns += 1
    }
    return Result(status: task.status ?? .busy, data: result, sense: task.sense)
  }
}

final class BenchClock: VirtualClock {
  var now: UInt64 = 0
}

final class NoInterrupts: InterruptSink {
  func deliver(_ message: InterruptMessage) {}
}

/// Memory that fails outside of its bytes, and remembers that somebody tried.
final class BenchMemory: DMAPort {
  static let size = 1 << 20
  var bytes = [UInt8](repeating: 0, count: size)
  private(set) var strays = 0

  private func isInside(_ address: UInt64, _ count: Int) -> Bool {
    let inside = address <= UInt64(Self.size) && UInt64(count) <= UInt64(Self.size) - address
    if !inside { strays += 1 }
    return inside
  }
  func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    guard isInside(address, buffer.count) else { return false }
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(address)..<Int(address) + buffer.count]))
    }
    return true
  }
  func write(_ address: UInt64, from buffer: UnsafeRawBufferPointer) -> Bool {
    guard isInside(address, buffer.count) else { return false }
    bytes.replaceSubrange(Int(address)..<Int(address) + buffer.count, with: buffer)
    return true
  }
  func put(_ address: Int, _ values: [UInt32]) {
    for (n, value) in values.enumerated() {
      for byte in 0..<4 { bytes[address + 4 * n + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
    }
  }
  func long(_ address: Int) -> UInt32 { (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[address + $1]) << UInt32(8 * $1) } }
}

/// The controller on a PCI bus of its own, with a processor's view of it.
final class SCSIBench {
  let clock = BenchClock()
  let events = EventQueue()
  let memory = BenchMemory()
  let systemBus = SystemBus()
  let interrupts = IOSAPIC(sink: NoInterrupts())
  let root: PCIRoot
  let chip: LSI53C895A
  static let ports: UInt64 = 0x1000
  static let registers: UInt64 = 0x8000_0000
  static let ram: UInt64 = 0x8000_4000

  init() throws {
    root = try PCIRoot(memory: memory, bus: systemBus, interrupts: interrupts)
    chip = try LSI53C895A(root: root, device: 1, events: events, clock: clock)
    let f = chip.function
    for (bar, address) in [(0, Self.ports), (1, Self.registers), (2, Self.ram)] {
      root.writeConfiguration(
        bus: 0, device: 1, function: 0, register: UInt16(PCIRegister.bar0 + 4 * bar), size: 4, value: UInt32(address))
    }
    root.writeConfiguration(bus: 0, device: 1, function: 0, register: UInt16(PCIRegister.command), size: 2, value: 7)
    precondition(f.isBusMaster)
  }

  func read(_ register: UInt64, size: Int = 1) -> UInt64 { systemBus.read(physical: Self.registers + register, size: size) }
  func write(_ register: UInt64, _ value: UInt64, size: Int = 1) {
    systemBus.write(physical: Self.registers + register, size: size, value: value)
  }

  /// Lets time pass; at most so many events.
  @discardableResult
  func run(nanoseconds: UInt64 = 50_000_000, events limit: Int = 100_000) -> Int {
    let end = clock.now + Cycles.from(nanoseconds: nanoseconds)
    var count = 0
    while let next = events.earliest, next <= end, count < limit {
      clock.now = max(clock.now, next)
      events.run(until: clock.now)
      count += 1
    }
    if count < limit { clock.now = end }
    return count
  }

  /// Puts a script at `address` and starts it.
  func start(_ script: [UInt32], at address: Int = 0x1000) {
    memory.put(address, script)
    write(0x2C, UInt64(address), size: 4)
  }

  /// SIP and DIP of ISTAT0.
  var status: UInt8 { UInt8(read(0x14)) }
}

/// A deterministic source of bits (Steele, Lea and Flood's SplitMix64).
struct BenchRandom {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
