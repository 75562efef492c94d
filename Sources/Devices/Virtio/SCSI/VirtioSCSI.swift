import HostResources
import Platform

/// A virtio SCSI host (section 5.6): logical units without a bus between.
public final class VirtioSCSI: VirtioDevice {
  /// Features (section 5.6.3), as masks.
  enum Feature {
    static let hotPlug: UInt64 = 1 << 1
    static let change: UInt64 = 1 << 2
  }
  enum Queue {
    static let control = 0
    static let event = 1
    static let request = 2
  }

  /// Everything that a saved machine needs of it; units have their own.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    /// Bytes of sense data and of commands in requests; the driver may change them.
    var senseSize: UInt32 = 96
    var commandSize: UInt32 = 32
    var requests: [VirtioSCSIRequest] = []
    var nextSerial = VirtioDevice.firstTag
    /// Something happened while there was no buffer to say it.
    var hasMissedEvents = false
  }

  public static let targets = 64
  static let queueSize: UInt16 = 256
  /// A command's data are in so many parts at most.
  static let largestPartCount = UInt32(queueSize) - 2
  /// In sectors of 512 bytes.
  static let largestTransfer: UInt32 = 0x4000
  private static let senseSizes: ClosedRange<UInt32> = 18...252
  private static let commandSizes: ClosedRange<UInt32> = 16...256

  public var state = State()
  public private(set) var units: [UInt8: SCSIUnit] = [:]

  override public init(events: EventQueue, clock: any VirtualClock) { super.init(events: events, clock: clock) }

  // MARK: Description

  override var kind: VirtioKind { .scsi }
  override var queueSizes: [UInt16] { [64, 64, Self.queueSize] }
  override var features: UInt64 { Feature.hotPlug | Feature.change }

  /// Section 5.6.4.
  override var configuration: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: UInt32(1))  // request queues
    bytes.append(little: Self.largestPartCount)
    bytes.append(little: Self.largestTransfer)
    bytes.append(little: UInt32(Self.queueSize / 2))  // commands for each unit
    bytes.append(little: UInt32(VirtioSCSIEvent.size))
    bytes.append(little: state.senseSize)
    bytes.append(little: state.commandSize)
    bytes.append(little: UInt16(0))  // channels
    bytes.append(little: UInt16(Self.targets - 1))
    bytes.append(little: UInt32(0))  // units of a target
    return bytes
  }

  override func configurationWritten(_ offset: Int, _ bytes: [UInt8]) {
    guard bytes.count == 4, state.requests.isEmpty else { return }
    let value: UInt32 = bytes.little(0)
    switch offset {
    case 20 where Self.senseSizes.contains(value): state.senseSize = value
    case 24 where Self.commandSizes.contains(value): state.commandSize = value
    default: break
    }
  }

  override var counters: [String: UInt64] {
    units.values.reduce(into: ["commands": 0, "bytes_read": 0, "bytes_written": 0, "flushes": 0]) { sum, unit in
      sum["commands", default: 0] += unit.statistics.requests
      sum["bytes_read", default: 0] += unit.statistics.bytesRead
      sum["bytes_written", default: 0] += unit.statistics.bytesWritten
      sum["flushes", default: 0] += unit.statistics.flushes
    }
  }

  override func reset() {
    let serial = state.nextSerial
    // Events of before must not find requests of afterwards.
    state = State(nextSerial: serial)
    for unit in units.values { unit.reset(.powerOn) }
  }

  // MARK: Units

  /// The first target without a unit.
  public var freeTarget: UInt8? { (0..<UInt8(Self.targets)).first { units[$0] == nil } }

  /// Plugs a unit in as number 0 of a target that has none. A driver that runs is told.
  public func attach(_ unit: SCSIUnit, target: UInt8) {
    precondition(Int(target) < Self.targets && units[target] == nil, "target \(target)")
    units[target] = unit
    if isNegotiated(Feature.hotPlug) { report(.transportReset, target: target, reason: VirtioSCSIEvent.rescan) }
  }

  /// Takes the unit of a target away; its commands fail.
  public func detach(target: UInt8) {
    guard units.removeValue(forKey: target) != nil else { return }
    drop(.badTarget) { $0.target == target }
    if isNegotiated(Feature.hotPlug) { report(.transportReset, target: target, reason: VirtioSCSIEvent.removed) }
  }

  /// A unit's medium or parameters have changed: what its next unit attention says, as additional sense code and qualifier.
  public func parametersChanged(target: UInt8, additional: UInt16) {
    guard isNegotiated(Feature.change) else { return }
    report(.parameterChange, target: target, reason: UInt32(additional.byteSwapped))
  }

  // MARK: Queues

  override func look(_ queue: Int) {
    switch queue {
    case Queue.control: control()
    case Queue.event: if state.hasMissedEvents { report(.none, target: 0, reason: 0) }
    default: takeCommands()
    }
  }

  override func happened(_ tag: UInt64) { proceed(tag) }
}
