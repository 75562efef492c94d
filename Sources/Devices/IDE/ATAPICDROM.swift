import HostResources
import Platform

/// An optical drive as a packet device on an IDE cable (ATA/ATAPI-6, sections 8.24 and 9.8).
public final class ATAPICDROM: ATADevice {
  /// Everything that a saved machine needs of it besides ``ATADevice/Interface`` and the drive.
  struct State: Sendable, Equatable, Codable {
    static let version = 1
    var mode = ATATransferMode()
    var isStandingBy = false
    var operation = Operation.nothing
    /// The packet's data goes by DMA; otherwise at most so many bytes for each interrupt.
    var usesDMA = false
    var byteLimit = 0
    /// Blocks that have not been fetched from the disc.
    var nextBlock: UInt64 = 0
    var blocksLeft: UInt64 = 0
  }
  enum Operation: Sendable, Equatable, Codable {
    case nothing, sleep
    case fails(UInt8)
    /// An answer to an ATA command, without the forms of a packet.
    case answer
    /// The device is going to ask for the packet; it has it; its data moves.
    case wantPacket, packet, data
    /// The packet is done; with its status.
    case status, checkCondition
  }
  private(set) var state = State()
  public let drive: OpticalDrive
  let serial: String

  static let packetSize = 12
  private static let blocksAtOnce = UInt64(IDETiming.chunk / OpticalDrive.blockSize)

  /// Bits of the interrupt reason register, which is the count register.
  private enum Reason {
    static let command: UInt16 = 1
    static let toHost: UInt16 = 2
  }

  public init(disc: (any BlockStorage)?, serial: String, events: EventQueue, clock: any VirtualClock) {
    drive = OpticalDrive(disc: disc, physicalInterface: 2)
    self.serial = serial
    super.init(events: events, clock: clock)
  }

  override var isPacketDevice: Bool { true }

  override func resetOperation(hard: Bool) {
    let mode = hard ? ATATransferMode() : state.mode
    state = State()
    state.mode = mode
    drive.reset(hard: hard)
  }

  // MARK: Commands

  private func start(_ operation: Operation, after cycles: UInt64 = IDETiming.register) {
    state.operation = operation
    work(for: cycles)
  }
  private func abort() { start(.fails(ATAError.aborted)) }

  override func execute(_ code: UInt8) {
    let registers = interface.registers
    switch ATACommand.current(code) {
    case ATACommand.packet:
      state.usesDMA = registers.features & 1 != 0
      let limit = Int(registers.lbaMid & 0xFF) | Int(registers.lbaHigh & 0xFF) << 8
      // Odd limits lose their last byte; 0 means what it cannot say.
      state.byteLimit = limit < 2 ? 0xFFFE : limit & ~1
      start(.wantPacket)
    case ATACommand.identifyPacketDevice:
      interface.buffer = identification.bytes
      interface.position = 0
      start(.answer, after: IDETiming.command)
    case ATACommand.identifyDevice:
      // Aborted, but with the signature, so that the host knows what to ask instead (section 8.15.5.2).
      interface.registers.setSignature(isPacketDevice: true)
      abort()
    case ATACommand.setFeatures:
      guard ATARegisters.low(registers.features) == ATAFeature.setTransferMode, state.mode.set(ATARegisters.low(registers.count))
      else { return abort() }
      start(.nothing)
    case ATACommand.standbyImmediate, ATACommand.standby, ATACommand.idleImmediate, ATACommand.idle:
      let command = ATACommand.current(code)
      state.isStandingBy = command == ATACommand.standbyImmediate || command == ATACommand.standby
      start(.nothing)
    case ATACommand.checkPowerMode:
      interface.registers.count = state.isStandingBy ? 0x00 : 0xFF
      start(.nothing)
    case ATACommand.sleep: start(.sleep)
    default: abort()
    }
  }

  override func proceed() {
    switch state.operation {
    case .nothing: succeed()
    case .fails(let error): fail(error)
    case .sleep:
      succeed()
      interface.phase = .asleep
    case .answer: offerRest(interface.buffer.count)
    case .wantPacket:
      interface.registers.count = Reason.command
      // Word 0 of the identification promises that no interrupt asks for the packet.
      demand(Self.packetSize, interrupt: false)
    case .packet: executePacket()
    case .data: moveData()
    case .status: finish(nil)
    case .checkCondition: finish(drive.senseKey << 4 | (drive.senseKey == 5 ? ATAError.aborted : 0))
    }
  }

  // MARK: Packets

  override func bufferWasWritten() { start(.packet) }

  private func executePacket() {
    state.isStandingBy = false
    state.blocksLeft = 0
    switch drive.execute(interface.buffer) {
    case .good: finish(nil)
    case .checkCondition: start(.checkCondition)
    case .data(let bytes):
      guard !bytes.isEmpty else { return finish(nil) }
      interface.buffer = bytes
      interface.position = 0
      start(.data, after: IDETiming.command)
    case .blocks(let first, let count):
      interface.buffer = []
      interface.position = 0
      state.nextBlock = first
      state.blocksLeft = count
      start(.data, after: IDETiming.command + chunkTime)
    }
  }

  private var chunkTime: UInt64 {
    IDETiming.transfer(Int(min(state.blocksLeft, Self.blocksAtOnce)) * OpticalDrive.blockSize)
  }

  private func moveData() {
    if interface.position == interface.buffer.count, !fetchBlocks() { return }
    if state.usesDMA {
      guard storeBuffer() else { return }
      if state.blocksLeft > 0 { start(.data, after: chunkTime) } else { finish(nil) }
    } else {
      let count = min(state.byteLimit, interface.buffer.count - interface.position)
      interface.registers.count = Reason.toHost
      interface.registers.lbaMid = UInt16(count & 0xFF)
      interface.registers.lbaHigh = UInt16(count >> 8)
      offerRest(count)
    }
  }

  /// The next blocks into the buffer; false: the command has failed.
  private func fetchBlocks() -> Bool {
    let count = Int(min(state.blocksLeft, Self.blocksAtOnce))
    var buffer = [UInt8](repeating: 0, count: count * OpticalDrive.blockSize)
    guard buffer.withUnsafeMutableBytes({ drive.read(state.nextBlock, count: count, into: $0) }) else {
      start(.checkCondition)
      return false
    }
    interface.buffer = buffer
    interface.position = 0
    state.nextBlock += UInt64(count)
    state.blocksLeft -= UInt64(count)
    return true
  }

  override func offerWasRead() {
    if state.operation == .answer {
      state.operation = .nothing
      interface.ready = ATAStatus.ready | ATAStatus.seekComplete
    } else if interface.position < interface.buffer.count || state.blocksLeft > 0 {
      work(for: interface.position < interface.buffer.count ? IDETiming.register : chunkTime)
    } else {
      start(.status)
    }
  }

  private func finish(_ error: UInt8?) {
    state.operation = .nothing
    interface.registers.count = Reason.command | Reason.toHost
    if let error { fail(error) } else { succeed() }
  }

  // MARK: Identification

  private var identification: ATAIdentification {
    var id = ATAIdentification(
      model: "EPICURE CD-ROM", serial: serial, firmware: "1.0", mode: state.mode, isSecond: channel?.devices[1] === self)
    id[0] = 0x85C0  // CD-ROM, removable medium, packets of 12 bytes wanted without interrupt
    id[49] = 0x0F00  // IORDY, LBA, DMA
    id[82] = 0x4218  // NOP, DEVICE RESET, packets, power management
    id[83] = 0x4000
    id[84] = 0x4000
    id[85] = 0x4218
    id[86] = 0x0000
    id[87] = 0x4000
    return id
  }
}
