import HostResources

/// A CD and DVD reader behind whatever cable: the packet commands of MMC-3 and SPC-2, and the tray with the disc in it.
public final class OpticalDrive {
  /// Everything that a saved machine needs of it; the disc itself is named elsewhere.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    public internal(set) var trayIsOpen = false
    public internal(set) var isLocked = false
    /// What REQUEST SENSE will say.
    var sense = SenseData()
    /// To be reported before anything else is done.
    var attention: SenseData? = .powerOn
    /// Of GET EVENT STATUS NOTIFICATION.
    var event = MediaEvent.none
  }
  enum MediaEvent: UInt8, Sendable, Equatable, Codable { case none = 0, ejectRequest = 1, newMedia = 2, mediaRemoval = 3 }

  /// What a packet leads to.
  public enum Outcome: Equatable {
    case good
    /// Bytes for the initiator, cut to what it allows.
    case data([UInt8])
    /// Blocks of 2048 bytes, to be fetched with ``read(_:count:into:)``.
    case blocks(first: UInt64, count: UInt64)
    case checkCondition
  }

  public internal(set) var state = State()
  /// The disc in the tray.
  public private(set) var disc: (any BlockStorage)?
  /// How the drive is connected, as GET CONFIGURATION says it: 1 SCSI, 2 ATAPI.
  let physicalInterface: UInt32

  public static let blockSize = 2048

  public init(disc: (any BlockStorage)?, physicalInterface: UInt32) {
    self.disc = disc
    self.physicalInterface = physicalInterface
  }

  public var senseKey: UInt8 { state.sense.key }

  /// `hard`: power-on or a bus reset, which the initiator is told of.
  public func reset(hard: Bool) {
    state.isLocked = false
    state.sense = SenseData()
    if hard { state.attention = .powerOn }
  }

  // MARK: The disc

  /// Blocks of the disc; nil without one, or with the tray open.
  var blocks: UInt64? {
    guard let disc, !state.trayIsOpen else { return nil }
    let count = disc.size / UInt64(Self.blockSize)
    return count > 0 ? min(count, UInt64(UInt32.max)) : nil
  }

  /// Somebody puts another disc into the tray, or takes it out, and closes it.
  public func insert(_ disc: (any BlockStorage)?) {
    self.disc = disc
    state.trayIsOpen = false
    mediumChanged()
  }

  func openTray() {
    state.trayIsOpen = true
    state.event = .mediaRemoval
  }
  func closeTray() {
    guard state.trayIsOpen else { return }
    state.trayIsOpen = false
    mediumChanged()
  }
  private func mediumChanged() {
    state.event = blocks == nil ? .mediaRemoval : .newMedia
    if blocks != nil { state.attention = .mediumChanged }
  }

  /// Blocks into a buffer of `count` * 2048 bytes. False: the sense data names the block that cannot be read.
  public func read(_ first: UInt64, count: Int, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    guard let disc, let blocks, first < blocks, UInt64(count) <= blocks - first else {
      state.sense = self.blocks == nil ? noMedium : .blockOutOfRange
      return false
    }
    let size = Self.blockSize
    do throws(StorageFailure) { try disc.read(at: first * UInt64(size), into: buffer) } catch {
      for n in 0..<count {
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[n * size..<(n + 1) * size])
        do throws(StorageFailure) { try disc.read(at: (first + UInt64(n)) * UInt64(size), into: part) } catch {
          state.sense = .unreadable(block: UInt32(truncatingIfNeeded: first + UInt64(n)))
          return false
        }
      }
    }
    return true
  }

  var noMedium: SenseData { state.trayIsOpen ? .noMediumTrayOpen : .noMedium }

  // MARK: Commands

  /// Twelve bytes, or the ten that a shorter command has.
  public func execute(_ packet: [UInt8]) -> Outcome {
    let packet = PacketReader(packet)
    let operation = PacketOperation(rawValue: packet[0])
    // These answer in any state, and leave what is to be reported alone (SPC-2, section 5.6).
    switch operation {
    case .inquiry: return inquiry(packet)
    case .requestSense: return requestSense(packet)
    case .getConfiguration: return getConfiguration(packet)
    case .getEventStatus: return getEventStatus(packet)
    default: break
    }
    if let attention = state.attention {
      state.attention = nil
      return check(attention)
    }
    state.sense = SenseData()
    switch operation {
    case .startStop: return startStop(packet)
    case .preventRemoval:
      state.isLocked = packet[4] & 1 != 0
      return .good
    case .modeSense10: return modeSense(packet)
    case .mechanismStatus: return .data(allocated([0, 0, 0, 0, 0, 0, 0, 0], packet.word(8)))
    case .setSpeed: return .good
    case .testUnitReady, .readCapacity, .read10, .read12, .seek10, .readTOC, .readDiscInformation: break
    default: return check(.invalidCommand)
    }
    guard let blocks else { return check(noMedium) }
    switch operation {
    case .readCapacity: return .data(bigEndian(UInt32(truncatingIfNeeded: blocks - 1)) + bigEndian(UInt32(Self.blockSize)))
    case .read10: return read(packet.long(2), packet.word(7), blocks)
    case .read12: return read(packet.long(2), Int(packet.long(6)), blocks)
    case .seek10: return UInt64(packet.long(2)) < blocks ? .good : check(.blockOutOfRange)
    case .readTOC: return readTOC(packet, blocks)
    case .readDiscInformation: return .data(allocated(Self.discInformation, packet.word(7)))
    default: return .good
    }
  }

  private func read(_ first: UInt32, _ count: Int, _ blocks: UInt64) -> Outcome {
    guard UInt64(first) + UInt64(count) <= blocks else { return check(.blockOutOfRange) }
    return count == 0 ? .good : .blocks(first: UInt64(first), count: UInt64(count))
  }

  func check(_ sense: SenseData) -> Outcome {
    state.sense = sense
    return .checkCondition
  }

  /// What fits into the initiator's buffer.
  func allocated(_ bytes: [UInt8], _ length: Int) -> [UInt8] { Array(bytes.prefix(length)) }

  private func requestSense(_ packet: PacketReader) -> Outcome {
    if state.sense == SenseData(), let attention = state.attention {
      state.attention = nil
      state.sense = attention
    }
    let bytes = state.sense.bytes
    state.sense = SenseData()
    return .data(allocated(bytes, Int(packet[4])))
  }

  private func startStop(_ packet: PacketReader) -> Outcome {
    guard packet[4] & 2 != 0 else { return .good }
    if packet[4] & 1 != 0 {
      closeTray()
    } else {
      guard !state.isLocked else { return check(.removalPrevented) }
      openTray()
    }
    return .good
  }
}

/// Operation codes that the drive knows.
enum PacketOperation: UInt8 {
  case testUnitReady = 0x00
  case requestSense = 0x03
  case inquiry = 0x12
  case startStop = 0x1B
  case preventRemoval = 0x1E
  case readCapacity = 0x25
  case read10 = 0x28
  case seek10 = 0x2B
  case readTOC = 0x43
  case getConfiguration = 0x46
  case getEventStatus = 0x4A
  case readDiscInformation = 0x51
  case modeSense10 = 0x5A
  case read12 = 0xA8
  case setSpeed = 0xBB
  case mechanismStatus = 0xBD
}

/// Fields of a packet, big-endian; what is not there reads as zero.
struct PacketReader {
  private let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }
  subscript(index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }
  func word(_ index: Int) -> Int { Int(self[index]) << 8 | Int(self[index + 1]) }
  func long(_ index: Int) -> UInt32 { UInt32(word(index)) << 16 | UInt32(word(index + 2)) }
}

func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
