import Processor

/// A guest's frame that domain 0 has mapped. The guest may write to it at any time: what is loaded twice may be two things.
///
/// The frame stays what it is, whatever becomes of the guest, until ``GrantTables/unmapForHost(_:)``; after that it is not to be used.
public final class HostMapping {
  private let page: UnsafeMutableRawPointer
  private let memory: PhysicalMemory
  let machine: UInt32
  public let isReadOnly: Bool
  /// Nil: not by a grant, but by its number.
  let grant: (table: GrantTable, reference: UInt32)?
  public internal(set) var isMapped = true

  init?(machine: UInt32, memory: PhysicalMemory, readOnly: Bool, grant: (table: GrantTable, reference: UInt32)?) {
    guard let page = memory.host(UInt64(machine) << FramePool.frameShift, count: Int(FramePool.frameSize)) else { return nil }
    (self.page, self.memory, self.machine, self.grant) = (page, memory, machine, grant)
    isReadOnly = readOnly
  }

  /// All of the frame; only to be read if ``isReadOnly``. Who writes here says so with ``noteWrite(_:count:)``.
  public var bytes: UnsafeMutableRawBufferPointer {
    precondition(isMapped)
    return UnsafeMutableRawBufferPointer(start: page, count: Int(FramePool.frameSize))
  }

  public func noteWrite(_ offset: Int, count: Int) {
    memory.noteWrite(UInt64(machine) << FramePool.frameShift + UInt64(offset), count: count)
  }

  public func load<T: FixedWidthInteger>(_ offset: Int, as: T.Type = T.self) -> T {
    T(littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  public func store<T: FixedWidthInteger>(_ offset: Int, _ value: T) {
    precondition(!isReadOnly)
    bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    noteWrite(offset, count: MemoryLayout<T>.size)
  }

  public func copyOut(_ offset: Int, count: Int) -> [UInt8] { [UInt8](bytes[offset..<offset + count]) }

  public func copyIn(_ offset: Int, _ new: UnsafeRawBufferPointer) {
    precondition(!isReadOnly)
    UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + new.count]).copyMemory(from: new)
    noteWrite(offset, count: new.count)
  }
}

/// What domain 0 does with grants.
extension GrantTables {
  public func mapForHost(_ reference: UInt32, of domain: UInt16, readOnly: Bool = false) throws(GrantStatus) -> HostMapping {
    try counted { () throws(GrantStatus) in
      let granter = try table(domain)
      let machine = try acquire(reference, of: granter, by: DomainNumber.host, readOnly: readOnly, plain: true)
      guard let mapping = HostMapping(machine: machine, memory: pool.memory, readOnly: readOnly, grant: (granter, reference)) else {
        release(reference, of: granter, machine: machine, readOnly: readOnly)
        throw .generalError
      }
      statistics.maps &+= 1
      return mapping
    }
  }

  /// A page that a domain shares by telling its number: the rings of console and XenStore, frame buffers.
  public func mapFrameForHost(_ frame: UInt64, of domain: UInt16) throws(GrantStatus) -> HostMapping {
    try counted { () throws(GrantStatus) in
      guard let machine = machine(frame, of: try table(domain)),
        let mapping = HostMapping(machine: machine, memory: pool.memory, readOnly: false, grant: nil)
      else { throw .badPage }
      pool.hold(machine)
      statistics.maps &+= 1
      return mapping
    }
  }

  public func unmapForHost(_ mapping: HostMapping) {
    guard mapping.isMapped else { return }
    mapping.isMapped = false
    statistics.unmaps &+= 1
    if let grant = mapping.grant {
      release(grant.reference, of: grant.table, machine: mapping.machine, readOnly: mapping.isReadOnly)
    } else {
      pool.letGo(mapping.machine)
    }
  }

  /// Where domain 0 copies from or to: a granted frame and an offset in it.
  public struct HostCopyEnd: Equatable, Sendable {
    public var reference: UInt32
    public var domain: UInt16
    public var offset: Int
    public init(_ reference: UInt32, of domain: UInt16, offset: Int) {
      (self.reference, self.domain, self.offset) = (reference, domain, offset)
    }
  }

  public func copyForHost(from source: HostCopyEnd, count: Int) throws(GrantStatus) -> [UInt8] {
    var bytes: [UInt8] = []
    try withHostCopy(source, count: count, readOnly: true) { bytes = $0.copyOut(source.offset, count: count) }
    return bytes
  }

  public func copyForHost(to destination: HostCopyEnd, _ bytes: [UInt8]) throws(GrantStatus) {
    try withHostCopy(destination, count: bytes.count, readOnly: false) { page in
      bytes.withUnsafeBytes { page.copyIn(destination.offset, $0) }
    }
  }

  private func withHostCopy(
    _ end: HostCopyEnd, count: Int, readOnly: Bool, _ body: (HostMapping) -> Void
  ) throws(GrantStatus) {
    try counted { () throws(GrantStatus) in
      guard end.offset >= 0, count >= 0, count <= Int(FramePool.frameSize), end.offset <= Int(FramePool.frameSize) - count else {
        throw .badCopyArgument
      }
      let granter = try table(end.domain)
      let machine = try acquire(end.reference, of: granter, by: DomainNumber.host, readOnly: readOnly, plain: false)
      defer { release(end.reference, of: granter, machine: machine, readOnly: readOnly) }
      guard let page = HostMapping(machine: machine, memory: pool.memory, readOnly: readOnly, grant: nil) else {
        throw .generalError
      }
      body(page)
      statistics.copies &+= 1
      statistics.copiedBytes &+= UInt64(count)
    }
  }
}
