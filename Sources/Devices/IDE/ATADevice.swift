import Platform

/// What every device on an IDE cable has: registers, a buffer that the host empties or fills, its interrupt, its share of the event
/// queue. Disks and packet devices say what commands do.
public class ATADevice {
  /// What the device does, as the status register shows it.
  enum Phase: Sendable, Equatable, Codable {
    case idle
    /// BSY; an event goes on from here.
    case busy
    /// DRQ: the host reads, or writes, the buffer.
    case dataIn, dataOut
    /// The next data can only move when the bus master runs.
    case waitForBusMaster
    /// SRST is asserted.
    case reset
    /// Only a reset wakes it up.
    case asleep
  }
  /// Everything that a saved machine needs of it; the kinds of device have more.
  struct Interface: Sendable, Equatable, Codable {
    static let version = 1
    var registers = ATARegisters()
    var phase = Phase.idle
    /// DRDY, DSC, ERR.
    var ready: UInt8 = 0
    var buffer: [UInt8] = []
    var position = 0
    /// End of the part of the buffer that is offered to the host.
    var limit = 0
    /// Wants INTRQ.
    var interrupt = false
    /// The event comes from a reset.
    var isResetting = false
  }
  var interface = Interface()
  weak var channel: IDEChannel?
  private let events: EventQueue
  unowned let clock: any VirtualClock
  private var event: EventHandlerID?

  init(events: EventQueue, clock: any VirtualClock) {
    self.events = events
    self.clock = clock
    event = events.register { [unowned self] _, _ in eventIsDue() }
  }

  // MARK: What the kinds of device say

  var isPacketDevice: Bool { false }
  /// Starts a command. The device is idle.
  func execute(_ command: UInt8) {}
  /// The time that ``work(for:)`` asked for is over.
  func proceed() {}
  /// The host has read all that was offered.
  func offerWasRead() {}
  /// The host has filled the buffer.
  func bufferWasWritten() {}
  /// Forgets what was going on. `hard`: RST# or power-on; otherwise SRST.
  func resetOperation(hard: Bool) {}

  // MARK: Registers

  var status: UInt8 {
    switch interface.phase {
    case .idle, .asleep: interface.ready
    case .busy, .reset: ATAStatus.busy | interface.ready & ~ATAStatus.error
    case .dataIn, .dataOut, .waitForBusMaster: interface.ready | ATAStatus.dataRequest
    }
  }
  var isOccupied: Bool { status & (ATAStatus.busy | ATAStatus.dataRequest) != 0 }

  func acknowledgeInterrupt() {
    interface.interrupt = false
    channel?.updateInterrupt()
  }

  func writeCommand(_ command: UInt8) {
    // A device that is at work hears only DEVICE RESET, and only packet devices have that.
    let resets = command == ATACommand.deviceReset && isPacketDevice
    guard resets || interface.phase != .asleep && !isOccupied else { return }
    acknowledgeInterrupt()
    if resets {
      if interface.phase != .reset { beginReset(hard: false) }
      return
    }
    interface.ready &= ~ATAStatus.error
    interface.registers.error = 0
    execute(command)
  }

  // MARK: Data register

  func readData(size: Int) -> UInt64 {
    guard interface.phase == .dataIn else { return UInt64.max >> UInt64(64 - 8 * size) }
    var value: UInt64 = 0
    for n in 0..<size where interface.position < interface.limit {
      value |= UInt64(interface.buffer[interface.position]) << UInt64(8 * n)
      interface.position += 1
    }
    if interface.position == interface.limit {
      interface.phase = .idle
      offerWasRead()
    }
    return value
  }

  func writeData(_ value: UInt64, size: Int) {
    guard interface.phase == .dataOut else { return }
    for n in 0..<size where interface.position < interface.limit {
      interface.buffer[interface.position] = UInt8(truncatingIfNeeded: value >> UInt64(8 * n))
      interface.position += 1
    }
    if interface.position == interface.limit {
      interface.phase = .idle
      bufferWasWritten()
    }
  }

  // MARK: For the commands

  /// BSY for so long, then ``proceed()``.
  func work(for cycles: UInt64) {
    guard let event else { return }
    interface.phase = .busy
    events.schedule(event, at: clock.now &+ cycles)
  }

  func interruptHost() {
    interface.interrupt = true
    channel?.updateInterrupt()
  }

  func succeed() {
    interface.phase = .idle
    interface.ready = ATAStatus.ready | ATAStatus.seekComplete
    interruptHost()
  }

  func fail(_ error: UInt8) {
    interface.phase = .idle
    interface.registers.error = error
    interface.ready = ATAStatus.ready | ATAStatus.seekComplete | ATAStatus.error
    interruptHost()
  }

  /// Lets the host read `bytes`.
  func offer(_ bytes: [UInt8]) {
    interface.buffer = bytes
    interface.position = 0
    offerRest(bytes.count)
  }

  /// Lets the host read the next `count` bytes of the buffer.
  func offerRest(_ count: Int) {
    interface.limit = min(interface.buffer.count, interface.position + count)
    interface.phase = .dataIn
    interface.ready = ATAStatus.ready | ATAStatus.seekComplete
    interruptHost()
  }

  /// Lets the host write `count` bytes.
  func demand(_ count: Int, interrupt: Bool) {
    interface.buffer = [UInt8](repeating: 0, count: count)
    interface.position = 0
    interface.limit = count
    interface.phase = .dataOut
    interface.ready = ATAStatus.ready | ATAStatus.seekComplete
    if interrupt { interruptHost() }
  }

  // MARK: DMA

  /// Moves the rest of the buffer to memory. False: the bus master is not there; the device waits for it.
  func storeBuffer() -> Bool {
    guard let master = channel?.busMaster else { return false }
    interface.position += interface.buffer.withUnsafeBytes { master.store(.init(rebasing: $0[interface.position...])) }
    return interface.position == interface.buffer.count || waitForBusMaster()
  }

  /// Fills the rest of the buffer from memory.
  func fetchBuffer() -> Bool {
    guard let master = channel?.busMaster else { return false }
    let position = interface.position
    interface.position += interface.buffer.withUnsafeMutableBytes { master.fetch(.init(rebasing: $0[position...])) }
    return interface.position == interface.buffer.count || waitForBusMaster()
  }

  private func waitForBusMaster() -> Bool {
    interface.phase = .waitForBusMaster
    return false
  }

  func busMasterStarted() {
    if interface.phase == .waitForBusMaster { work(for: IDETiming.transfer(interface.buffer.count - interface.position)) }
  }

  // MARK: Reset

  private func eventIsDue() {
    guard interface.isResetting else { return proceed() }
    interface.isResetting = false
    interface.registers.setSignature(isPacketDevice: isPacketDevice)
    interface.registers.device = 0
    // Diagnostic code 1: passed.
    interface.registers.error = 1
    interface.phase = .idle
    // A packet device shows no DRDY until its first command.
    interface.ready = isPacketDevice ? 0 : ATAStatus.ready | ATAStatus.seekComplete
    channel?.resetIsOver(self)
  }

  /// Stops everything; the device is busy until ``endReset()``.
  func holdInReset(hard: Bool) {
    if let event { events.cancel(event) }
    resetOperation(hard: hard)
    let registers = interface.registers
    interface = Interface()
    interface.registers = registers
    interface.phase = .reset
    interface.isResetting = true
    channel?.updateInterrupt()
  }

  func endReset() { if interface.phase == .reset { work(for: IDETiming.reset) } }

  func beginReset(hard: Bool) {
    holdInReset(hard: hard)
    endReset()
  }
}
