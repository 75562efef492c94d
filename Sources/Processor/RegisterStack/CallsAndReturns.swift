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

  /// Moves up to eight visible registers from r(32 + from) on. Up to four are moved as four: what is above a frame has no meaning.
  @inline(__always) private func slide(from: Int, to: Int, count: Int) {
    let source = UnsafeRawPointer(state.gr + 32 + from)
    let target = UnsafeMutableRawPointer(state.gr + 32 + to)
    if count <= 4 && from | to <= 92 {
      target.storeBytes(of: source.loadUnaligned(as: Four.self), as: Four.self)
    } else if count >= 4 {
      // They overlap, in themselves and with where they come from.
      let last = (count &- 4) &* 8
      let (first, second) = (source.loadUnaligned(as: Four.self), (source + last).loadUnaligned(as: Four.self))
      target.storeBytes(of: first, as: Four.self)
      (target + last).storeBytes(of: second, as: Four.self)
    } else {
      // From or to the last registers of all: nothing overlaps.
      for n in stride(from: 0, to: count, by: 1) { state.gr[32 + to + n] = state.gr[32 + from + n] }
    }
  }

  /// Copies `count` words, the last of them twice if they are none of the sizes. Here, and not by the library, calls and returns call nobody,
  /// and need not keep registers of the host's.
  @inline(__always)
  private func copy(_ target: UnsafeMutablePointer<UInt64>, _ source: UnsafeMutablePointer<UInt64>, count: Int) {
    if count >= 16 {
      let last = count &- 16
      var n = 0
      repeat {
        move(SIMD16<UInt64>.self, target + n, source + n)
        n &+= 16
      } while n < last
      move(SIMD16<UInt64>.self, target + last, source + last)
    } else if count >= 8 {
      move(SIMD8<UInt64>.self, target, source)
      move(SIMD8<UInt64>.self, target + (count &- 8), source + (count &- 8))
    } else if count >= 4 {
      move(Four.self, target, source)
      move(Four.self, target + (count &- 4), source + (count &- 4))
    } else if count >= 2 {
      move(SIMD2<UInt64>.self, target, source)
      move(SIMD2<UInt64>.self, target + (count &- 2), source + (count &- 2))
    } else if count == 1 {
      target.pointee = source.pointee
    }
  }

  /// br.call: PFS, and the frame.
  @inline(never) func call() {
    let s = state
    let (sof, sol, bottom) = (s.pointee.sof, s.pointee.sol, s.pointee.bottomOfFrame)
    let outputs = sof &- sol
    guard isPlain, bottom &+ sol < 96, outputs <= 8 else { return callInGeneral() }
    s.ar[AR.pfs] =
      UInt64(truncatingIfNeeded: sof | sol &<< 7 | s.pointee.sor &<< 14) | s.ar[AR.ec] &<< 52 | PSR.cpl(s.pointee.psr) &<< 62
    copy(s.stacked + bottom, s.gr + 32, count: sol)
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
    let outputs = sof &- preserved
    // The caller had not rotated its frame either. None of the four may be negative: it would be a malformed PFS, a frame that does not fit or is
    // not in the file as a whole, or one that lies across its end.
    guard isPlain, pfs &>> 18 & 0xF_FFFF == 0, outputs | bottom | dirty | room >= 0, outputs <= 8 else {
      return returnInGeneral(pfs)
    }
    s.ar[AR.ec] = pfs &>> 52 & 0x3F
    s.pointee.bottomOfFrame = bottom
    s.pointee.dirty = dirty
    s.pointee.bsp = BackingStore.retreat(s.pointee.bsp, preserved)
    slide(from: 0, to: preserved, count: outputs)
    copy(s.gr + 32, s.stacked + bottom, count: preserved)
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

private typealias Four = SIMD4<UInt64>

@inline(__always)
private func move<T>(_: T.Type, _ target: UnsafeMutablePointer<UInt64>, _ source: UnsafeMutablePointer<UInt64>) {
  UnsafeMutableRawPointer(target).storeBytes(of: UnsafeRawPointer(source).loadUnaligned(as: T.self), as: T.self)
}
