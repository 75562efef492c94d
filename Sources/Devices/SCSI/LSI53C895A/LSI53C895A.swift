import Platform

/// LSI 53C895A: a PCI to Ultra2 SCSI controller. Its SCRIPTS processor fetches instructions from memory or from its own RAM and drives
/// the bus by itself.
///
/// SCRIPTS run in slices, as events of the virtual clock; what waits for the bus sleeps until the bus changes. All memory is reached
/// as PCI bus master.
public final class LSI53C895A: PCIDeviceModel, SCSIInitiator {
  static let ramSize = 8192
  /// PCI revision; also in CTEST3.
  static let revision: UInt8 = 1

  // Time
  /// Fetching an instruction and carrying it out.
  static let instructionTime = Cycles.from(nanoseconds: 200)
  /// From the write of DSP to the first fetch.
  static let startTime = Cycles.from(nanoseconds: 500)
  /// Arbitration, selection and the target's answer (SPI-4, section 10.6).
  static let selectionTime = Cycles.from(nanoseconds: 5_000)
  /// From a target's REQ or arbitration to the next instruction.
  static let responseTime = Cycles.from(nanoseconds: 400)
  /// A slice of SCRIPTS: instructions after which other events have their turn.
  static let sliceLength = 96
  /// Bytes that one step of a block or memory move moves at most.
  static let largestStep = 64 << 10

  /// What the events are for.
  enum EventTag: UInt64 {
    case slice = 1
    case selected, selectionTimeout, generalTimer, handshakeTimer
  }

  /// What has been done since power-on.
  public struct Statistics: Sendable, Equatable {
    public internal(set) var instructions: UInt64 = 0
    public internal(set) var interrupts: UInt64 = 0
    public internal(set) var phaseMismatches: UInt64 = 0
    public internal(set) var reselections: UInt64 = 0
  }

  public let function: PCIFunction
  public let bus: SCSIBus
  public internal(set) var state = State()
  public internal(set) var statistics = Statistics()
  let events: EventQueue
  let clock: any VirtualClock
  private var handler: EventHandlerID?
  /// Data on their way between bus and memory: one byte more than a step, for the odd one before.
  let staging = UnsafeMutableRawBufferPointer.allocate(byteCount: largestStep + 2, alignment: 16)
  private var powerState: UInt8 = 0
  /// SCRIPTS run just now; whoever starts them need not schedule anything.
  var isInSlice = false

  /// Plugs the controller into `root` and makes its bus; targets are attached to ``bus``.
  public init(root: PCIRoot, device: UInt8, events: EventQueue, clock: any VirtualClock) throws(PCIRoot.Failure) {
    self.events = events
    self.clock = clock
    bus = SCSIBus(events: events, clock: clock)
    staging.initializeMemory(as: UInt8.self, repeating: 0)
    function = PCIFunction(
      PCIIdentity(
        vendor: 0x1000, device: 0x0012, revision: Self.revision, classCode: 0x010000, subsystemVendor: 0x1000, subsystem: 0x1000),
      baseAddresses: [
        0: .ports(size: 256), 1: .memory32(size: 1024), 2: .memory32(size: UInt32(Self.ramSize)),
      ],
      interruptPin: 1,
      setUp: { configuration in
        configuration.set(PCIRegister.minimumGrant, UInt8(0x11))
        configuration.set(PCIRegister.maximumLatency, UInt8(0x40))
        // Power management, version 2, D1 and D2; only the state can be written.
        configuration.addCapability(0x01, at: Self.powerCapability)
        configuration.set(Self.powerCapability + 2, UInt16(0x0602))
        configuration.allow(Self.powerCapability + 4, UInt16(3))
      })
    Self.resetRegisters(&state)
    handler = events.register { [unowned self] _, tag in
      if let tag = EventTag(rawValue: tag) { happened(tag) }
    }
    bus.initiator = self
    try root.attach(function, model: self, device: device)
  }
  deinit { staging.deallocate() }

  private static let powerCapability = 0x40

  // MARK: Events

  func schedule(_ tag: EventTag, after cycles: UInt64) {
    if let handler { events.schedule(handler, tag: tag.rawValue, at: clock.now &+ cycles) }
  }
  func cancel(_ tag: EventTag) {
    if let handler { events.cancel(handler, tag: tag.rawValue) }
  }

  private func happened(_ tag: EventTag) {
    switch tag {
    case .slice: runSlice()
    case .selected: selected()
    case .selectionTimeout:
      state.selecting = nil
      raise(scsi: LSIBit.SIST1.sto)
    case .generalTimer: raise(scsi: LSIBit.SIST1.gen)
    case .handshakeTimer: raise(scsi: LSIBit.SIST1.hth)
    }
  }

  // MARK: PCIDeviceModel

  public func read(bar: Int, offset: UInt64, size: Int) -> UInt64 {
    (0..<size).reduce(UInt64(0)) { value, n in
      let byte = bar == 2 ? state.ram[Int(offset) + n] : readRegister((Int(offset) + n) & 0xFF)
      return value | UInt64(byte) << UInt64(8 * n)
    }
  }

  public func write(bar: Int, offset: UInt64, size: Int, value: UInt64) {
    for n in 0..<size {
      let byte = UInt8(truncatingIfNeeded: value >> UInt64(8 * n))
      if bar == 2 { state.ram[Int(offset) + n] = byte } else { writeRegister((Int(offset) + n) & 0xFF, byte) }
    }
  }

  public func configurationWritten(_ register: Int, size: Int) {
    let now = function.configuration.bytes[Self.powerCapability + 4] & 3
    // Leaving D3 resets the chip (PCI Bus Power Management Interface Specification, section 5.4.1).
    if powerState == 3 && now == 0 { softReset() }
    powerState = now
  }

  public func reset() {
    powerState = 0
    softReset()
    bus.powerOn()
  }

  /// ISTAT0.SRST: registers, not configuration space, not SCRIPTS RAM.
  func softReset() {
    for tag in [EventTag.slice, .selected, .selectionTimeout, .generalTimer, .handshakeTimer] { cancel(tag) }
    bus.abandon()
    let ram = state.ram
    state = State()
    state.ram = ram
    Self.resetRegisters(&state)
    updateInterrupt()
  }

  // MARK: Memory

  /// The chip's own ranges answer without the PCI bus (section 2.2.4), everything else is memory.
  private func ownRange(_ address: UInt64, _ count: Int) -> (isRAM: Bool, offset: Int)? {
    guard function.memoryEnabled else { return nil }
    for (bar, size) in [(2, UInt64(Self.ramSize)), (1, 1024)] {
      let base = UInt64(function.configuration.value(PCIRegister.bar0 + 4 * bar, as: UInt32.self) & ~0xF)
      if base != 0, address >= base, address - base < size, UInt64(count) <= size - (address - base) {
        return (bar == 2, Int(address - base))
      }
    }
    return nil
  }

  func load(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    guard let (isRAM, offset) = ownRange(address, buffer.count) else { return function.read(address, into: buffer) }
    for n in 0..<buffer.count { buffer[n] = isRAM ? state.ram[offset + n] : readRegister((offset + n) & 0xFF) }
    return true
  }

  func store(_ address: UInt64, from buffer: UnsafeRawBufferPointer) -> Bool {
    guard let (isRAM, offset) = ownRange(address, buffer.count) else { return function.write(address, from: buffer) }
    for n in 0..<buffer.count {
      if isRAM { state.ram[offset + n] = buffer[n] } else { writeRegister((offset + n) & 0xFF, buffer[n]) }
    }
    return true
  }

  func loadLong(_ address: UInt64) -> UInt32? {
    var value: UInt32 = 0
    return withUnsafeMutableBytes(of: &value) { load(address, into: $0) } ? UInt32(littleEndian: value) : nil
  }

  /// An address with the high half from one of the selectors (0xA0 to 0xB7).
  func address(_ selector: Int, _ low: UInt32) -> UInt64 { UInt64(state.long(selector)) << 32 | UInt64(low) }
}
