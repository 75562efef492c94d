/// The register stack as Volume 1, section 4.1 describes it: an infinite stack of registers, of which a frame shows a window. There is
/// no physical file here, no dirty or clean partition, no engine; only what software can rely on.
struct RegisterStackModel {
  struct Content: Equatable {
    var value: UInt64
    var nat: Bool
  }

  /// Contents by position in the stack; a register whose contents are undefined is not in it.
  var contents: [Int: Content] = [:]
  /// Position of r32 without rotation.
  var bottom = 0
  var sof = 0
  var sol = 0
  var sor = 0
  var rrb = 0

  /// Where positions from `first` on are stored, until the next segment: what software has put into AR.BSPSTORE.
  struct Segment {
    var first: Int
    var address: UInt64
  }
  var segments: [Segment]

  init(backingStore: UInt64) { segments = [Segment(first: 0, address: backingStore)] }

  /// sof, sol, sor and rrb.gr in the layout of CFM (Volume 1, figure 3-2).
  var marker: UInt64 { UInt64(sof) | UInt64(sol) << 7 | UInt64(sor) << 14 | UInt64(rrb) << 18 }

  /// Position of the register that is called r(`32 + n`) (Volume 1, section 4.1.2: rotation renames the first sor * 8).
  func position(_ n: Int) -> Int { bottom + (n < sor * 8 ? (n + rrb) % (sor * 8) : n) }

  /// Backing-store address of a position: one after the other, but for a collection at each address with bits 8:3 all ones.
  func address(_ position: Int) -> UInt64 {
    guard let segment = segments.last(where: { $0.first <= position }) else { return 0 }
    var address = segment.address
    for _ in segment.first..<position {
      address += 8
      if address >> 3 & 0x3F == 0x3F { address += 8 }
    }
    return address
  }

  mutating func forget(from first: Int) { contents = contents.filter { $0.key < first } }

  mutating func alloc(sof newSOF: Int, sol newSOL: Int, sor newSOR: Int) {
    forget(from: bottom + min(sof, newSOF))
    (sof, sol, sor) = (newSOF, newSOL, newSOR)
  }

  mutating func call() {
    bottom += sol
    (sof, sol, sor, rrb) = (sof - sol, 0, 0, 0)
  }

  mutating func cover() {
    bottom += sof
    (sof, sol, sor, rrb) = (0, 0, 0, 0)
  }

  /// br.ret (`preserved` is sol) and rfi (`preserved` is sof) to the frame of a marker.
  mutating func restore(_ marker: UInt64, preserved: Int) {
    let top = bottom + sof
    bottom -= preserved
    sof = Int(marker & 0x7F)
    sol = Int(marker >> 7 & 0x7F)
    sor = Int(marker >> 14 & 0xF)
    rrb = Int(marker >> 18 & 0x7F)
    forget(from: min(top, bottom + sof))
  }

  /// A rotation lowers rrb by one, modulo the rotating part (Volume 3, br: rotate_regs).
  mutating func rotate() {
    if sor != 0 { rrb = rrb == 0 ? sor * 8 - 1 : rrb - 1 }
  }
}
