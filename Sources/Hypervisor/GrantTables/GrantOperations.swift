import Processor

/// What guests do with grants.
extension GrantTables {
  /// map_grant_ref: shows a granted frame at an address of the domain `number`. What was there before is released. Returns the handle for
  /// ``unmap(_:at:by:)``, and the machine's address.
  public func map(
    _ reference: UInt32, of granting: UInt16, at address: UInt64, flags: GrantMapFlags, by number: UInt16
  ) throws(GrantStatus) -> (handle: UInt32, machineAddress: UInt64) {
    try counted { () throws(GrantStatus) in
      let mapper = try table(number)
      guard !flags.isDisjoint(with: [.host, .device]) else { throw .badReference }
      let granter = try table(granting)
      // Xen/ia64 has only one way.
      guard flags.isDisjoint(with: [.device, .application, .containsEntry]) else { throw .generalError }
      let frame = try checked(address, mapper)
      guard mapper.hasHandle else { throw .noSpace }
      let isReadOnly = flags.contains(.readOnly)
      let machine = try acquire(reference, of: granter, by: number, readOnly: isReadOnly, plain: true)
      mapper.memory?.show(machine, at: frame, readOnly: isReadOnly)
      let handle = mapper.addMapping(
        .init(granter: granter, reference: reference, machine: machine, address: address, isReadOnly: isReadOnly))
      statistics.maps &+= 1
      return (handle, UInt64(machine) << FramePool.frameShift)
    }
  }

  /// Where a domain may want to see a frame: nothing foreign is there, so that no mapping hides another one.
  private func checked(_ address: UInt64, _ mapper: GrantTable) throws(GrantStatus) -> UInt64 {
    guard address & (FramePool.frameSize - 1) == 0 else { throw .badAddress }
    guard address >> 47 == 0 else { throw .addressTooBig }
    let frame = address >> FramePool.frameShift
    guard mapper.memory?.shown(at: frame) == nil else { throw .badAddress }
    return frame
  }

  private func mapping(_ handle: UInt32, at address: UInt64, _ mapper: GrantTable) throws(GrantStatus) -> GrantTable.Mapping {
    guard let mapping = mapper.mappings[handle] else { throw .badHandle }
    guard mapping.address == address else { throw .generalError }
    return mapping
  }

  /// unmap_grant_ref. A mapping that the domain has covered with something else ends, too, with a general error.
  public func unmap(_ handle: UInt32, at address: UInt64, by number: UInt16) throws(GrantStatus) {
    try counted { () throws(GrantStatus) in
      let mapper = try table(number)
      let mapping = try mapping(handle, at: address, mapper)
      mapper.removeMapping(handle)
      statistics.unmaps &+= 1
      guard conceal(mapping, mapper) else { throw .generalError }
    }
  }

  /// unmap_and_replace: the domain's own page at `new` takes the mapping's place; none does if that is 0.
  public func unmapAndReplace(_ handle: UInt32, at address: UInt64, with new: UInt64, by number: UInt16) throws(GrantStatus) {
    guard new != 0 else { return try unmap(handle, at: address, by: number) }
    try counted { () throws(GrantStatus) in
      let mapper = try table(number)
      let mapping = try mapping(handle, at: address, mapper)
      guard let memory = mapper.memory, new & (FramePool.frameSize - 1) == 0, memory.isOwn(new >> FramePool.frameShift),
        memory.ranges.contains(where: { $0.contains(address) }),
        let page = memory.detach(new >> FramePool.frameShift)
      else { throw .badAddress }
      mapper.removeMapping(handle)
      statistics.unmaps &+= 1
      let wasShown = conceal(mapping, mapper)
      precondition(memory.attach(page, at: address >> FramePool.frameShift), "a frame of a range has a place")
      guard wasShown else { throw .generalError }
    }
  }

  /// transfer: a frame of the domain `number` goes to another one, which has an entry for it.
  public func transfer(_ frame: UInt64, to receiving: UInt16, reference: UInt32, by number: UInt16) throws(GrantStatus) {
    try counted { () throws(GrantStatus) in
      let giver = try table(number)
      // Not while somebody else has it.
      guard let machine = machine(frame, of: giver), !pool.isHeld(machine) else { throw .badPage }
      let receiver = try table(receiving)
      guard let entry = receiver.entry(reference), entry.flags == GrantEntry.Flags.acceptTransfer, entry.domain == number else {
        throw .generalError
      }
      guard let page = giver.memory?.detach(frame) else { throw .badPage }
      guard receiver.memory?.attach(page, at: UInt64(entry.frame)) == true else {
        precondition(giver.memory?.attach(page, at: frame) == true, "a frame goes back to where it was")
        throw .generalError
      }
      receiver.setFrame(reference, page)
      receiver.setFlags(reference, entry.flags | GrantEntry.Flags.transferCommitted | GrantEntry.Flags.transferCompleted)
      statistics.transfers &+= 1
    }
  }

  // MARK: Copies

  /// One side of a copy.
  public struct CopyEnd: Equatable, Sendable {
    public enum Page: Equatable, Sendable {
      case granted(UInt32)
      /// Of the caller.
      case frame(UInt64)
    }
    public var page: Page
    public var domain: UInt16
    public var offset: UInt16
    public init(_ page: Page, of domain: UInt16, offset: UInt16) { (self.page, self.domain, self.offset) = (page, domain, offset) }
  }
  public struct Copy: Equatable, Sendable {
    public var source: CopyEnd
    public var destination: CopyEnd
    public var length: UInt16
    public init(from source: CopyEnd, to destination: CopyEnd, length: UInt16) {
      (self.source, self.destination, self.length) = (source, destination, length)
    }
  }

  /// A page that a copy has got hold of, and what is to be done afterwards.
  private struct Acquired {
    let machine: UInt32
    let grant: (table: GrantTable, reference: UInt32)?
  }

  private func acquire(_ end: CopyEnd, _ caller: UInt16, readOnly: Bool) throws(GrantStatus) -> Acquired {
    let owner = try table(end.domain == DomainNumber.caller ? caller : end.domain)
    switch end.page {
    case .granted(let reference):
      let machine = try acquire(reference, of: owner, by: caller, readOnly: readOnly, plain: false)
      return Acquired(machine: machine, grant: (owner, reference))
    case .frame(let frame):
      guard let machine = machine(frame, of: owner) else { throw .generalError }
      return Acquired(machine: machine, grant: nil)
    }
  }

  private func release(_ page: Acquired, readOnly: Bool) {
    if let grant = page.grant { release(grant.reference, of: grant.table, machine: page.machine, readOnly: readOnly) }
  }

  /// copy.
  public func copy(_ copy: Copy, by caller: UInt16) throws(GrantStatus) {
    try counted { () throws(GrantStatus) in
      for end in [copy.source, copy.destination] {
        guard Int(end.offset) + Int(copy.length) <= Int(FramePool.frameSize) else { throw .badCopyArgument }
      }
      for end in [copy.source, copy.destination] {
        if case .frame = end.page, end.domain != DomainNumber.caller { throw .permissionDenied }
      }
      let source = try acquire(copy.source, caller, readOnly: true)
      defer { release(source, readOnly: true) }
      let destination = try acquire(copy.destination, caller, readOnly: false)
      defer { release(destination, readOnly: false) }
      let from = UInt64(source.machine) << FramePool.frameShift + UInt64(copy.source.offset)
      let to = UInt64(destination.machine) << FramePool.frameShift + UInt64(copy.destination.offset)
      let count = Int(copy.length)
      guard let origin = pool.memory.host(from, count: count), let target = pool.memory.host(to, count: count) else {
        throw .generalError
      }
      // Within one page the two may overlap.
      UnsafeMutableRawBufferPointer(start: target, count: count).copyMemory(
        from: UnsafeRawBufferPointer(start: origin, count: count))
      pool.memory.noteWrite(to, count: count)
      statistics.copies &+= 1
      statistics.copiedBytes &+= UInt64(count)
    }
  }
}
