import HostResources
import Platform

/// A request to a block device (section 5.2.6): its header, read once, and where its data are.
struct VirtioBlockRequest: Sendable, Equatable, Codable {
  enum Status: UInt8, Sendable, Codable {
    case ok = 0
    case failed = 1
    case unsupported = 2
  }
  /// Values of the header's type.
  enum Operation {
    static let read: UInt32 = 0
    static let write: UInt32 = 1
    static let flush: UInt32 = 4
    static let identify: UInt32 = 8
    static let discard: UInt32 = 11
    static let writeZeroes: UInt32 = 13
  }
  static let headerSize = 16

  let serial: UInt64
  let chain: VirtqueueChain
  let operation: UInt32
  let sector: UInt64

  init(_ chain: VirtqueueChain, serial: UInt64, _ memory: any DMAPort) throws(VirtqueueFault) {
    // Without a place for the status there is no answer.
    guard chain.readableCount >= Self.headerSize, chain.writableCount >= 1 else { throw .malformed }
    let header = try chain.bytes(count: Self.headerSize, memory)
    self.serial = serial
    self.chain = chain
    operation = header.little(0)
    sector = header.little(8)
  }

  var touchesMedium: Bool { operation != Operation.identify }
  /// Bytes that go to or come from the medium.
  var dataCount: Int {
    switch operation {
    case Operation.read: chain.writableCount - 1
    case Operation.write: chain.readableCount - Self.headerSize
    default: 0
    }
  }
}

extension VirtioBlock {
  private typealias Operation = VirtioBlockRequest.Operation
  /// GET ID's answer (section 5.2.6).
  private static let identifierSize = 20

  /// Does a request whose time has come. Returns its status, and how many bytes of data were stored.
  func perform(_ request: VirtioBlockRequest) throws(VirtqueueFault) -> (status: VirtioBlockRequest.Status, moved: Int) {
    guard let memory else { return (.failed, 0) }
    switch request.operation {
    case Operation.read: return try read(request, memory)
    case Operation.write: return (try write(request, memory), 0)
    case Operation.flush: return (attempt { () throws(StorageFailure) in try storage.flush() }, 0)
    case Operation.identify:
      var name = Array(serial.utf8.prefix(Self.identifierSize))
      name += [UInt8](repeating: 0, count: Self.identifierSize - name.count)
      guard request.chain.writableCount - 1 >= name.count else { return (.failed, 0) }
      try request.chain.write(name, memory)
      return (.ok, name.count)
    case Operation.discard where isNegotiated(Feature.discard), Operation.writeZeroes where isNegotiated(Feature.writeZeroes):
      return (try clear(request, memory), 0)
    default: return (.unsupported, 0)
    }
  }

  private func attempt(_ body: () throws(StorageFailure) -> Void) -> VirtioBlockRequest.Status {
    do throws(StorageFailure) {
      try body()
      return .ok
    } catch {
      return .failed
    }
  }

  /// The range is inside the medium, and of whole sectors.
  private func isInside(_ sector: UInt64, bytes: Int) -> Bool {
    let count = UInt64(bytes) / UInt64(BlockSize.sector)
    return bytes % BlockSize.sector == 0 && sector <= state.capacity && count <= state.capacity - sector
  }

  private func read(_ request: VirtioBlockRequest, _ memory: any DMAPort) throws(VirtqueueFault) -> (VirtioBlockRequest.Status, Int)
  {
    let count = request.dataCount
    guard isInside(request.sector, bytes: count) else { return (.failed, 0) }
    var buffer = [UInt8](repeating: 0, count: min(count, VirtioMedium.chunk))
    var done = 0
    while done < count {
      let size = min(buffer.count, count - done)
      let offset = request.sector * UInt64(BlockSize.sector) + UInt64(done)
      let status = attempt { () throws(StorageFailure) in try storage.read(at: offset, into: &buffer, 0..<size) }
      guard status == .ok else { return (status, done) }
      try request.chain.write(at: done, size == buffer.count ? buffer : Array(buffer[..<size]), memory)
      done += size
    }
    return (.ok, done)
  }

  private func write(_ request: VirtioBlockRequest, _ memory: any DMAPort) throws(VirtqueueFault) -> VirtioBlockRequest.Status {
    let count = request.dataCount
    guard isInside(request.sector, bytes: count), !storage.isReadOnly else { return .failed }
    var done = 0
    while done < count {
      let size = min(VirtioMedium.chunk, count - done)
      let offset = request.sector * UInt64(BlockSize.sector) + UInt64(done)
      let data = try request.chain.bytes(at: VirtioBlockRequest.headerSize + done, count: size, memory)
      let status = attempt { () throws(StorageFailure) in try storage.write(at: offset, from: data, 0..<size) }
      guard status == .ok else { return status }
      done += size
    }
    return settled
  }

  /// Without a cache, what was written must be on stable storage (section 5.2.6.2): a driver that knows of no flushes has none.
  private var settled: VirtioBlockRequest.Status {
    let isCached = state.writesBack && isNegotiated(Feature.flush)
    return isCached ? .ok : attempt { () throws(StorageFailure) in try storage.flush() }
  }

  /// DISCARD and WRITE ZEROES: ranges of sectors.
  private func clear(_ request: VirtioBlockRequest, _ memory: any DMAPort) throws(VirtqueueFault) -> VirtioBlockRequest.Status {
    let zeroes = request.operation == Operation.writeZeroes
    let size = request.chain.readableCount - VirtioBlockRequest.headerSize
    let limit = zeroes ? 1 : Int(Self.largestRangeCount)
    guard size > 0, size % 16 == 0, size / 16 <= limit, !storage.isReadOnly else { return .failed }
    let ranges = try request.chain.bytes(at: VirtioBlockRequest.headerSize, count: size, memory)
    // All are checked before the first is changed.
    for at in stride(from: 0, to: size, by: 16) {
      let count: UInt32 = ranges.little(at + 8)
      let flags: UInt32 = ranges.little(at + 12)
      // Bit 0, unmap, belongs to WRITE ZEROES alone; the others are reserved (section 5.2.6.2).
      guard flags & (zeroes ? ~1 : ~0) == 0 else { return .unsupported }
      guard count <= (zeroes ? Self.largestZeroes : Self.largestDiscard),
        isInside(ranges.little(at), bytes: Int(count) * BlockSize.sector)
      else { return .failed }
    }
    // What is discarded may keep its contents.
    guard zeroes else { return .ok }
    let start: UInt64 = ranges.little(0)
    let count = Int(ranges.little(8, as: UInt32.self)) * BlockSize.sector
    let zeros = [UInt8](repeating: 0, count: min(count, VirtioMedium.chunk))
    for done in stride(from: 0, to: count, by: VirtioMedium.chunk) {
      let size = min(zeros.count, count - done)
      let status = attempt { () throws(StorageFailure) in
        try storage.write(at: start * UInt64(BlockSize.sector) + UInt64(done), from: zeros, 0..<size)
      }
      guard status == .ok else { return status }
    }
    return settled
  }
}
