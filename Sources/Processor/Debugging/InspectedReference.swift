/// What a reference to an address would meet now, found without changing anything: no fault, no insertion, no access bit.
///
/// The order is that of ``LogicalProcessor/translate(_:size:_:)`` and ``LogicalProcessor/translateFetch(_:)``; those stop at the first fault, this
/// goes on and lists what it has hidden.
public struct InspectedReference: Sendable {
  public enum Access: String, Sendable, CaseIterable { case read, write, execute }

  /// Where the translation stands.
  public enum Route: Sendable, Equatable {
    case register(Int)
    case cache
    /// The walker would insert it.
    case table
  }

  /// What the walker of the VHPT does about it.
  public enum Walk: Sendable, Equatable {
    /// Not asked: the TLB has it.
    case unneeded
    /// Switched off, by these bits.
    case off([String])
    /// The page of the table itself is not in the data TLB.
    case unmapped
    /// It gives up.
    case aborted(WalkObstacle)
    case found
  }

  public var address: UInt64
  public var access: Access
  public var privilege: UInt64
  /// False: the address is physical.
  public var isTranslated = true
  public var regionRegister: UInt64 = 0
  public var rid: UInt32 = 0
  public var route: Route?
  public var walk = Walk.unneeded
  /// PTA, the address of the entry that the walker reads, its words as far as they can be read.
  public var tableControl: UInt64 = 0
  public var tableEntry: UInt64 = 0
  public var tableWords: [UInt64] = []
  public var page: Translation?
  /// The protection key register that has the page's key.
  public var keyRegister: Int?
  /// Keys are looked at: PSR.pk.
  public var checksKeys = false
  /// The first is what would be raised; the others are hidden behind it.
  public var faults: [Vector] = []
  /// Where it leads; a fault may keep the reference from getting there.
  public var physical: UInt64?
  /// Of that reference: write-back if not.
  public var attribute: UInt8 = 0
}

extension LogicalProcessor {
  /// A reference of one byte, or a fetch of a bundle.
  ///
  /// - Parameter privilege: Nil: the current level.
  public func inspectedReference(
    _ address: UInt64, _ access: InspectedReference.Access, privilege: UInt64? = nil
  ) -> InspectedReference {
    let psr = state.pointee.psr
    let isFetch = access == .execute
    var r = InspectedReference(address: address, access: access, privilege: privilege ?? PSR.cpl(psr))
    r.isTranslated = psr & (isFetch ? PSR.it : PSR.dt) != 0
    r.checksKeys = psr & PSR.pk != 0
    guard r.isTranslated else {
      if unimplementedPhysical(address) { r.faults.append(isFetch ? .lowerPrivilegeTransfer : .generalException) }
      r.physical = address & Implementation.physicalMask
      r.attribute = address >> 63 != 0 ? MemoryAttribute.uc : MemoryAttribute.wb
      inspectBreakpoints(&r)
      return r
    }
    r.regionRegister = state.rr[Int(address >> 61)]
    r.rid = rid(address)
    if unimplementedVirtual(address) { r.faults.append(isFetch ? .lowerPrivilegeTransfer : .generalException) }
    let tlb = isFetch ? instructionTLB : dataTLB
    if let found = tlb.lookup(offset(address), r.rid) {
      r.page = found.pointee
      r.route = tlb.isRegister(found) ? .register(found - tlb.registers) : .cache
    } else {
      inspectTable(&r)
    }
    inspectPage(&r)
    inspectBreakpoints(&r)
    return r
  }

  /// The walker (``walk(_:instruction:)``), and the miss that it leaves.
  private func inspectTable(_ r: inout InspectedReference) {
    let psr = state.pointee.psr
    let pta = state.cr[CR.pta]
    let isFetch = r.access == .execute
    r.tableControl = pta
    r.tableEntry = vhptAddress(r.address)
    var off: [String] = []
    if r.regionRegister & 1 == 0 { off.append("rr\(r.address >> 61).ve") }
    if pta & 1 == 0 { off.append("PTA.ve") }
    if psr & PSR.dt == 0 { off.append("PSR.dt") }
    if isFetch && psr & PSR.ic == 0 { off.append("PSR.ic") }
    func miss(_ vector: Vector) { r.faults.append(!isFetch && psr & PSR.ic == 0 ? .dataNestedTLB : vector) }
    guard off.isEmpty else {
      r.walk = .off(off)
      return miss(isFetch ? .alternateInstructionTLB : .alternateDataTLB)
    }
    r.walk = inspectedWalk(&r)
    switch r.walk {
    case .found: r.route = .table
    case .unmapped: miss(.vhptTranslation)
    default: miss(isFetch ? .instructionTLB : .dataTLB)
    }
  }

  private func inspectedWalk(_ r: inout InspectedReference) -> InspectedReference.Walk {
    let search = searchTable(r.address)
    if search.physical != nil {
      let count = r.tableControl & 1 << 8 != 0 ? 4 : 1
      r.tableWords = (0..<count).map { search.words[$0] }
    }
    switch search.outcome {
    case .unmapped: return .unmapped
    case .obstacle(let obstacle): return .aborted(obstacle)
    case .found(let page):
      r.page = page
      return .found
    }
  }

  /// All that the translation's bits forbid, in the order of priorities.
  private func inspectPage(_ r: inout InspectedReference) {
    guard let t = r.page else { return }
    let psr = state.pointee.psr
    let isFetch = r.access == .execute
    guard t.present else { return r.faults.append(.pageNotPresent) }
    r.physical = t.physical | r.address & t.mask
    r.attribute = t.attribute
    if t.attribute == MemoryAttribute.natPage { r.faults.append(.natConsumption) }
    r.keyRegister = (0..<Implementation.protectionKeyRegisters).first {
      state.pkr[$0] & 1 != 0 && UInt32(truncatingIfNeeded: state.pkr[$0] >> 8 & 0xFF_FFFF) == t.key
    }
    if r.checksKeys {
      let disable: UInt64 = isFetch ? 8 : r.access == .write ? 2 : 4
      switch checkKey(t.key, disable) {
      case .pass: break
      case .miss: r.faults.append(isFetch ? .instructionKeyMiss : .dataKeyMiss)
      case .denied: r.faults.append(.keyPermission)
      }
    }
    let wanted = isFetch ? AccessRights.execute : r.access == .write ? AccessRights.write : AccessRights.read
    if AccessRights.granted(t.accessRights, page: UInt64(t.privilegeLevel), cpl: r.privilege) & wanted == 0 {
      r.faults.append(isFetch ? .instructionAccessRights : .dataAccessRights)
    }
    if isFetch {
      if !t.accessed && psr & PSR.ia == 0 { r.faults.append(.instructionAccessBit) }
    } else if psr & PSR.da == 0 {
      if r.access == .write && !t.dirty { r.faults.append(.dirtyBit) }
      if !t.accessed { r.faults.append(.dataAccessBit) }
    }
  }

  private func inspectBreakpoints(_ r: inout InspectedReference) {
    let psr = state.pointee.psr
    let matches =
      r.access == .execute
      ? psr & (PSR.db | PSR.id) == PSR.db && matchesInstructionBreakpoint(r.address, privilege: r.privilege)
      : psr & (PSR.db | PSR.dd) == PSR.db
        && matchesDataBreakpoint(r.address, 1, reads: r.access == .read, writes: r.access == .write, privilege: r.privilege)
    if matches { r.faults.append(.debug) }
  }
}
