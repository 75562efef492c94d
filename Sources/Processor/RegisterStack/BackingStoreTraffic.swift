/// What the register stack engine moves between the physical file and memory (Volume 2, chapter 6).
///
/// Only mandatory traffic happens: every RSC mode allows an implementation to do no eager loads and stores.
extension LogicalProcessor {
  @inline(__always) private func slot(_ address: UInt64) -> UInt64 { address >> 3 & 0x3F }

  /// Host access to one backing-store word; nil: a fault (ISR.rs set) has been raised, or the word is not RAM.
  private func backingStore(_ address: UInt64, write: Bool) -> UnsafeMutableRawPointer? {
    let psr = state.pointee.psr
    let rsc = state.ar[AR.rsc]
    let privilege = rsc >> 2 & 3
    if privilege == PSR.cpl(psr) && (psr >> 17 ^ psr >> 27) & 1 == 0 {
      let entry = engine.pointee.dataTable + Int((address >> 12) & SoftTLB.mask)
      if (write ? entry.pointee.writeTag : entry.pointee.readTag) == address & ~0xFF8 {
        let host = UnsafeMutableRawPointer(bitPattern: Int(truncatingIfNeeded: address) &+ entry.pointee.addend)
        if write, let host, state.pointee.alat.filter != 0 { alatStore(host, 8) }
        return host
      }
    }
    let access = DataAccess(
      isr: ISR.rs | (write ? ISR.w : ISR.r), reads: !write, writes: write, privilege: privilege, translate: psr & PSR.rt != 0)
    guard translate(address, size: 8, access) == .done else { return nil }
    guard let host = memory.host(translated.physical, count: 8) else {
      // Device memory as a backing store: nothing defines it. Reads as it likes, writes are lost.
      return sink
    }
    if write { beforeStore(host, 8, translated.physical) }
    if psr & (PSR.da | PSR.dd) != 0 {
      // These are good for one mandatory reference (Volume 2, table 3-2), which the software TLB must not remember.
      setPSR(psr & ~(PSR.da | PSR.dd))
    } else if privilege == PSR.cpl(psr) && (psr >> 17 ^ psr >> 27) & 1 == 0 {
      fill(address, host, readable: !write, writable: write)
    }
    return host
  }

  @inline(__always) private func storeWord(_ address: UInt64, _ value: UInt64) -> Bool {
    guard let host = backingStore(address, write: true) else { return false }
    host.storeBytes(of: state.ar[AR.rsc] & 0x10 != 0 ? value.byteSwapped : value, as: UInt64.self)
    return true
  }

  @inline(__always) private func loadWord(_ address: UInt64) -> UInt64? {
    guard let host = backingStore(address, write: false) else { return nil }
    let value = host.load(as: UInt64.self)
    return state.ar[AR.rsc] & 0x10 != 0 ? value.byteSwapped : value
  }

  /// Stores the oldest dirty register, or the NaT collection where that is due. False: fault, nothing changed.
  private func spillOne() -> Bool {
    let s = state
    let address = s.pointee.bspStore
    if slot(address) == 63 {
      guard storeWord(address, s.pointee.rnat & ~(1 << 63)) else { return false }
      s.pointee.rnat = 0
      s.pointee.bspStore = address &+ 8
      return true
    }
    var index = s.pointee.bottomOfFrame &- s.pointee.dirty
    if index < 0 { index &+= 96 }
    guard storeWord(address, s.stacked[index]) else { return false }
    let bit = UInt64(1) << slot(address)
    if s.pointee.stackedNaTPossible && s.stackedNaT[index] != 0 {
      s.pointee.rnat |= bit
    } else {
      s.pointee.rnat &= ~bit
    }
    s.pointee.bspStore = address &+ 8
    s.pointee.dirty &-= 1
    s.pointee.clean &+= 1
    return true
  }

  /// Spills until at most `limit` registers are dirty. A collection that follows the last one goes with it, so that
  /// BSPSTORE never rests on a collection slot.
  private func spill(downTo limit: Int) -> Bool {
    let first = state.pointee.bspStore
    defer { if isTimed && state.pointee.bspStore != first { notice(.stackStores, (state.pointee.bspStore &- first) >> 3) } }
    while state.pointee.dirty > limit || (slot(state.pointee.bspStore) == 63 && state.pointee.bspStore < state.pointee.bsp) {
      guard spillOne() else { return false }
    }
    return true
  }

  /// Makes room for a frame of `sof` registers (rse_new_frame). False: a mandatory store faulted; what was stored stays stored.
  @inline(__always) func newFrame(sof: Int) -> Bool {
    let s = state
    let room = 96 &- sof &- s.pointee.dirty
    if room < 0 {
      guard spill(downTo: 96 &- sof) else { return false }
    }
    let left = 96 &- sof &- s.pointee.dirty
    if s.pointee.clean > left { s.pointee.clean = left }
    s.pointee.sof = sof
    if !noNaT { clearNaTsAboveFrame() }
    engine.pointee.frameTop = UInt8(truncatingIfNeeded: 32 &+ sof)
    return true
  }

  /// flushrs. False: fault.
  public func flushRegisterStack() -> Bool { spill(downTo: 0) }

  /// Mandatory loads after br.ret or rfi: fetches what is missing of the current frame from the top down. False: a fault was
  /// raised with RSE.CFLE still set; delivery reports ISR.ir and clears it.
  @inline(never) func completeFrame() -> Bool {
    let s = state
    alatRemoveStacked()
    var loads: UInt64 = 0
    defer { if isTimed && loads != 0 { notice(.stackLoads, loads) } }
    while s.pointee.bspStore > s.pointee.bsp {
      let address = s.pointee.bspStore &- 8
      if slot(address) == 63 {
        guard let collection = loadWord(address) else { return false }
        loads &+= 1
        s.pointee.rnat = collection & ~(1 << 63)
        endDataSuppression()
      } else if s.pointee.clean > 0 {
        s.pointee.clean &-= 1
        s.pointee.dirty &+= 1
      } else {
        guard let value = loadWord(address) else { return false }
        loads &+= 1
        // Register k of the frame, by physical order; the visible name depends on the rotation.
        let k = -s.pointee.dirty - 1
        let size = s.pointee.sor * 8
        let name = UInt8(32 + (k < size ? (k - s.pointee.rrbGR + size) % size : k))
        s.gr[Int(name)] = value
        endDataSuppression()
        s.setNaT(name, s.pointee.rnat >> slot(address) & 1 != 0)
        s.pointee.dirty &+= 1
      }
      s.pointee.bspStore = address
    }
    s.pointee.frameIncomplete = false
    return true
  }

  /// PSR.da and PSR.dd hold for one mandatory reference of the register stack engine (Volume 2, section 7.1).
  @inline(__always) private func endDataSuppression() {
    let psr = state.pointee.psr
    if psr & (PSR.da | PSR.dd) != 0 { setPSR(psr & ~(PSR.da | PSR.dd)) }
  }

  /// loadrs (Volume 3). The caller has checked RSC.mode and the frame. False: fault.
  func loadRegisterStack() -> Bool {
    let s = state
    let tearPoint = s.pointee.bsp &- (s.ar[AR.rsc] >> 16 & 0x3FF8)
    alatRemoveStacked()
    if tearPoint == s.pointee.bsp && s.pointee.stackedNaTPossible {
      // Nothing but the frame is left.
      s.stackedNaT.update(repeating: 0, count: 96)
      s.pointee.stackedNaTPossible = false
    }
    s.pointee.clean = 0
    if tearPoint >= s.pointee.bspStore {
      s.pointee.dirty = BackingStore.registers(from: tearPoint, to: s.pointee.bsp)
      s.pointee.bspStore = tearPoint
      return true
    }
    let first = s.pointee.bspStore
    defer { if isTimed && s.pointee.bspStore != first { notice(.stackLoads, (first &- s.pointee.bspStore) >> 3) } }
    while s.pointee.bspStore > tearPoint {
      let address = s.pointee.bspStore &- 8
      guard let value = loadWord(address) else { return false }
      if slot(address) == 63 {
        s.pointee.rnat = value & ~(1 << 63)
      } else {
        let index = ((s.pointee.bottomOfFrame - s.pointee.dirty - 1) % 96 + 96) % 96
        s.stacked[index] = value
        let nat = s.pointee.rnat >> slot(address) & 1 != 0
        s.stackedNaT[index] = nat ? 1 : 0
        if nat { s.pointee.stackedNaTPossible = true }
        s.pointee.dirty += 1
      }
      s.pointee.bspStore = address
    }
    return true
  }

  /// mov ar.bspstore: dirty registers keep their place and move to the new address (Volume 2, section 6.5.3).
  func setBSPStore(_ value: UInt64) {
    state.pointee.bspStore = value & ~7
    state.pointee.clean = 0
    state.pointee.bsp = BackingStore.advance(value & ~7, state.pointee.dirty)
  }

  /// cover: the whole frame joins the dirty partition; in a handler IFS remembers it, unless a guest has an IFS of its own.
  func coverFrame(recording: Bool = true) {
    let old = cfm
    preserveFrame(state.pointee.sof)
    state.pointee.sof = 0
    state.pointee.sol = 0
    state.pointee.sor = 0
    if !noNaT { clearNaTsAboveFrame() }
    rotateFR(to: 0)
    rotatePR(to: 0)
    state.pointee.frameIncomplete = false
    engine.pointee.frameTop = 32
    if recording && state.pointee.psr & PSR.ic == 0 { state.cr[CR.ifs] = old | 1 << 63 }
  }
}
