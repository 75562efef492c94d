/// Memory references that the inline paths do not finish: software-TLB misses, misaligned and big-endian data, device memory.
extension LogicalProcessor {
  /// A plain data access at the current privilege level.
  @inline(__always) func access(_ isr: UInt64, reads: Bool, writes: Bool) -> DataAccess {
    let psr = state.pointee.psr
    return DataAccess(isr: isr, reads: reads, writes: writes, privilege: PSR.cpl(psr), translate: psr & PSR.dt != 0)
  }

  /// Alignment rules of the Itanium 2: with PSR.ac = 0 hardware completes integer accesses inside an aligned 8-byte window and
  /// FP accesses inside a 16-byte window; everything else that is misaligned faults (Volume 2, section 4.5).
  @inline(__always) func misalignmentFaults(_ address: UInt64, _ size: Int, window: UInt64 = 8) -> Bool {
    let n = UInt64(size)
    if address & (n &- 1) == 0 { return false }
    if state.pointee.psr & PSR.ac != 0 { return true }
    return (address & (window &- 1)) &+ n > window
  }

  /// Fills the software-TLB entry for a page that has just passed every check; `translated` is still what it was translated to.
  func fill(_ address: UInt64, _ host: UnsafeMutableRawPointer, readable: Bool, writable: Bool) {
    let entry = engine.pointee.dataTable + Int((address >> 12) & SoftTLB.mask)
    if engine.pointee.dataTable == softTLB.table(.never) || state.pointee.psr & (PSR.db | PSR.da | PSR.dd) != 0 { return }
    if debug != nil, isWatched(page: address) { return }
    let page = address & ~0xFFF
    let addend = Int(bitPattern: host) &- Int(truncatingIfNeeded: address)
    if entry.pointee.addend != addend || (entry.pointee.readTag != page && entry.pointee.writeTag != page) {
      entry.pointee = SoftEntry(
        readTag: SoftEntry.invalidTag, writeTag: SoftEntry.invalidTag, addend: addend, isUncacheable: false)
    }
    entry.pointee.isUncacheable =
      translated.attribute == MemoryAttribute.uc || translated.attribute == MemoryAttribute.uce
    if readable { entry.pointee.readTag = page }
    if writable && memory.pageFlags[memory.pageIndex(host)] & PhysicalMemory.holdsCode == 0 {
      entry.pointee.writeTag = page
    }
  }

  /// Reads `size` bytes (1, 2, 4, 8) as an integer load does. Second value false: a fault has been raised.
  @inline(never) func readSlow(_ address: UInt64, _ size: Int) -> (UInt64, Bool) {
    let access = access(ISR.r, reads: true, writes: false)
    guard translate(address, size: size, access) == .done else { return (0, false) }
    if misalignmentFaults(address, size) {
      return (0, raise(.unalignedReference, isr: ISR.r, address: address, itir: false))
    }
    return (readTranslated(address, size), true)
  }

  /// Reads at `translated`, filling the software TLB where that is RAM.
  func readTranslated(_ address: UInt64, _ size: Int) -> UInt64 {
    let swap = state.pointee.psr & PSR.be != 0
    let value: UInt64
    if translated.attribute != MemoryAttribute.uc || memory.host(translated.physical) != nil,
      let host = memory.host(translated.physical, count: size)
    {
      fill(address, host, readable: true, writable: false)
      switch size {
      case 1: value = UInt64(host.load(as: UInt8.self))
      case 2: value = UInt64(host.loadUnaligned(as: UInt16.self))
      case 4: value = UInt64(host.loadUnaligned(as: UInt32.self))
      default: value = host.loadUnaligned(as: UInt64.self)
      }
    } else {
      value = bus?.read(physical: translated.physical, size: size) ?? UInt64.max
    }
    return swap ? value.byteSwapped >> UInt64(64 - size * 8) : size == 8 ? value : value & (1 << UInt64(size * 8) - 1)
  }

  /// Writes `size` bytes as an integer store does. False: a fault has been raised.
  @inline(never) func writeSlow(_ address: UInt64, _ size: Int, _ value: UInt64) -> Bool {
    let access = access(ISR.w, reads: false, writes: true)
    guard translate(address, size: size, access) == .done else { return false }
    if misalignmentFaults(address, size) {
      return raise(.unalignedReference, isr: ISR.w, address: address, itir: false)
    }
    writeTranslated(address, size, value)
    return true
  }

  func writeTranslated(_ address: UInt64, _ size: Int, _ value: UInt64) {
    let swap = state.pointee.psr & PSR.be != 0
    let value = swap ? value.byteSwapped >> UInt64(64 - size * 8) : value
    if let host = memory.host(translated.physical, count: size) {
      beforeStore(host, size, translated.physical)
      switch size {
      case 1: host.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
      case 2: host.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
      case 4: host.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
      default: host.storeBytes(of: value, as: UInt64.self)
      }
      fill(address, host, readable: false, writable: true)
    } else {
      bus?.write(physical: translated.physical, size: size, value: size == 8 ? value : value & (1 << UInt64(size * 8) - 1))
      engine.pointee.limit = 0
    }
  }

  /// What every store to RAM owes: translated code on the page dies, advanced loads of these bytes lose their entries.
  @inline(__always) func beforeStore(_ host: UnsafeMutableRawPointer, _ size: Int, _ physical: UInt64) {
    let page = memory.pageIndex(host)
    if memory.pageFlags[page] & PhysicalMemory.holdsCode != 0 { memory.invalidateCode(physical & ~0xFFF, page) }
    if state.pointee.alat.filter != 0 { alatStore(host, size) }
  }

  /// Host address for a reference of up to 16 bytes whose checks (alignment aside) are to be made now; nil with `fault` raised, or nil with
  /// `translated` set and `isDevice` true where the address is not RAM.
  func resolve(_ address: UInt64, size: Int, _ access: DataAccess) -> (host: UnsafeMutableRawPointer?, ok: Bool) {
    guard translate(address, size: size, access) == .done else { return (nil, false) }
    return (memory.host(translated.physical, count: size), true)
  }
}
