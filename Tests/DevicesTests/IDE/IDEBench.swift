import Devices
import HostResources
import Platform

/// A PIIX4 with its buses, and hands at the ports.
final class IDEBench {
  /// RAM at 0; everything else is outside.
  final class Memory: DMAPort {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    private(set) var refused = 0

    private func start(_ address: UInt64, _ count: Int) -> Int? {
      guard address <= UInt64(bytes.count), UInt64(count) <= UInt64(bytes.count) - address else {
        refused += 1
        return nil
      }
      return Int(address)
    }
    func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
      guard let start = start(address, buffer.count) else { return false }
      buffer.copyBytes(from: bytes[start..<start + buffer.count])
      return true
    }
    func write(_ address: UInt64, from buffer: UnsafeRawBufferPointer) -> Bool {
      guard let start = start(address, buffer.count) else { return false }
      bytes.replaceSubrange(start..<start + buffer.count, with: buffer)
      return true
    }
  }
  final class Clock: VirtualClock { var now: UInt64 = 0 }
  final class Line: InterruptLine {
    private(set) var level = false
    private(set) var rises = 0
    func set(_ asserted: Bool) {
      if asserted && !level { rises += 1 }
      level = asserted
    }
  }
  private final class Sink: InterruptSink { func deliver(_ message: InterruptMessage) {} }

  let memory = Memory()
  let clock = Clock()
  let events = EventQueue()
  let bus = SystemBus()
  let lines = [Line(), Line()]
  let root: PCIRoot
  let controller: PIIX4
  private let sink = Sink()
  private let sapic: IOSAPIC

  /// Devices of the primary channel; more by ``attach(_:unit:)``.
  init(_ first: FaultyStorage? = nil, _ second: FaultyStorage? = nil) throws {
    sapic = IOSAPIC(sink: sink)
    root = try PCIRoot(memory: memory, bus: bus, interrupts: sapic)
    controller = PIIX4(interrupts: lines)
    try controller.attach(to: root, bus: bus, device: 1)
    try root.assignResources()
    writeConfiguration(PCIRegister.command, 2, 5)
    for (unit, medium) in [first, second].enumerated() {
      if let medium { attach(ATADisk(medium: medium, serial: "S\(unit)", events: events, clock: clock), unit: unit) }
    }
    settle()
  }

  func attach(_ device: ATADevice, unit: Int) { controller.ide.attach(device, unit: unit) }

  /// Lets everything happen that is on its way.
  func settle() {
    while let next = events.earliest {
      clock.now = max(clock.now, next)
      events.run(until: clock.now)
    }
  }

  // MARK: Hands

  func readConfiguration(_ register: Int, _ size: Int, function: UInt8 = 1) -> UInt32 {
    root.readConfiguration(bus: 0, device: 1, function: function, register: UInt16(register), size: size)
  }
  func writeConfiguration(_ register: Int, _ size: Int, _ value: UInt32) {
    root.writeConfiguration(bus: 0, device: 1, function: 1, register: UInt16(register), size: size, value: value)
  }

  private func address(_ port: UInt64) -> UInt64 { MemoryMap.portSpace + ((port >> 2) << 12 | port & 0xFFF) }
  func input(_ port: UInt64, _ size: Int = 1) -> UInt64 { bus.read(physical: address(port), size: size) }
  func output(_ port: UInt64, _ value: UInt64, _ size: Int = 1) { bus.write(physical: address(port), size: size, value: value) }

  /// Bases of the channels' ports.
  static let command: [UInt64] = [0x1F0, 0x170]
  static let control: [UInt64] = [0x3F6, 0x376]
  var channel = 0
  func register(_ n: UInt64) -> UInt8 { UInt8(input(Self.command[channel] + n)) }
  func setRegister(_ n: UInt64, _ value: UInt8) { output(Self.command[channel] + n, UInt64(value)) }
  var status: UInt8 { register(7) }
  var alternateStatus: UInt8 { UInt8(input(Self.control[channel])) }
  var control: UInt8 {
    get { 0 }
    set { output(Self.control[channel], UInt64(newValue)) }
  }

  // MARK: Commands

  /// 28 bits, LBA. `device`: 0 or 1.
  func issue(_ code: UInt8, lba: UInt32 = 0, count: UInt8 = 0, features: UInt8 = 0, device: UInt8 = 0) {
    setRegister(6, 0xE0 | (device << 4) | UInt8(lba >> 24 & 0xF))
    setRegister(1, features)
    setRegister(2, count)
    for n in 0..<3 { setRegister(UInt64(3 + n), UInt8(truncatingIfNeeded: lba >> UInt32(8 * n))) }
    setRegister(7, code)
  }

  /// 48 bits.
  func issueExtended(_ code: UInt8, lba: UInt64, count: UInt16) {
    setRegister(6, 0x40)
    for (register, high, low) in [
      (2 as UInt64, UInt8(count >> 8), UInt8(count & 0xFF)), (3, UInt8(lba >> 24 & 0xFF), UInt8(lba & 0xFF)),
      (4, UInt8(lba >> 32 & 0xFF), UInt8(lba >> 8 & 0xFF)), (5, UInt8(lba >> 40 & 0xFF), UInt8(lba >> 16 & 0xFF)),
    ] {
      setRegister(register, high)
      setRegister(register, low)
    }
    setRegister(7, code)
  }

  /// Reads `count` bytes by words, or as many as are offered.
  func readData(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count, alternateStatus & 0x88 == 0x08 {
      let word = input(Self.command[channel], 2)
      bytes += [UInt8(word & 0xFF), UInt8(word >> 8)]
    }
    return bytes
  }

  func writeData(_ bytes: [UInt8]) {
    for n in stride(from: 0, to: bytes.count, by: 2) {
      output(Self.command[channel], UInt64(bytes[n]) | (UInt64(bytes[n + 1]) << 8), 2)
    }
  }

  /// A whole PIO read: blocks until the device has no more.
  func readAll() -> [UInt8] {
    var bytes: [UInt8] = []
    settle()
    while status & 0x89 == 0x08 {
      bytes += readData(.max)
      settle()
    }
    return bytes
  }

  // MARK: Bus master

  static let table: UInt64 = 0x1000
  var master: UInt64 { UInt64(readConfiguration(0x20, 4) & 0xFFF0) + UInt64(8 * channel) }

  func writeTable(_ regions: [(address: UInt32, size: UInt32)]) {
    for (n, region) in regions.enumerated() {
      memory.store(Self.table + UInt64(8 * n), region.address)
      memory.store(Self.table + UInt64(8 * n) + 4, region.size & 0xFFFF | (n == regions.count - 1 ? 1 << 31 : 0))
    }
  }

  func startMaster(toMemory: Bool) {
    output(master + 4, Self.table, 4)
    output(master, toMemory ? 8 : 0)
    output(master + 2, 6)
    output(master, toMemory ? 9 : 1)
  }
  var masterStatus: UInt8 { UInt8(input(master + 2)) }
  func stopMaster() { output(master, 0) }
}
