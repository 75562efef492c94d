import Glibc

/// br.call and br.ret, their effect on PFS and the frame included. Mostly nothing has rotated, no register of the stack has a NaT bit, and the frame
/// does not lie across the end of the physical file; then two copies and some sums are all there is to do. Everything else is in `Frame.swift`.
extension LogicalProcessor {
  /// Nothing rotates, and neither visible registers nor those in the file have NaT bits.
  @inline(__always) private var isPlain: Bool {
    let s = state
    return UInt64(truncatingIfNeeded: s.pointee.rrbGR | s.pointee.rrbFR | s.pointee.rrbPR) | s.pointee.natLow | s.pointee.natHigh
      == 0
      && !s.pointee.stackedNaTPossible
  }

  /// Moves `count` visible registers from r(32 + from) on. Up to four are moved as four: what is above a frame has no meaning.
  @inline(__always) private func slide(from: Int, to: Int, count: Int) {
    let gr = state.gr + 32
    if count <= 4 && from | to <= 92 {
      let four = UnsafeRawPointer(gr + from).loadUnaligned(as: SIMD4<UInt64>.self)
      UnsafeMutableRawPointer(gr + to).storeBytes(of: four, as: SIMD4<UInt64>.self)
    } else {
      memmove(gr + to, gr + from, count &* 8)
    }
  }

  /// br.call: PFS, and the frame.
  @inline(never) func call() {
    let s = state
    let (sof, sol, bottom) = (s.pointee.sof, s.pointee.sol, s.pointee.bottomOfFrame)
    let outputs = sof &- sol
    guard isPlain, bottom &+ sol < 96 else { return callInGeneral() }
    s.ar[AR.pfs] =
      UInt64(truncatingIfNeeded: sof | sol &<< 7 | s.pointee.sor &<< 14) | s.ar[AR.ec] &<< 52 | PSR.cpl(s.pointee.psr) &<< 62
    memcpy(s.stacked + bottom, s.gr + 32, sol &* 8)
    slide(from: sol, to: 0, count: outputs)
    s.pointee.bottomOfFrame = bottom &+ sol
    s.pointee.bsp = BackingStore.advance(s.pointee.bsp, sol)
    s.pointee.dirty &+= sol
    (s.pointee.sof, s.pointee.sol, s.pointee.sor) = (outputs, 0, 0)
    engine.pointee.frameTop = UInt8(truncatingIfNeeded: 32 &+ outputs)
  }

  @inline(never) private func callInGeneral() {
    let s = state
    s.ar[AR.pfs] = cfm | s.ar[AR.ec] << 52 | PSR.cpl(s.pointee.psr) << 62
    callFrame()
  }

  /// br.ret: the frame that PFS describes comes back. False: there are loads to be made, NaT bits have come, or privilege is to be lowered.
  @inline(never) func returnFrame() -> Bool {
    let s = state
    let pfs = s.ar[AR.pfs]
    let sof = Int(pfs & 0x7F)
    let preserved = Int(pfs &>> 7 & 0x7F)
    let bottom = s.pointee.bottomOfFrame &- preserved
    let dirty = s.pointee.dirty &- preserved
    let room = 96 &- sof &- dirty
    // The caller had not rotated its frame either. None of the four may be negative: it would be a malformed PFS, a frame that does not fit or is
    // not in the file as a whole, or one that lies across its end.
    guard isPlain, pfs &>> 18 & 0xF_FFFF == 0, (sof &- preserved) | bottom | dirty | room >= 0 else { return returnInGeneral(pfs) }
    s.ar[AR.ec] = pfs &>> 52 & 0x3F
    s.pointee.bottomOfFrame = bottom
    s.pointee.dirty = dirty
    s.pointee.bsp = BackingStore.retreat(s.pointee.bsp, preserved)
    slide(from: 0, to: preserved, count: sof &- preserved)
    memcpy(s.gr + 32, s.stacked + bottom, preserved &* 8)
    (s.pointee.sof, s.pointee.sol, s.pointee.sor) = (sof, preserved, Int(pfs &>> 14 & 0xF))
    // Growth took room first from invalid, then from clean registers.
    if s.pointee.clean > room { s.pointee.clean = room }
    engine.pointee.frameTop = UInt8(truncatingIfNeeded: 32 &+ sof)
    return pfs &>> 62 <= PSR.cpl(s.pointee.psr)
  }

  @inline(never) private func returnInGeneral(_ pfs: UInt64) -> Bool {
    let s = state
    s.ar[AR.ec] = pfs >> 52 & 0x3F
    let complete = restoreFrame(pfs & 0x3F_FFFF_FFFF, preserved: Int(pfs >> 7 & 0x7F))
    return complete && noNaT && pfs >> 62 <= PSR.cpl(s.pointee.psr)
  }
}
