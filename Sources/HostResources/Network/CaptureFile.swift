#if canImport(Glibc)
  import Glibc
#endif

/// A file of captured frames in the pcapng format (draft-ietf-opsawg-pcapng): what Wireshark and tshark read. Time stamps are virtual:
/// the guest's clock, which begins at 2024-01-01.
public final class CaptureFile: OutsideSource {
  public enum Direction: UInt32, Sendable { case inbound = 1, outbound = 2 }

  private let file: UnsafeMutablePointer<FILE>
  public let path: String
  private var interfaces: UInt32 = 0
  /// What the host said when it did not take the frames: the rest of the capture is missing.
  public private(set) var failure: NetworkError?

  /// Seconds from 1970 to the first moment of the firmware's clock.
  private static let epoch: UInt64 = 1_704_067_200

  private enum Block {
    static let sectionHeader: UInt32 = 0x0A0D_0D0A
    static let interface: UInt32 = 1
    static let enhancedPacket: UInt32 = 6
    static let byteOrder: UInt32 = 0x1A2B_3C4D
    static let ethernet: UInt16 = 1
  }
  private enum Option {
    static let end: UInt16 = 0
    static let application: UInt16 = 4
    static let interfaceName: UInt16 = 2
    static let interfaceAddress: UInt16 = 6
    static let timeResolution: UInt16 = 9
    static let packetFlags: UInt16 = 2
  }

  public init(path: String) throws(NetworkError) {
    guard let file = fopen(path, "wbe") else { throw NetworkError("cannot write \(path)", errno: errno) }
    self.file = file
    self.path = path
    var body = Bytes()
    body.put(Block.byteOrder)
    body.put(UInt16(1))
    body.put(UInt16(0))
    body.put(UInt64.max)  // the section's length is not known
    body.option(Option.application, Array("Epicure".utf8))
    body.option(Option.end, [])
    write(Block.sectionHeader, body)
    flush()
  }

  deinit { fclose(file) }

  /// Describes an interface; its number is for ``append(_:interface:nanoseconds:direction:)``.
  public func addInterface(name: String, address: MACAddress) -> UInt32 {
    var body = Bytes()
    body.put(Block.ethernet)
    body.put(UInt16(0))
    body.put(UInt32(0))  // frames are never cut
    body.option(Option.interfaceName, Array(name.utf8))
    body.option(Option.interfaceAddress, address.bytes)
    body.option(Option.timeResolution, [9])  // 10^-9 seconds
    body.option(Option.end, [])
    write(Block.interface, body)
    flush()
    defer { interfaces += 1 }
    return interfaces
  }

  public func append(_ frame: [UInt8], interface: UInt32, nanoseconds: UInt64, direction: Direction) {
    let stamp = Self.epoch &* 1_000_000_000 &+ nanoseconds
    var body = Bytes(capacity: frame.count + 48)
    body.put(interface)
    body.put(UInt32(truncatingIfNeeded: stamp >> 32))
    body.put(UInt32(truncatingIfNeeded: stamp))
    body.put(UInt32(frame.count))
    body.put(UInt32(frame.count))
    body.padded(frame)
    var flags = Bytes()
    flags.put(direction.rawValue)
    body.option(Option.packetFlags, flags.bytes)
    body.option(Option.end, [])
    write(Block.enhancedPacket, body)
  }

  // Idle moments, and looks outside, are when the file is brought up to date.
  public var mayDeliver: Bool { false }
  public func prepare(_ set: inout PollSet) {}
  public func collect(_ set: PollSet) -> Bool {
    flush()
    return false
  }

  /// What was captured so far can be read by others.
  public func flush() {
    if failure == nil && fflush(file) != 0 { failure = NetworkError("cannot write \(path)", errno: errno) }
  }

  private func write(_ type: UInt32, _ body: Bytes) {
    guard failure == nil else { return }
    var block = Bytes(capacity: body.bytes.count + 12)
    let length = UInt32(body.bytes.count + 12)
    block.put(type)
    block.put(length)
    block.bytes += body.bytes
    block.put(length)
    if fwrite(block.bytes, 1, block.bytes.count, file) != block.bytes.count {
      failure = NetworkError("cannot write \(path)", errno: errno)
    }
  }

  /// Little-endian, in units of four bytes.
  private struct Bytes {
    var bytes: [UInt8] = []
    init(capacity: Int = 64) { bytes.reserveCapacity(capacity) }

    mutating func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    mutating func padded(_ data: [UInt8]) {
      bytes += data
      while bytes.count % 4 != 0 { bytes.append(0) }
    }
    mutating func option(_ code: UInt16, _ value: [UInt8]) {
      put(code)
      put(UInt16(value.count))
      padded(value)
    }
  }
}

/// A port whose frames are captured, both ways.
public final class CapturingPort: NetworkPort {
  private let port: any NetworkPort
  private let file: CaptureFile
  private let interface: UInt32
  private unowned let timeline: any MachineTimeline

  public init(_ port: any NetworkPort, into file: CaptureFile, name: String, address: MACAddress, timeline: any MachineTimeline) {
    self.port = port
    self.file = file
    self.timeline = timeline
    interface = file.addInterface(name: name, address: address)
  }

  public var frameArrived: (() -> Void)? {
    get { port.frameArrived }
    set { port.frameArrived = newValue }
  }
  public var statistics: NetworkStatistics { port.statistics }

  public func send(_ frame: [UInt8]) {
    record(frame, .outbound)
    port.send(frame)
  }

  public func receive() -> [UInt8]? {
    guard let frame = port.receive() else { return nil }
    record(frame, .inbound)
    return frame
  }

  private func record(_ frame: [UInt8], _ direction: CaptureFile.Direction) {
    file.append(frame, interface: interface, nanoseconds: timeline.nanoseconds(cycles: timeline.now), direction: direction)
  }
}
