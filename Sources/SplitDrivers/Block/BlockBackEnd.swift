import HostResources
import Hypervisor
import Platform

/// A medium that can forget what it holds.
public protocol DiscardingStorage: BlockStorage {
  /// What is read there afterwards is up to the medium.
  func discard(at offset: UInt64, count: UInt64) throws(StorageFailure)
}

/// VBD: a disk of a paravirtualized front end (blkif), on a medium of the host.
///
/// The medium has all requests at once, and works on them in the order in which they came, so that a barrier is a flush before and after a
/// write. A request's grants are mapped while it is done, and at no other time.
public final class BlockBackEnd: BackEnd {
  private let medium: any BlockStorage
  private let isReadOnly: Bool
  private let isCDROM: Bool
  private let timing: MediumTiming
  private var ring: BackRing?
  private var layout = BlockProtocol.native
  private lazy var pending = PendingRequests<BlockRequest>(
    host, finish: { [unowned self] in finish($0) }, goOn: { [unowned self] in takeRequests() })

  /// `device`: the number that Xen gives to a disk, 51712 for xvda. `mode`: what contains no w is read-only.
  public init(
    host: DriverHost, domain: UInt16, device: Int, medium: any BlockStorage, mode: String = "w", isCDROM: Bool = false,
    timing: MediumTiming = MediumTiming()
  ) {
    (self.medium, self.isCDROM, self.timing, self.mode) = (medium, isCDROM, timing, mode)
    isReadOnly = !mode.contains("w") || medium.isReadOnly
    super.init(host: host, kind: "vbd", domain: domain, device: device)
  }
  private let mode: String

  // MARK: Directories

  override public var frontKeys: [(String, String)] {
    [("virtual-device", String(device)), ("device-type", isCDROM ? "cdrom" : "disk")]
  }
  override public var backKeys: [(String, String)] {
    // What a hotplug script would say of a block device.
    [("mode", mode), ("type", "phy"), ("bootable", "1"), ("physical-device", "7:0"), ("hotplug-status", "connected")]
  }
  override public var features: [(String, String)] {
    [
      ("feature-barrier", isReadOnly ? "0" : "1"), ("feature-flush-cache", isReadOnly ? "0" : "1"),
      ("feature-discard", canDiscard ? "1" : "0"),
    ]
  }
  private var canDiscard: Bool { !isReadOnly && medium is any DiscardingStorage }

  override public func connect() throws(BackEndFailure) -> [(String, String)] {
    let name = frontValue("protocol") ?? BlockProtocol.native.rawValue
    guard let layout = BlockProtocol(rawValue: name) else { throw BackEndFailure("unknown protocol \(name)") }
    self.layout = layout
    ring = BackRing(page: try mapRing("ring-ref"), requestSize: layout.requestSize, responseSize: layout.responseSize)
    try bindPort()
    return [
      ("sectors", String(medium.size / 512)), ("info", String((isCDROM ? 1 : 0) | (isReadOnly ? 4 : 0))), ("sector-size", "512"),
    ]
  }

  override public func disconnecting(isOrderly: Bool) {
    // A front end that closes its device waits for what is on its way.
    for request in pending.cancel() where isOrderly { finish(request) }
    while isOrderly, let request = nextRequest() { finish(request) }
    ring = nil
  }

  // MARK: Requests

  override public func notified() {
    if ring != nil { takeRequests() }
  }

  private func nextRequest() -> BlockRequest? {
    guard ring != nil else { return nil }
    do throws(ProtocolViolation) {
      return try ring?.next().map(layout.decode)
    } catch {
      ring = nil
      fail(error.description)
      return nil
    }
  }

  private func takeRequests() {
    repeat {
      while let request = nextRequest() {
        let bytes = request.segments.reduce(0) { $0 + ($1.isLegal ? $1.byteRange.count : 0) }
        let isWrite = [BlockRequest.Operation.write, .barrier].contains { $0.rawValue == request.operation }
        pending.add(request, end: timing.request(UInt64(bytes), isWrite: isWrite, now: host.now))
      }
    } while hasMore()
  }

  /// Asks to be told of the next request, unless it is there.
  private func hasMore() -> Bool {
    do throws(ProtocolViolation) { return try ring?.awaitsMore() ?? false } catch {
      fail(error.description)
      return false
    }
  }

  private func finish(_ request: BlockRequest) {
    guard ring != nil else { return }
    statistics.requests += 1
    let status = perform(request)
    if status != .okay { statistics.refusals += 1 }
    ring?.put(layout.encode(id: request.id, operation: request.operation, status: status))
    notify(ring?.push() ?? false)
  }

  private func perform(_ request: BlockRequest) -> BlockRequest.Status {
    guard let operation = BlockRequest.Operation(rawValue: request.operation) else { return .error }
    do throws(StorageFailure) {
      switch operation {
      case .read: return try transfer(request, isWrite: false)
      case .write: return isReadOnly ? refuse("a write to what is read-only") : try transfer(request, isWrite: true)
      case .barrier:
        guard !isReadOnly else { return .notSupported }
        try medium.flush()
        if request.segmentCount > 0 {
          let status = try transfer(request, isWrite: true)
          guard status == .okay else { return status }
        }
        try medium.flush()
      case .flush:
        guard !isReadOnly else { return .notSupported }
        guard request.segmentCount == 0 else { return refuse("a flush with segments") }
        try medium.flush()
      case .discard:
        guard canDiscard, let medium = medium as? any DiscardingStorage else { return .notSupported }
        guard isInside(request.sector, request.discarded) else { return refuse("a discard beyond the end") }
        try medium.discard(at: request.sector * 512, count: request.discarded * 512)
      }
      return .okay
    } catch {
      return .error
    }
  }

  private func refuse(_ text: String) -> BlockRequest.Status {
    report(text)
    return .error
  }

  private func isInside(_ sector: UInt64, _ count: UInt64) -> Bool {
    let sectors = medium.size / 512
    return sector <= sectors && count <= sectors - sector
  }

  /// Moves data between the medium and the front end's frames: all that the request says, or nothing of it.
  private func transfer(_ request: BlockRequest, isWrite: Bool) throws(StorageFailure) -> BlockRequest.Status {
    guard (1...BlockRequest.segmentLimit).contains(request.segmentCount) else {
      return refuse("\(request.segmentCount) segments")
    }
    guard request.segments.allSatisfy(\.isLegal) else { return refuse("a segment outside of its frame") }
    let sectors = request.segments.reduce(0) { $0 + UInt64($1.last - $1.first) + 1 }
    guard isInside(request.sector, sectors) else { return refuse("sectors beyond the end") }
    var pages: [HostMapping] = []
    defer { for page in pages { host.grants.unmapForHost(page) } }
    for segment in request.segments {
      do throws(BackEndFailure) { pages.append(try map(segment.reference, readOnly: isWrite)) } catch {
        return refuse(error.description)
      }
    }
    var offset = request.sector * 512
    for (segment, page) in zip(request.segments, pages) {
      let range = segment.byteRange
      let buffer = UnsafeMutableRawBufferPointer(rebasing: page.bytes[range])
      if isWrite {
        try medium.write(at: offset, from: UnsafeRawBufferPointer(buffer))
        statistics.bytesWritten += UInt64(range.count)
      } else {
        try medium.read(at: offset, into: buffer)
        page.noteWrite(range.lowerBound, count: range.count)
        statistics.bytesRead += UInt64(range.count)
      }
      offset += UInt64(range.count)
    }
    return .okay
  }
}
