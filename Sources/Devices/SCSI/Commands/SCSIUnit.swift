import HostResources
import Platform

/// A logical unit over a medium of the host: what disks and CD-ROM drives have in common. Transports (the parallel bus, virtio, the
/// hypervisor's) drive it through ``begin(_:initiator:)``, ``read(_:into:)``, ``write(_:from:)`` and ``proceed(_:)``.
public class SCSIUnit {
  /// Everything that a saved machine needs of it, but the medium.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    /// Unit attention conditions of each initiator, oldest first.
    var attentions = [[SCSISense]](repeating: [.powerOn], count: initiators)
    /// What each initiator would learn by REQUEST SENSE.
    var sense = [SCSISense?](repeating: nil, count: initiators)
    /// Who has reserved the unit.
    var reservation: UInt8?
    /// Initiators that forbid to remove the medium, one bit each.
    var prevents: UInt16 = 0
    var isStopped = false
    var writeCacheEnabled = true
    var readCacheEnabled = true
    /// Domain validation writes patterns here and reads them back.
    var echoBuffer: [UInt8] = []
  }

  /// What has been done since power-on.
  public struct Statistics: Sendable, Equatable {
    public internal(set) var requests: UInt64 = 0
    public internal(set) var bytesRead: UInt64 = 0
    public internal(set) var bytesWritten: UInt64 = 0
    public internal(set) var flushes: UInt64 = 0
  }

  /// SAM's initiators are numbered by their SCSI identifiers; other transports use 0.
  static let initiators = 16
  /// SPC-3, section 6.21: 252 bytes are what drives of the time had.
  static let echoBufferSize = 252
  /// Bytes of the medium that one call moves at most.
  static let largestStep = 1 << 20

  public internal(set) var state = State()
  public internal(set) var statistics = Statistics()
  /// Nil: no medium.
  public internal(set) var storage: (any BlockStorage)?
  /// How long the medium takes; whoever shares it has the same.
  public var timing = MediumTiming()
  public let serialNumber: String
  /// Whether the write cache is on after power-on; the guest may change that.
  public var startsWithWriteCache = true {
    didSet { state.writeCacheEnabled = startsWithWriteCache }
  }
  let blockSize: Int

  init(storage: (any BlockStorage)?, serialNumber: String, blockSize: Int) {
    self.storage = storage
    self.serialNumber = serialNumber
    self.blockSize = blockSize
  }

  // MARK: What differs

  /// Peripheral device type (SPC-3, section 6.4.2).
  var deviceType: UInt8 { 0 }
  var isRemovable: Bool { false }
  var product: String { "" }
  /// Command standards for the INQUIRY data's version descriptors.
  var versionDescriptors: [UInt16] { [] }
  /// Pages of vital product data beside 00, 80 and 83.
  func vitalProductData(_ page: UInt8) -> [UInt8]? { nil }
  var vitalProductPages: [UInt8] { [] }
  func modePages(_ selector: ModePageSelector) -> [ModePage] { [] }
  var modeBlockDescriptor: [UInt8] { [] }
  /// Device-specific byte of the mode parameter header.
  var modeDeviceParameter: UInt8 { 0 }
  /// Commands of the device type alone; throws ``SCSISense/invalidOperation`` for those that it has not either.
  func execute(_ task: inout SCSITask) throws(SCSISense) { throw .invalidOperation }
  /// START STOP UNIT, but for the flush of what is stopped.
  func startStop(_ task: inout SCSITask, start: Bool, eject: Bool) throws(SCSISense) { state.isStopped = !start }

  // MARK: Blocks

  var blockCount: UInt64 { (storage?.size ?? 0) / UInt64(blockSize) }

  /// Throws unless the medium can be read now.
  func checkReady() throws(SCSISense) {
    if storage == nil { throw .mediumNotPresent }
    if state.isStopped { throw .becomingReadyNeedsStart }
  }

  /// Byte offset and length of a range of blocks that the medium has.
  func range(_ block: UInt64, count: UInt64) throws(SCSISense) -> (offset: UInt64, length: UInt64) {
    guard block <= blockCount, count <= blockCount - block else { throw .blockOutOfRange }
    return (block * UInt64(blockSize), count * UInt64(blockSize))
  }

  // MARK: Commands

  /// Takes a command. Afterwards the task says which way its data go, and how many they are.
  public func begin(_ command: [UInt8], initiator: UInt8) -> SCSITask {
    var task = SCSITask(command, initiator: initiator & UInt8(Self.initiators - 1))
    let operation = command.first ?? 0
    statistics.requests += 1
    do throws(SCSISense) {
      guard command.count >= SCSIOperation.length(of: operation) else { throw .invalidOperation }
      // SPC-3, section 4.5.8: whoever asks for sense data, or who is there, does not meet unit attention conditions.
      if operation == SCSIOperation.requestSense {
        requestSense(&task)
        return task
      }
      // The next command ends the time in which sense data are kept (SAM-2, section 5.9.5.1).
      state.sense[Int(task.initiator)] = nil
      if operation == SCSIOperation.inquiry {
        try inquire(&task)
        return task
      }
      if operation == SCSIOperation.reportLUNs {
        try reportLUNs(&task)
        return task
      }
      if !state.attentions[Int(task.initiator)].isEmpty { throw state.attentions[Int(task.initiator)].removeFirst() }
      if let holder = state.reservation, holder != task.initiator, !Self.passesReservation(command) {
        task.end(.reservationConflict)
        return task
      }
      try executeCommon(&task)
    } catch {
      fail(&task, error)
    }
    return task
  }

  /// What a unit number without a unit answers (SPC-3, section 6.4.1: qualifier 011, type 1F).
  static func absent(_ command: [UInt8], initiator: UInt8) -> SCSITask {
    var task = SCSITask(command, initiator: initiator)
    switch command[0] {
    case SCSIOperation.inquiry:
      task.answer([0x7F, 0, 0x05, 0x02, 31] + [UInt8](repeating: 0, count: 31), allocated: Int(command[4]))
    case SCSIOperation.requestSense: task.answer(SCSISense.unitNotSupported.fixedFormat, allocated: Int(command[4]))
    default: task.fail(.unitNotSupported)
    }
    return task
  }

  /// SPC-2, section 5.5.1: RELEASE ends without effect, and removal may always be allowed.
  private static func passesReservation(_ command: [UInt8]) -> Bool {
    switch command[0] {
    case SCSIOperation.release6, SCSIOperation.release10: true
    case SCSIOperation.preventAllow: command[4] & 3 == 0
    default: false
    }
  }

  func fail(_ task: inout SCSITask, _ sense: SCSISense) { task.fail(sense) }

  /// For transports that deliver the status alone: the initiator will ask for the sense data.
  func keepSense(of task: SCSITask) { state.sense[Int(task.initiator)] = task.sense }
  var keepsSense: Bool { state.sense.contains { $0 != nil } }

  private func executeCommon(_ task: inout SCSITask) throws(SCSISense) {
    let command = task.command
    switch command[0] {
    case SCSIOperation.testUnitReady:
      try checkReady()
      task.end(.good)
    case SCSIOperation.modeSense6, SCSIOperation.modeSense10: try modeSense(&task)
    case SCSIOperation.modeSelect6, SCSIOperation.modeSelect10: try modeSelect(&task)
    case SCSIOperation.reserve6, SCSIOperation.reserve10:
      // Third parties and extents went out of use before SPC-2.
      guard command[1] & 0x1F == 0 else { throw .invalidField(inCommand: 1) }
      state.reservation = task.initiator
      task.end(.good)
    case SCSIOperation.release6, SCSIOperation.release10:
      if state.reservation == task.initiator { state.reservation = nil }
      task.end(.good)
    case SCSIOperation.startStopUnit:
      guard command[4] & 0xF0 == 0 else { throw .invalidField(inCommand: 4) }
      try startStop(&task, start: command[4] & 1 != 0, eject: command[4] & 2 != 0)
      // A unit that is stopped has written everything.
      if command[4] & 1 == 0 && task.status == nil { task.work = .flush } else { task.end(.good) }
    case SCSIOperation.preventAllow:
      let bit = UInt16(1) << UInt16(task.initiator)
      if command[4] & 1 != 0 { state.prevents |= bit } else { state.prevents &= ~bit }
      task.end(.good)
    case SCSIOperation.sendDiagnostic:
      // The default self-test alone.
      guard command[1] & 0xE3 == 0 else { throw .invalidField(inCommand: 1) }
      guard command.get(3, as: UInt16.self) == 0 else { throw .invalidField(inCommand: 3) }
      task.end(.good)
    case SCSIOperation.writeBuffer: try writeBuffer(&task)
    case SCSIOperation.readBuffer: try readBuffer(&task)
    default: try execute(&task)
    }
  }

  // MARK: Resets

  /// The unit was reset; everybody learns why by a unit attention condition.
  public func reset(_ reason: SCSISense) {
    // A drive that has power finishes what it has taken into its cache; the host's cache does that by itself.
    let inserted = state.isStopped
    state = State()
    state.writeCacheEnabled = startsWithWriteCache
    state.isStopped = inserted && reason != .powerOn
    state.attentions = [[SCSISense]](repeating: [reason], count: Self.initiators)
  }

  /// Tells all initiators but one.
  func attend(_ sense: SCSISense, except initiator: UInt8? = nil) {
    for n in 0..<Self.initiators where n != initiator.map(Int.init) {
      if !state.attentions[n].contains(sense) { state.attentions[n].append(sense) }
    }
  }

  /// Commands of an initiator have been dropped on another's order.
  public func commandsCleared(for initiator: UInt8) {
    let n = Int(initiator) % Self.initiators
    if !state.attentions[n].contains(.commandsClearedByAnother) { state.attentions[n].append(.commandsClearedByAnother) }
  }
}
