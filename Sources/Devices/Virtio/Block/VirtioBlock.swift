import HostResources
import Platform

/// A virtio block device (section 5.2): a medium of the host.
public final class VirtioBlock: VirtioDevice {
  /// Features (section 5.2.3), as masks.
  enum Feature {
    static let sizeMax: UInt64 = 1 << 1
    static let segmentMax: UInt64 = 1 << 2
    static let readOnly: UInt64 = 1 << 5
    static let blockSize: UInt64 = 1 << 6
    static let flush: UInt64 = 1 << 9
    static let topology: UInt64 = 1 << 10
    static let configurableCache: UInt64 = 1 << 11
    static let discard: UInt64 = 1 << 13
    static let writeZeroes: UInt64 = 1 << 14
  }

  /// Everything that a saved machine needs of it, but the medium.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1
    /// A write is done when the host has the data; otherwise when they are on stable storage.
    var writesBack: Bool
    /// In the order in which they end.
    var requests: [VirtioBlockRequest] = []
    var nextSerial = VirtioDevice.firstTag
    /// Sectors that the driver was told of.
    var capacity: UInt64
  }

  static let queueSize: UInt16 = 256
  /// A request's data are in so many parts at most: header and status need two descriptors more.
  static let largestPartCount = UInt32(queueSize) - 2
  static let largestPart: UInt32 = 64 << 10
  /// Sectors and ranges of DISCARD and WRITE ZEROES: zeros are written one by one.
  static let largestDiscard: UInt32 = 1 << 22
  static let largestZeroes: UInt32 = 1 << 14
  static let largestRangeCount: UInt32 = 16
  /// Sectors that a driver should ask for together (topology).
  private static let optimalSectors: UInt32 = 128

  public var state: State
  let storage: any BlockStorage
  let timing: MediumTiming
  let serial: String
  private let writesBackAtStart: Bool

  /// `writeCache`: whether writes are done before they are on stable storage, until the guest decides.
  public init(
    storage: any BlockStorage, serial: String, writeCache: Bool = true, timing: MediumTiming = MediumTiming(), events: EventQueue,
    clock: any VirtualClock
  ) {
    self.storage = storage
    self.timing = timing
    self.serial = serial
    writesBackAtStart = writeCache
    state = State(writesBack: writeCache, capacity: storage.size / UInt64(BlockSize.sector))
    super.init(events: events, clock: clock)
  }

  // MARK: Description

  override var kind: VirtioKind { .block }
  override var queueSizes: [UInt16] { [Self.queueSize] }
  override var features: UInt64 {
    let always =
      Feature.sizeMax | Feature.segmentMax | Feature.blockSize | Feature.flush | Feature.topology | Feature.configurableCache
    return always | (storage.isReadOnly ? Feature.readOnly : Feature.discard | Feature.writeZeroes)
  }

  /// Section 5.2.4.
  override var configuration: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: state.capacity)
    bytes.append(little: Self.largestPart)
    bytes.append(little: Self.largestPartCount)
    bytes.append(little: UInt32(0))  // no geometry
    bytes.append(little: UInt32(BlockSize.sector))
    // Physical blocks of 4 KiB, the first one aligned; as small as that, and best in 64 KiB.
    bytes += [3, 0]
    bytes.append(little: UInt16(8))
    bytes.append(little: Self.optimalSectors)
    bytes += [state.writesBack ? 1 : 0, 0]
    bytes.append(little: UInt16(1))
    bytes.append(little: Self.largestDiscard)
    bytes.append(little: Self.largestRangeCount)
    bytes.append(little: UInt32(8))
    bytes.append(little: Self.largestZeroes)
    bytes.append(little: UInt32(1))
    bytes += [1, 0, 0, 0]
    return bytes
  }
  private static let writebackField = 32

  override func configurationWritten(_ offset: Int, _ bytes: [UInt8]) {
    guard offset == Self.writebackField, let value = bytes.first, isNegotiated(Feature.configurableCache) else { return }
    let cached = value & 1 != 0
    // What the cache holds is written before it goes.
    if state.writesBack && !cached { try? storage.flush() }
    state.writesBack = cached
  }

  /// Tells the driver that the medium has another size now, if it has.
  public func sizeChanged() {
    let capacity = storage.size / UInt64(BlockSize.sector)
    guard capacity != state.capacity else { return }
    state.capacity = capacity
    transport?.configurationChanged()
  }

  override func reset() {
    let serial = state.nextSerial
    // Events of before must not find requests of afterwards.
    state = State(writesBack: writesBackAtStart, nextSerial: serial, capacity: state.capacity)
  }

  // MARK: Requests

  /// Events are requests: their tags are serials.
  override func happened(_ tag: UInt64) {
    guard let index = state.requests.firstIndex(where: { $0.serial == tag }) else { return }
    let request = state.requests.remove(at: index)
    _ = transport?.attempt { () throws(VirtqueueFault) in
      let (status, moved) = try perform(request)
      try finish(request, status, moved)
      return ()
    }
  }

  /// Takes everything that is there: no more than the queue is long, because none of it is given back meanwhile.
  override func look(_ queue: Int) {
    while let chain = transport?.take(queue) {
      let request = transport?.attempt { () throws(VirtqueueFault) -> VirtioBlockRequest? in
        guard let memory else { return nil }
        return try VirtioBlockRequest(chain, serial: state.nextSerial, memory)
      }
      guard let request else { return }
      state.nextSerial += 1
      state.requests.append(request)
      let end =
        request.touchesMedium
        ? timing.request(UInt64(request.dataCount), isWrite: request.operation == VirtioBlockRequest.Operation.write, now: now)
        : now &+ VirtioMedium.answerTime
      schedule(request.serial, at: end)
    }
  }

  /// `moved`: bytes that have been stored from the start of the writable part on.
  private func finish(_ request: VirtioBlockRequest, _ status: VirtioBlockRequest.Status, _ moved: Int) throws(VirtqueueFault) {
    guard let memory else { return }
    let place = request.chain.writableCount - 1
    try request.chain.write(at: place, [status.rawValue], memory)
    // Bytes that were not stored end what counts.
    transport?.finish(request.chain, written: moved == place ? place + 1 : moved)
  }
}
