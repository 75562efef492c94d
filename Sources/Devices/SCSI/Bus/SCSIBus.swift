import Platform

/// What a connected target wants to happen next: signals MSG, C/D and I/O (SPI-4, table 62).
public enum SCSIBusPhase: UInt8, Sendable, Codable {
  case dataOut = 0
  case dataIn = 1
  case command = 2
  case status = 3
  case messageOut = 6
  case messageIn = 7

  /// The target sends.
  var isInput: Bool { rawValue & 1 != 0 }
  var isData: Bool { rawValue & 6 == 0 }
}

/// The one initiator of a bus: the controller.
public protocol SCSIInitiator: AnyObject {
  /// A target has asserted REQ, has freed the bus, or wants to reselect.
  func busChanged()
}

/// A parallel SCSI bus, wide, with its targets. Its protocol is that of SPI-4 in terms of phases; signals have no life of their own.
public final class SCSIBus {
  /// Everything that a saved machine needs of it; targets and units have their own.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    /// The target that has the bus with the initiator.
    var connected: UInt8?
    /// The initiator asserts ATN.
    var attention = false
    /// The initiator holds ACK: the target waits.
    var acknowledged = false
  }

  /// The controller's identifier (SPI-4 gives it the highest priority).
  public static let controllerID: UInt8 = 7
  public static let identifiers = 16

  public private(set) var state = State()
  public weak var initiator: (any SCSIInitiator)?
  private let events: EventQueue
  private let clock: any VirtualClock
  private var targets = [SCSITarget?](repeating: nil, count: identifiers)
  private var handler: EventHandlerID?

  public init(events: EventQueue, clock: any VirtualClock) {
    self.events = events
    self.clock = clock
    handler = events.register { [unowned self] _, tag in
      targets[Int(tag & 0xF)]?.accessed(tag >> 4)
    }
  }

  // MARK: Assembly

  public enum Failure: Error, Equatable, CustomStringConvertible {
    case identifier(UInt8)
    public var description: String {
      switch self {
      case .identifier(let id): "SCSI identifier \(id) cannot be had: 0 to 15 without 7, each once"
      }
    }
  }

  /// Puts a target with one logical unit, number 0, on the bus.
  @discardableResult
  public func attach(_ unit: SCSIUnit, id: UInt8) throws(Failure) -> SCSITarget {
    guard id < Self.identifiers, id != Self.controllerID, targets[Int(id)] == nil else { throw .identifier(id) }
    let target = SCSITarget(id: id, unit: unit, bus: self)
    targets[Int(id)] = target
    return target
  }

  public func target(_ id: UInt8) -> SCSITarget? { id < Self.identifiers ? targets[Int(id)] : nil }
  /// The first identifier that is free.
  public var freeIdentifier: UInt8? {
    (0..<UInt8(Self.identifiers)).first { $0 != Self.controllerID && targets[Int($0)] == nil }
  }
  /// The units in the order of their identifiers.
  public var units: [SCSIUnit] { targets.compactMap { $0?.unit } }

  /// All devices lose and regain power.
  public func powerOn() {
    state = State()
    targets.forEach { $0?.reset(.powerOn) }
  }

  // MARK: For targets

  var now: UInt64 { clock.now }
  func schedule(_ serial: UInt64, of id: UInt8, after cycles: UInt64) {
    if let handler { events.schedule(handler, tag: serial << 4 | UInt64(id), at: clock.now + cycles) }
  }
  func changed() { initiator?.busChanged() }
  /// The connected target has released the bus.
  func freed() {
    state.connected = nil
    state.attention = false
    state.acknowledged = false
  }

  // MARK: For the initiator

  private var current: SCSITarget? { state.connected.flatMap { targets[Int($0)] } }
  public var isFree: Bool { state.connected == nil }
  /// The phase for which REQ is asserted; nil: the target takes its time, or nobody is there.
  public var phase: SCSIBusPhase? { state.acknowledged ? nil : current?.phase }
  /// The agreement with the connected target.
  var agreement: SCSIAgreement { current?.agreement ?? SCSIAgreement() }

  public var attention: Bool {
    get { state.attention }
    set {
      let rises = newValue && !state.attention && state.connected != nil
      state.attention = newValue && state.connected != nil
      if rises { current?.attentionRaised() }
    }
  }

  /// Somebody answers a selection.
  func answers(_ id: UInt8) -> Bool { target(id)?.isDeaf == false }

  /// Selects a target that exists while the bus is free.
  func select(_ id: UInt8, attention: Bool) {
    guard isFree, let target = target(id) else { return }
    state.connected = id
    state.attention = attention
    target.selected(by: Self.controllerID, attention: attention)
  }

  /// The target that would win arbitration now (SPI-4, section 10.6.2: 7 to 0, then 15 to 8).
  var reselector: UInt8? {
    guard isFree else { return nil }
    let order = (0..<UInt8(8)).reversed() + (8..<UInt8(16)).reversed()
    return order.first { targets[Int($0)]?.wantsBus == true }
  }

  func acceptReselection(of id: UInt8) {
    state.connected = id
    targets[Int(id)]?.reselect()
  }

  /// The target's next bytes in the current phase.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int { current?.send(into: buffer) ?? 0 }
  /// Gives the target bytes in the current phase, and says how many it took.
  func send(_ buffer: UnsafeRawBufferPointer) -> Int { current?.receive(from: buffer) ?? 0 }

  /// The initiator keeps ACK asserted after a byte of a message.
  func hold() { state.acknowledged = true }
  /// It releases it, and the target goes on.
  func release() {
    guard state.acknowledged else { return }
    state.acknowledged = false
    current?.released()
  }

  /// RST: everybody starts over.
  public func reset() {
    state = State()
    targets.forEach { $0?.reset(.busReset) }
  }

  /// The initiator has lost its memory in the middle of a connection. A target would hold the bus until somebody resets it; the
  /// command at least is gone.
  func abandon() {
    current?.abandon()
    state = State()
  }
}
