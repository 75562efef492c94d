/// The machine's side of a guest's translations: its TLB, and the VHPT that the hypervisor keeps for it so that most misses are served by
/// the hardware walker.
extension LogicalProcessor {
  /// Where the guest's machine VHPT is mapped: the half of region 7 that guests do not have.
  private static let tableAddress: UInt64 = 0xF000_0000_0000_0000
  private static let tableRegister = 0

  /// Gives the machine a long-format VHPT of 2^`shift` bytes at `physical`, which must be aligned to its size and RAM as a whole.
  public func setMachineTable(physical: UInt64, shift: Int) {
    var t = Translation()
    t.valid = true
    t.pageShift = UInt8(shift)
    t.mask = (1 << UInt64(shift)) - 1
    t.base = offset(Self.tableAddress)
    t.physical = physical
    (t.present, t.accessed, t.dirty) = (true, true, true)
    t.rid = rid(Self.tableAddress)
    dataTLB.insertRegister(Self.tableRegister, t)
    state.cr[CR.pta] = Self.tableAddress | UInt64(shift) << 2 | 1 << 8 | 1
    clearMachineTable()
  }

  /// Loads the machine's region registers. Translations of the machine stay: region identifiers keep them apart.
  public func setMachineRegions(_ values: InlineArray<8, UInt64>) {
    standStill()
    var changed = false
    for i in 0..<8 where state.rr[i] != values[i] {
      state.rr[i] = values[i]
      changed = true
    }
    guard changed else { return }
    dataTLB.registers[Self.tableRegister].rid = rid(Self.tableAddress)
    softTLB.purgeVirtual()
    codeMapChanged()
  }

  /// Inserts what `page`, of the guest's TLB, says of `address`, for the unit of machine memory at `physical`. What fits the region's
  /// preferred page size goes to the VHPT as well.
  public func insertMachineTranslation(
    _ page: Translation, address: UInt64, physical: UInt64, instruction: Bool, inTable: Bool = true
  ) {
    standStill()
    var t = page
    let shift = min(UInt64(page.pageShift), UInt64(Self.machinePageShift))
    t.pageShift = UInt8(shift)
    t.mask = (1 << shift) - 1
    t.base = offset(address) & ~t.mask
    t.physical = physical & ~t.mask
    t.rid = rid(address)
    insertCache(t, instruction: instruction)
    let preferred = state.rr[Int(address >> 61)] >> 2 & 0x3F
    if inTable && t.present && shift == preferred { writeTable(t, address) }
  }

  /// Removes the machine's data translation of an address that no VHPT entry has, and of which nothing was remembered (a device's).
  public func dropDataTranslation(_ address: UInt64) {
    standStill()
    dataTLB.purgeCache(offset(address), offset(address), rid(address))
  }

  private func writeTable(_ t: Translation, _ address: UInt64) {
    guard let entry = tableEntry(address) else { return }
    var word = t.physical | 1 | UInt64(t.attribute) << 2 | UInt64(t.privilegeLevel) << 7 | UInt64(t.accessRights) << 9
    if t.accessed { word |= 1 << 5 }
    if t.dirty { word |= 1 << 6 }
    if t.exceptionDeferral { word |= 1 << 52 }
    entry[0] = word
    entry[1] = UInt64(t.pageShift) << 2 | UInt64(t.key) << 8
    entry[2] = vhptTag(address)
  }

  private func tableEntry(_ address: UInt64) -> UnsafeMutablePointer<UInt64>? {
    let t = dataTLB.registers[Self.tableRegister]
    guard t.valid else { return nil }
    return memory.host(t.physical | vhptAddress(address) & t.mask, count: 32)?.assumingMemoryBound(to: UInt64.self)
  }

  /// Tags of valid entries have bit 63 clear.
  private static let invalidTag: UInt64 = 1 << 63

  /// No entry of the table matches any more.
  public func clearMachineTable() {
    standStill()
    let t = dataTLB.registers[Self.tableRegister]
    guard t.valid, let table = memory.host(t.physical, count: Int(t.mask) + 1)?.assumingMemoryBound(to: UInt64.self) else { return }
    for entry in 0..<Int(t.mask + 1) / 32 { table[entry * 4 + 2] = Self.invalidTag }
  }

  /// Removes what the machine holds of a range of offsets in one of its address spaces. `region`: one through which the range is seen now, for
  /// its page size.
  public func purgeMachine(start: UInt64, last: UInt64, rid: UInt32, preferredShift shift: UInt64) {
    standStill()
    purge(start, last, rid)
    softTLB.purge(start: start, last: last)
    codeMapChanged()
    let t = dataTLB.registers[Self.tableRegister]
    guard t.valid, let table = memory.host(t.physical, count: Int(t.mask) + 1)?.assumingMemoryBound(to: UInt64.self) else { return }
    let pages = (last >> shift) - (start >> shift)
    guard pages < (t.mask + 1) / 128 else { return clearMachineTable() }
    for page in (start >> shift)...(last >> shift) {
      // As `vhptAddress` and `vhptTag` hash.
      let index = Int((page ^ UInt64(rid)) << 5 & t.mask) / 8
      let tag = (UInt64(rid) << 39 | page >> 10 & 0x7F_FFFF_FFFF) & ~(1 << 63)
      if table[index + 2] == tag { table[index + 2] = Self.invalidTag }
    }
  }

  /// Removes all translations of guests that the machine holds.
  public func purgeMachine() {
    standStill()
    instructionTLB.purgeAllCache()
    dataTLB.purgeAllCache()
    mapsChanged()
    clearMachineTable()
  }
}
