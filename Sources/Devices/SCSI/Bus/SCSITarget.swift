import Platform

/// A target of the parallel bus: it drives the phases, queues commands, disconnects while its medium works, and reselects.
public final class SCSITarget {
  /// A command that the target has, and the initiator it belongs to.
  struct Nexus: Sendable, Equatable, Codable {
    /// How far the command has come.
    enum Stage: Sendable, Codable {
      /// An ordered command is before it, or it is one and others are.
      case blocked
      /// The medium is positioned, or read.
      case access
      /// Data may be moved.
      case data
      /// The medium takes what has been moved.
      case settle
      case status
    }
    /// Names it in events.
    let serial: UInt64
    let initiator: UInt8
    let lun: UInt8
    /// Tag message and tag.
    let tag: [UInt8]
    var mayDisconnect: Bool
    var task: SCSITask
    var stage = Stage.blocked

    func isSame(initiator: UInt8, lun: UInt8, tag: [UInt8]) -> Bool {
      self.initiator == initiator && self.lun == lun && self.tag.last == tag.last
    }
  }

  /// What the target does while it has the bus.
  struct Connection: Sendable, Equatable, Codable {
    enum Next: Sendable, Codable { case command, task, free }
    let initiator: UInt8
    var lun: UInt8 = 0
    var tag: [UInt8] = []
    var mayDisconnect = false
    var nexus: UInt64?
    var phase: SCSIBusPhase?
    /// Bytes of the message or command that comes in.
    var incoming: [UInt8] = []
    /// Messages for the initiator, and how far the first one has got.
    var messages: [[UInt8]] = []
    var messageOffset = 0
    /// The message that was sent last: an initiator may reject it.
    var lastMessage: [UInt8] = []
    /// After the messages.
    var next = Next.command
    /// Data until the target lets others have the bus.
    var burst = SCSITarget.largestBurst
  }

  /// Everything that a saved machine needs of it; the unit has its own.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    var queue: [Nexus] = []
    var connection: Connection?
    var agreements = [SCSIAgreement](repeating: SCSIAgreement(), count: SCSIBus.identifiers)
    var nextSerial: UInt64 = 0
    /// Commands that want to go on, in the order in which they got ready.
    var ready: [UInt64] = []
  }

  /// Commands that a target keeps; more find TASK SET FULL.
  static let queueDepth = 64
  /// Bytes after which a target disconnects in the middle of data (mode page 2 says so).
  public static let largestBurst = 64 << 10
  /// Between two bursts.
  static let pauseTime = Cycles.from(nanoseconds: 5_000)

  public internal(set) var state = State()
  public let id: UInt8
  public let unit: SCSIUnit
  unowned let bus: SCSIBus
  /// Makes the target forget commands, for tests of an initiator's patience: true, and the command is never answered.
  public var forgets: ((_ command: [UInt8]) -> Bool)?
  /// The same for targets that hang: they answer no selection until the bus is reset.
  public var isDeaf = false

  init(id: UInt8, unit: SCSIUnit, bus: SCSIBus) {
    self.id = id
    self.unit = unit
    self.bus = bus
  }

  // MARK: Connections

  var phase: SCSIBusPhase? { state.connection?.phase }
  var agreement: SCSIAgreement { state.connection.map { state.agreements[Int($0.initiator)] } ?? SCSIAgreement() }
  /// Some command can go on. Not while an initiator has not asked for sense data: the next status could overwrite them (SAM-2, section
  /// 5.9.1, contingent allegiance).
  var wantsBus: Bool { !state.ready.isEmpty && !unit.keepsSense }

  func selected(by initiator: UInt8, attention: Bool) {
    state.connection = Connection(initiator: initiator, phase: attention ? .messageOut : .command)
  }

  /// The target has won arbitration.
  func reselect() {
    guard !state.ready.isEmpty, let index = index(of: state.ready.removeFirst()) else { return disconnect() }
    let nexus = state.queue[index]
    var c = Connection(initiator: nexus.initiator, lun: nexus.lun, tag: nexus.tag, mayDisconnect: true, nexus: nexus.serial)
    c.messages = [[SCSIMessage.identify | nexus.lun]] + (nexus.tag.isEmpty ? [] : [[SCSIMessage.simpleTag, nexus.tag[1]]])
    c.next = .task
    state.connection = c
    advance()
  }

  func disconnect() {
    state.connection = nil
    bus.freed()
  }

  func abandon() {
    if let serial = state.connection?.nexus { remove(serial) }
    state.connection = nil
  }

  func reset(_ reason: SCSISense) {
    let serial = state.nextSerial
    state = State()
    isDeaf = false
    // Events of before must not find commands of afterwards.
    state.nextSerial = serial
    unit.reset(reason)
  }

  /// The initiator wants to say something: at once, but for a message that is on its way.
  func attentionRaised() {
    guard let phase = state.connection?.phase else { return advance() }
    if phase != .messageIn && phase != .messageOut { advance() }
  }

  /// Chooses the next phase: what the initiator wants to say first, then what the target has to say, then the command.
  func advance() {
    guard var c = state.connection else { return }
    c.incoming = []
    if bus.attention {
      c.phase = .messageOut
    } else if !c.messages.isEmpty {
      c.phase = .messageIn
    } else {
      switch c.next {
      case .command: c.phase = .command
      case .free: return disconnect()
      case .task:
        state.connection = c
        return runTask()
      }
    }
    state.connection = c
  }

  // MARK: Bytes

  /// Fills `buffer` with the next bytes of an input phase.
  func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard !buffer.isEmpty, let c = state.connection else { return 0 }
    switch c.phase {
    case .messageIn:
      guard let message = c.messages.first, c.messageOffset < message.count else { return 0 }
      let count = min(buffer.count, message.count - c.messageOffset)
      message[c.messageOffset..<c.messageOffset + count].withUnsafeBytes { buffer.copyMemory(from: $0) }
      state.connection?.messageOffset += count
      return count
    case .status:
      guard let index = c.nexus.flatMap(index(of:)) else { return 0 }
      buffer[0] = (state.queue[index].task.status ?? .good).rawValue
      if c.lun == 0 { unit.keepSense(of: state.queue[index].task) }
      state.connection?.messages = [[SCSIMessage.commandComplete]]
      state.connection?.next = .free
      advance()
      return 1
    case .dataIn: return sendData(into: buffer)
    default: return 0
    }
  }

  /// ACK of a message's byte has gone away.
  func released() {
    guard let c = state.connection, c.phase == .messageIn, let message = c.messages.first, c.messageOffset == message.count else {
      return
    }
    state.connection?.messages.removeFirst()
    state.connection?.messageOffset = 0
    state.connection?.lastMessage = message
    if message == [SCSIMessage.commandComplete], let serial = c.nexus {
      remove(serial)
      state.connection?.nexus = nil
    }
    advance()
  }

  /// Takes bytes of an output phase, and says how many.
  func receive(from buffer: UnsafeRawBufferPointer) -> Int {
    guard !buffer.isEmpty, let c = state.connection else { return 0 }
    switch c.phase {
    case .messageOut:
      // Longer than any message that there is, the rest is noise.
      let room = Self.longestMessages - c.incoming.count
      state.connection?.incoming.append(contentsOf: buffer.prefix(max(room, 0)))
      if !bus.attention { messagesArrived() }
      return buffer.count
    case .command:
      let needed = SCSIOperation.length(of: c.incoming.first ?? buffer[0])
      let count = min(buffer.count, needed - c.incoming.count)
      state.connection?.incoming.append(contentsOf: buffer[..<count])
      if c.incoming.count + count == needed { commandArrived() }
      return count
    case .dataOut: return receiveData(from: buffer)
    default: return 0
    }
  }
  private static let longestMessages = 64
}
