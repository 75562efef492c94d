import HostResources
import Hypervisor
import SplitDrivers
import StorageTestSupport

/// What a front end has seen and should not have.
struct IntegrityViolation: Error, CustomStringConvertible {
  var description: String
}

/// A front end with up to 32 requests on their way, which knows what each sector may have. Answers come in the order of requests, as
/// ``BlockBackEnd`` says.
final class BusyFront {
  enum Operation: UInt8 { case read, write, barrier, flush }

  private struct Request {
    var id: UInt64
    var operation: Operation
    var sectors: Range<Int>
    /// What a write writes.
    var value: UInt64 = 0
    var parts: [Part] = []
  }
  /// A segment, and the address of its frame.
  private struct Part {
    var page: UInt64
    var segment: BlockFront.Segment
    var address: UInt64 { page + UInt64(segment.first) * 512 }
    var count: Int { (Int(segment.last - segment.first) + 1) * 512 }
  }

  static let requestLimit = 32
  let domain: FrontDomain
  private(set) var front: BlockFront
  private var pending: [Request] = []
  private var freePages: [(address: UInt64, reference: UInt32)]
  private var nextID: UInt64 = 0
  /// Requests that were answered well, and that were refused.
  private(set) var done: [Operation: Int] = [:]
  private(set) var refused = 0

  init(_ domain: FrontDomain, _ medium: any BlockStorage) throws {
    self.domain = domain
    front = try BlockFront(domain, medium)
    freePages = (0..<256).map { _ in
      let page = domain.page()
      return (page, domain.grant(page))
    }
    for page in freePages { _ = domain.end(page.reference) }
  }

  var requestsOnTheirWay: Int { pending.count }

  // MARK: Asking

  /// Sends a request: pieces of frames, one after another from `first` on. False: there is no room for it now.
  func ask(_ operation: Operation, at first: Int, _ pieces: [ClosedRange<UInt8>], _ model: inout SectorModel) throws -> Bool {
    guard pending.count < Self.requestLimit, pieces.count <= freePages.count else { return false }
    let sectors = first..<first + pieces.reduce(0) { $0 + $1.count }
    var request = Request(id: nextID, operation: operation, sectors: sectors)
    nextID += 1
    var data: [UInt8] = []
    let isWrite = operation == .write || operation == .barrier
    if isWrite { (request.value, data) = model.data(sectors) }
    var offset = 0
    for piece in pieces {
      guard let page = freePages.popLast() else { return false }
      let segment = BlockFront.Segment(reference: page.reference, first: piece.lowerBound, last: piece.upperBound)
      let part = Part(page: page.address, segment: segment)
      if isWrite { domain.memory.write(part.address, Array(data[offset..<offset + part.count])) }
      domain.allow(page.reference, readOnly: isWrite)
      request.parts.append(part)
      offset += part.count
    }
    pending.append(request)
    try send([request])
    return true
  }

  private func send(_ requests: [Request]) throws {
    for request in requests {
      front.ring.put(
        BlockFront.request(
          request.operation.rawValue, id: request.id, sector: UInt64(request.sectors.lowerBound), request.parts.map(\.segment)))
    }
    if front.ring.push() { try front.notify() }
  }

  // MARK: Answers

  func takeAnswers(_ model: inout SectorModel) throws {
    for answer in front.ring.take(0x10) {
      let (id, status) = (answer.field(0, as: UInt64.self), answer.field(10, as: Int16.self))
      guard let request = pending.first, request.id == id, answer[8] == request.operation.rawValue else {
        throw IntegrityViolation(description: "an answer to request \(id), which is not the next one")
      }
      pending.removeFirst()
      if status == 0 { try settle(request, &model) } else { refuse(request, &model) }
      try release(request)
    }
  }

  private func settle(_ request: Request, _ model: inout SectorModel) throws {
    done[request.operation, default: 0] += 1
    switch request.operation {
    case .read:
      let bytes = request.parts.flatMap { domain.memory.read($0.address, count: $0.count) ?? [] }
      if let complaint = model.complaint(about: bytes, at: request.sectors.lowerBound) {
        throw IntegrityViolation(description: complaint)
      }
    case .write: model.written(request.sectors, request.value, acknowledged: true)
    case .barrier:
      // What came before it is durable, and it itself.
      model.written(request.sectors, request.value, acknowledged: true)
      model.flushed()
    case .flush: model.flushed()
    }
  }

  /// What was refused, or never answered, may have been done in part.
  private func refuse(_ request: Request, _ model: inout SectorModel) {
    refused += 1
    doubt(request, &model)
  }
  private func doubt(_ request: Request, _ model: inout SectorModel) {
    guard request.operation == .write || request.operation == .barrier else { return }
    model.written(request.sectors, request.value, acknowledged: false)
  }

  private func release(_ request: Request) throws {
    for part in request.parts {
      guard domain.end(part.segment.reference) else {
        throw IntegrityViolation(description: "a grant is still mapped after the answer to its request")
      }
      freePages.append((part.page, part.segment.reference))
    }
  }

  // MARK: The device goes

  /// Its back end goes by force, and another one comes: requests without an answer are sent again, as blkfront does it, or given up.
  func restart(_ medium: any BlockStorage, repeats: Bool, _ model: inout SectorModel) throws {
    domain.fixture.host.destroy(front.backEnd)
    try giveUp(&model, keepsRequests: repeats)
    front = try BlockFront(domain, medium)
    try send(pending)
  }

  /// It is closed in order: everything is answered before.
  func reconnect(_ medium: any BlockStorage, _ model: inout SectorModel) throws {
    try domain.fixture.host.unplug(front.backEnd)
    try front.setState(6)
    try takeAnswers(&model)
    guard pending.isEmpty, front.backEnd.isGone, domain.end(front.ring.reference) else {
      throw IntegrityViolation(description: "a device that was closed in order has \(pending.count) requests without an answer")
    }
    front = try BlockFront(domain, medium)
  }

  /// The back end has gone by force. What it had answered until then counts; nothing is mapped any more.
  func giveUp(_ model: inout SectorModel, keepsRequests: Bool = false) throws {
    try takeAnswers(&model)
    guard domain.end(front.ring.reference) else { throw IntegrityViolation(description: "the ring is still mapped") }
    for request in pending {
      doubt(request, &model)
      try release(request)
    }
    guard keepsRequests else { return pending = [] }
    for request in pending {
      for part in request.parts {
        freePages.removeAll { $0.reference == part.segment.reference }
        domain.allow(part.segment.reference, readOnly: request.operation != .read)
      }
    }
  }
}
