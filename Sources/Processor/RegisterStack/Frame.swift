import Arithmetic
import Glibc

/// The current frame and how calls, returns and rotation move it (Volume 1, section 4.1; Volume 2, chapter 6).
///
/// The visible registers r32...r127 always lie at their names in `gr`; older frames lie in the 96-entry physical file.
/// A call copies the preserved registers out and slides the outputs down; a return does the reverse. That costs a few
/// vector moves a call and makes every register operand of every instruction a constant offset.
extension LogicalProcessor {
  /// The frame marker in PFS/IFS layout (38 bits).
  public var cfm: UInt64 {
    let p = state.pointee
    return UInt64(p.sof) | UInt64(p.sol) << 7 | UInt64(p.sor) << 14 | UInt64(p.rrbGR) << 18 | UInt64(p.rrbFR) << 25
      | UInt64(p.rrbPR) << 32
  }

  /// Sets the frame marker. The visible registers keep their physical identity: rotation is undone and redone.
  public func setCFM(_ value: UInt64) {
    rotateGR(to: 0)
    state.pointee.sof = Int(value & 0x7F)
    state.pointee.sol = Int(value >> 7 & 0x7F)
    state.pointee.sor = Int(value >> 14 & 0xF)
    rotateGR(to: Int(value >> 18 & 0x7F))
    rotateFR(to: Int(value >> 25 & 0x7F))
    rotatePR(to: Int(value >> 32 & 0x3F))
    engine.pointee.frameTop = UInt8(32 + state.pointee.sof)
  }

  // MARK: Rotation. `gr[32 + l]` shows physical l + rrb (mod size): raising rrb by one shifts the view down by one.

  func rotateGR(to rrb: Int) {
    let size = state.pointee.sor * 8
    let delta = rrb - state.pointee.rrbGR
    state.pointee.rrbGR = rrb
    if delta == 0 || size == 0 { return }
    let shift = ((delta % size) + size) % size
    if shift == 0 { return }
    let gr = state.gr + 32
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 96) { copy in
      for l in 0..<size { copy[l] = gr[(l + shift) % size] }
      for l in 0..<size { gr[l] = copy[l] }
    }
    if state.pointee.natLow >> 32 | state.pointee.natHigh != 0 {
      withUnsafeTemporaryAllocation(of: Bool.self, capacity: 96) { copy in
        for l in 0..<size { copy[l] = state.nat(UInt8(32 + (l + shift) % size)) }
        for l in 0..<size { state.setNaT(UInt8(32 + l), copy[l]) }
      }
    }
  }

  func rotateFR(to rrb: Int) {
    let shift = ((rrb - state.pointee.rrbFR) % 96 + 96) % 96
    state.pointee.rrbFR = rrb
    if shift == 0 { return }
    // Through a copy, because the two windows may overlap; register l is then what was l + shift.
    let window = state.pointee.floatWindow
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 96) { copy in
      guard let copy = copy.baseAddress else { return }
      for words in [state.floatWords, state.floatWords + StateLayout.floatElements] {
        memcpy(copy, words + window, 96 * 8)
        memcpy(words + 1088, copy + shift, (96 - shift) * 8)
        memcpy(words + 1088 + 96 - shift, copy, shift * 8)
      }
    }
    state.pointee.floatWindow = 1088
  }

  func rotatePR(to rrb: Int) {
    let shift = ((rrb - state.pointee.rrbPR) % 48 + 48) % 48
    state.pointee.rrbPR = rrb
    if shift == 0 { return }
    let pr = state.pr + 16
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { copy in
      for l in 0..<48 { copy[l] = pr[(l + shift) % 48] }
      for l in 0..<48 { pr[l] = copy[l] }
    }
  }

  /// One rotation, as br.ctop and its kin make it: every rotating register takes the name above its own.
  @inline(never) func rotateOnce() {
    let s = state
    let size = s.pointee.sor &* 8
    if size != 0 {
      let gr = s.gr + 32
      let last = gr[size &- 1]
      var l = size &- 1
      while l > 0 {
        gr[l] = gr[l &- 1]
        l &-= 1
      }
      gr[0] = last
      if s.pointee.natLow >> 32 | s.pointee.natHigh != 0 {
        let lastNaT = s.nat(UInt8(31 &+ size))
        l = size &- 1
        while l > 0 {
          s.setNaT(UInt8(32 &+ l), s.nat(UInt8(31 &+ l)))
          l &-= 1
        }
        s.setNaT(32, lastNaT)
      }
      s.pointee.rrbGR = s.pointee.rrbGR == 0 ? size &- 1 : s.pointee.rrbGR &- 1
    }
    if s.pointee.floatWindow == 32 {
      memcpy(s.floatWords + 1088, s.floatWords + 32, 96 * 8)
      memcpy(s.floatWords + 1088 + StateLayout.floatElements, s.floatWords + 32 + StateLayout.floatElements, 96 * 8)
      s.pointee.floatWindow = 1088
    }
    let window = s.pointee.floatWindow &- 1
    s.float(element: window).copy(s.float(element: window &+ 96))
    s.pointee.floatWindow = window
    s.pointee.rrbFR = s.pointee.rrbFR == 0 ? 95 : s.pointee.rrbFR &- 1
    let pr = UnsafeMutableRawPointer(s.pr + 16)
    let p63 = pr.load(fromByteOffset: 47, as: UInt8.self)
    memmove(pr + 1, pr, 47)
    pr.storeBytes(of: p63, as: UInt8.self)
    s.pointee.rrbPR = s.pointee.rrbPR == 0 ? 47 : s.pointee.rrbPR &- 1
  }

  // MARK: Physical file

  @inline(__always) private func wrap(_ index: Int) -> Int { index >= 96 ? index &- 96 : index < 0 ? index &+ 96 : index }

  @inline(__always) var noNaT: Bool { state.pointee.natLow | state.pointee.natHigh == 0 }

  private typealias Registers = UnsafeMutablePointer<UInt64>

  /// Copies `count` registers, the lowest first: four at a time, in vectors, so that the compiler adds no loops of its own, whose
  /// preparations cost more than frames are long. `to` may be below `from` and overlap it.
  @inline(__always) private func copyUpwards(_ from: Registers, _ to: Registers, _ count: Int) {
    let (from, to) = (UnsafeRawPointer(from), UnsafeMutableRawPointer(to))
    var i = 0
    while i &+ 32 <= count &* 8 {
      to.storeBytes(of: from.loadUnaligned(fromByteOffset: i, as: SIMD4<UInt64>.self), toByteOffset: i, as: SIMD4<UInt64>.self)
      i &+= 32
    }
    if count & 2 != 0 {
      to.storeBytes(of: from.loadUnaligned(fromByteOffset: i, as: SIMD2<UInt64>.self), toByteOffset: i, as: SIMD2<UInt64>.self)
      i &+= 16
    }
    if count & 1 != 0 { to.storeBytes(of: from.load(fromByteOffset: i, as: UInt64.self), toByteOffset: i, as: UInt64.self) }
  }

  /// The same, the highest first: `to` may be above `from` and overlap it.
  @inline(__always) private func copyDownwards(_ from: Registers, _ to: Registers, _ count: Int) {
    let (from, to) = (UnsafeRawPointer(from), UnsafeMutableRawPointer(to))
    var i = count &* 8
    while i >= 32 {
      i &-= 32
      to.storeBytes(of: from.loadUnaligned(fromByteOffset: i, as: SIMD4<UInt64>.self), toByteOffset: i, as: SIMD4<UInt64>.self)
    }
    if count & 2 != 0 {
      i &-= 16
      to.storeBytes(of: from.loadUnaligned(fromByteOffset: i, as: SIMD2<UInt64>.self), toByteOffset: i, as: SIMD2<UInt64>.self)
    }
    if count & 1 != 0 { to.storeBytes(of: from.load(as: UInt64.self), as: UInt64.self) }
  }

  /// Copies visible r32...r(32+count-1) into the physical file from BOF on.
  @inline(__always) private func store(_ count: Int) {
    let s = state
    let bottom = s.pointee.bottomOfFrame
    let gr = s.gr + 32
    let first = 96 &- bottom
    if count <= first {
      copyUpwards(gr, s.stacked + bottom, count)
    } else {
      copyUpwards(gr, s.stacked + bottom, first)
      copyUpwards(gr + first, s.stacked, count &- first)
    }
    if !noNaT || s.pointee.stackedNaTPossible { storeNaTs(count) }
  }

  @inline(never) private func storeNaTs(_ count: Int) {
    for i in 0..<count {
      let nat = state.nat(UInt8(32 + i))
      state.stackedNaT[wrap(state.pointee.bottomOfFrame + i)] = nat ? 1 : 0
      if nat { state.pointee.stackedNaTPossible = true }
    }
  }

  @inline(__always) private func fetch(_ count: Int) {
    let s = state
    let bottom = s.pointee.bottomOfFrame
    let gr = s.gr + 32
    let first = 96 &- bottom
    if count <= first {
      copyUpwards(s.stacked + bottom, gr, count)
    } else {
      copyUpwards(s.stacked + bottom, gr, first)
      copyUpwards(s.stacked, gr + first, count &- first)
    }
    if !noNaT || s.pointee.stackedNaTPossible { fetchNaTs(count) }
  }

  @inline(never) private func fetchNaTs(_ count: Int) {
    for i in 0..<count {
      state.setNaT(UInt8(32 + i), state.stackedNaT[wrap(state.pointee.bottomOfFrame + i)] != 0)
    }
  }

  /// Moves visible registers `from`... to `to`... (`count` of them), NaT bits included.
  @inline(__always) private func slide(from: Int, to: Int, count: Int) {
    if count <= 0 || from == to { return }
    let gr = state.gr
    if to < from { copyUpwards(gr + from, gr + to, count) } else { copyDownwards(gr + from, gr + to, count) }
    if !noNaT { slideNaTs(from: from, to: to, count: count) }
  }

  @inline(never) private func slideNaTs(from: Int, to: Int, count: Int) {
    let low = state.pointee.natLow
    let high = state.pointee.natHigh
    for i in 0..<count {
      let n = from + i
      state.setNaT(UInt8(to + i), (n < 64 ? low >> UInt64(n) : high >> UInt64(n - 64)) & 1 != 0)
    }
  }

  /// Names above the frame have no NaT bits: what leaves the frame takes none along, and what enters it brings none (the contents of
  /// new registers are undefined).
  @inline(never) func clearNaTsAboveFrame() {
    let top = UInt64(32 + state.pointee.sof)
    state.pointee.natLow &= top >= 64 ? ~0 : 1 << top &- 1
    state.pointee.natHigh &= top >= 128 ? ~0 : top <= 64 ? 0 : 1 << (top - 64) &- 1
  }

  // MARK: Frames

  /// The first `count` registers of the frame join the dirty partition (rse_preserve_frame): calls pass sol, cover passes sof.
  @inline(__always) func preserveFrame(_ count: Int) {
    let s = state
    if s.pointee.rrbGR != 0 { rotateGR(to: 0) }
    store(count)
    s.pointee.bottomOfFrame = wrap(s.pointee.bottomOfFrame &+ count)
    s.pointee.bsp = BackingStore.advance(s.pointee.bsp, count)
    s.pointee.dirty &+= count
  }

  /// br.call: locals are preserved, outputs become r32...
  @inline(__always) func callFrame() {
    let s = state
    let sol = s.pointee.sol
    preserveFrame(sol)
    let outputs = s.pointee.sof &- sol
    slide(from: 32 &+ sol, to: 32, count: outputs)
    s.pointee.sof = outputs
    s.pointee.sol = 0
    s.pointee.sor = 0
    if !noNaT { clearNaTsAboveFrame() }
    if s.pointee.rrbFR != 0 { rotateFR(to: 0) }
    if s.pointee.rrbPR != 0 { rotatePR(to: 0) }
    engine.pointee.frameTop = UInt8(truncatingIfNeeded: 32 &+ outputs)
  }

  /// The frame given by `pfm` with `preserved` registers below the current frame's bottom comes back (rse_restore_frame).
  /// False: mandatory loads have yet to be made: RSE.CFLE is set and `completeFrame()` must run.
  @inline(__always) func restoreFrame(_ pfm: UInt64, preserved: Int) -> Bool {
    let s = state
    if s.pointee.rrbGR != 0 { rotateGR(to: 0) }
    let sof = Int(pfm & 0x7F)
    let growth = sof &- preserved &- s.pointee.sof
    // "Bad PFS": the frame would not fit into the physical file (Volume 2, section 6.5.5): CFM becomes 0.
    let invalidAndClean = 96 &- s.pointee.sof &- s.pointee.dirty
    if growth > invalidAndClean { return restoreBadFrame(preserved) }
    s.pointee.bottomOfFrame = wrap(s.pointee.bottomOfFrame &- preserved)
    s.pointee.bsp = BackingStore.retreat(s.pointee.bsp, preserved)
    s.pointee.dirty &-= preserved
    slide(from: 32, to: 32 &+ preserved, count: sof &- preserved)
    fetch(preserved)
    s.pointee.sof = sof
    s.pointee.sol = Int(pfm >> 7 & 0x7F)
    s.pointee.sor = Int(pfm >> 14 & 0xF)
    engine.pointee.frameTop = UInt8(truncatingIfNeeded: 32 &+ sof)
    if !noNaT { clearNaTsAboveFrame() }
    if pfm >> 18 & 0x7F != 0 { rotateGR(to: Int(pfm >> 18 & 0x7F)) }
    if Int(pfm >> 25 & 0x7F) != s.pointee.rrbFR { rotateFR(to: Int(pfm >> 25 & 0x7F)) }
    if Int(pfm >> 32 & 0x3F) != s.pointee.rrbPR { rotatePR(to: Int(pfm >> 32 & 0x3F)) }
    // Growth took room first from invalid, then from clean registers.
    let room = 96 &- sof &- s.pointee.dirty
    if s.pointee.clean > room { s.pointee.clean = room }
    if s.pointee.dirty >= 0 { return true }
    // Into the clean partition: nothing to load unless a NaT collection lies between, which AR.RNAT must then hold.
    if s.pointee.dirty &+ s.pointee.clean >= 0 && (s.pointee.bsp ^ s.pointee.bspStore) >> 9 == 0 {
      s.pointee.clean &+= s.pointee.dirty
      s.pointee.dirty = 0
      s.pointee.bspStore = s.pointee.bsp
      return true
    }
    s.pointee.frameIncomplete = true
    return false
  }

  @inline(never) private func restoreBadFrame(_ preserved: Int) -> Bool {
    let s = state
    s.pointee.bottomOfFrame = wrap(s.pointee.bottomOfFrame - preserved)
    s.pointee.bsp = BackingStore.retreat(s.pointee.bsp, preserved)
    s.pointee.dirty -= preserved
    if s.pointee.dirty < 0 {
      s.pointee.dirty = 0
      s.pointee.clean = 0
      s.pointee.bspStore = s.pointee.bsp
    }
    s.pointee.sof = 0
    setCFM(0)
    return true
  }
}

/// Address arithmetic of the backing store: one NaT collection after every 63 registers (Volume 2, section 6.1).
public enum BackingStore {
  /// Address `count` registers above `bsp`.
  @inline(__always) public static func advance(_ bsp: UInt64, _ count: Int) -> UInt64 {
    let slot = Int(truncatingIfNeeded: bsp >> 3 & 0x3F)
    let collections = (slot &+ count) >= 63 ? (slot &+ count) / 63 : 0
    return bsp &+ UInt64(truncatingIfNeeded: (count &+ collections) &* 8)
  }
  /// Address `count` registers below `bsp`.
  @inline(__always) public static func retreat(_ bsp: UInt64, _ count: Int) -> UInt64 {
    let slot = Int(truncatingIfNeeded: bsp >> 3 & 0x3F)
    let collections = count > slot ? (62 &- slot &+ count) / 63 : 0
    return bsp &- UInt64(truncatingIfNeeded: (count &+ collections) &* 8)
  }
  /// Registers between two backing-store addresses, `low` <= `high` and both register slots or one a collection slot.
  public static func registers(from low: UInt64, to high: UInt64) -> Int {
    let words = Int(truncatingIfNeeded: high &- low) / 8
    let slot = Int(truncatingIfNeeded: low >> 3 & 0x3F)
    return words - (slot + words) / 64
  }
}
