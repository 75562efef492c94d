/// Where an address leads, found without changing anything: no fault, no insertion, no access bit.
public struct InspectedTranslation: Sendable {
  /// How it was found.
  public enum Route: Sendable, Equatable {
    /// Translation is off, or the address is a physical one.
    case physical
    case register(Int)
    case cache
    /// The VHPT has it, and the TLB does not.
    case table
    /// Regions 6 and 7 of Linux, which has no tables for them.
    case identity
  }
  public var physical: UInt64
  public var route: Route
  public var page: Translation?
  public var isInstruction = false

  public init(physical: UInt64, route: Route, page: Translation? = nil, isInstruction: Bool = false) {
    (self.physical, self.route, self.page, self.isInstruction) = (physical, route, page, isInstruction)
  }
}

extension LogicalProcessor {
  /// Translates an address as data references would, then as fetches would, then as Linux does when it misses.
  public func inspectedTranslation(_ address: UInt64) -> InspectedTranslation? {
    if isPhysicalForInspection(address) {
      return InspectedTranslation(physical: address & Implementation.physicalMask, route: .physical)
    }
    if let found = inspectedInTLBs(address) { return found }
    if let page = inspectedTable(address), page.present {
      return InspectedTranslation(physical: page.physical | address & page.mask, route: .table, page: page)
    }
    return Self.identity(address)
  }

  /// With PSR.dt = 0 an address is physical, unless it has bits that none has: then somebody means a virtual one all the same, with the
  /// translation switched off for a moment.
  private func isPhysicalForInspection(_ address: UInt64) -> Bool {
    state.pointee.psr & PSR.dt == 0 && !unimplementedPhysical(address)
  }

  private func inspectedInTLBs(_ address: UInt64) -> InspectedTranslation? {
    for (tlb, isInstruction) in [(dataTLB, false), (instructionTLB, true)] {
      guard let found = tlb.lookup(offset(address), rid(address)), found.pointee.present else { continue }
      let page = found.pointee
      let route: InspectedTranslation.Route = tlb.isRegister(found) ? .register(found - tlb.registers) : .cache
      return InspectedTranslation(
        physical: page.physical | address & page.mask, route: route, page: page, isInstruction: isInstruction)
    }
    return nil
  }

  private static func identity(_ address: UInt64) -> InspectedTranslation? {
    guard address >> 61 >= 6 else { return nil }
    let physical = address & 0x1FFF_FFFF_FFFF_FFFF
    guard physical & ~Implementation.physicalMask == 0 else { return nil }
    return InspectedTranslation(physical: physical, route: .identity)
  }

  /// What the walker would find. Nil: nothing, or it is switched off.
  public func inspectedTable(_ address: UInt64) -> Translation? {
    let rr = state.rr[Int(address >> 61)]
    guard rr & 1 != 0, let entry = inspectedTableEntry(address) else { return nil }
    let isLong = state.cr[CR.pta] & 1 << 8 != 0
    if isLong, entry.words[2] != vhptTag(address) { return nil }
    return makeTranslation(entry.words[0], itir: isLong ? entry.words[1] : rr & 0xFFFF_FFFC, address: address)
  }

  /// The entry for an address: where it is, and its one or four words. Nil: the table is not mapped, or there is none.
  public func inspectedTableEntry(_ address: UInt64) -> (address: UInt64, physical: UInt64, words: [UInt64])? {
    guard state.cr[CR.pta] & 1 != 0 else { return nil }
    let entry = vhptAddress(address)
    guard let physical = (inspectedInTLBs(entry) ?? Self.identity(entry))?.physical else { return nil }
    let count = state.cr[CR.pta] & 1 << 8 != 0 ? 4 : 1
    guard let host = tableHost(physical, count: count * 8) else { return nil }
    let swap = state.cr[CR.dcr] & DCR.be != 0
    let words = (0..<count).map { n in
      let word = host.loadUnaligned(fromByteOffset: n * 8, as: UInt64.self)
      return swap ? word.byteSwapped : word
    }
    return (entry, physical, words)
  }

  /// What is in the TLB: registers with their numbers, then the cache.
  public func inspectedTLB(instruction: Bool) -> [(register: Int?, translation: Translation)] {
    let tlb = instruction ? instructionTLB : dataTLB
    let registers = (0..<TLB.registerCount).map { (register: Int?.some($0), translation: tlb.registers[$0]) }
    let cache = (0..<TLB.sets * TLB.ways).map { (register: Int?.none, translation: tlb.cache[$0]) }
    return (registers + cache).filter(\.translation.valid)
  }

  /// Runs `body` with the guest's registers and translations in the place of the processor's, and leaves everything as it was. Without a
  /// guest, or while one is presented, on what is there.
  public func inspecting<T>(_ g: GuestContext?, _ body: () throws -> T) rethrows -> T {
    guard let g, guest == nil else { return try body() }
    let (processor, context) = (state.pointee, engine.pointee)
    // What the guest sees of itself: the first page of a VPD, or the whole of the registers that it shares.
    let shared = UnsafeMutableRawPointer(g.descriptor.pointer(0))
    let copy = UnsafeMutableRawPointer.allocate(byteCount: ParavirtualRegisters.size, alignment: 16)
    copy.copyMemory(from: shared, byteCount: ParavirtualRegisters.size)
    let mask = g.paravirtual?.mask.pointee
    present(g)
    defer {
      conceal(g)
      (state.pointee, engine.pointee) = (processor, context)
      shared.copyMemory(from: copy, byteCount: ParavirtualRegisters.size)
      if let mask { g.paravirtual?.mask.pointee = mask }
      copy.deallocate()
    }
    return try body()
  }
}

extension LogicalProcessor {
  /// The same as ``inspecting(_:_:)``, with all translation switches on.
  public func inspectingMapped<T>(_ body: () -> T) -> T {
    let psr = state.pointee.psr
    state.pointee.psr |= PSR.it | PSR.dt | PSR.rt
    defer { state.pointee.psr = psr }
    return body()
  }
}
