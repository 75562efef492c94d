/// How the processor sees the planes through the window at A0000: the graphics controller's and the sequencer's part of a VGA.
struct VGAWindow {
  /// Offset into what the window shows; nil: nothing is there. Bits 3:2 of the graphics controller's miscellaneous register.
  private static func offset(_ address: Int, _ r: VGARegisters) -> Int? {
    switch r.graphics[VGARegisters.Graphics.miscellaneous] >> 2 & 3 {
    case 0: address
    case 1: address < 0x10000 ? address : nil
    case 2: 0x10000..<0x18000 ~= address ? address - 0x10000 : nil
    default: address >= 0x18000 ? address - 0x18000 : nil
    }
  }

  private static func isChained(_ r: VGARegisters) -> Bool { r.sequencer[VGARegisters.Sequencer.memoryMode] & 8 != 0 }

  /// `address`: from A0000 on.
  static func read(_ address: Int, _ r: inout VGARegisters, _ memory: VGAMemory) -> UInt8 {
    guard let offset = offset(address, r) else { return 0xFF }
    if r.extensions.isEnabled { return memory.bytes[(Int(r.extensions.bank) << 16 + (offset & 0xFFFF)) & (VGAMemory.size - 1)] }
    // The planes of one address are addresses that follow each other.
    if isChained(r) { return memory.bytes[offset & 0x3FFFF] }
    let mode = r.graphics[VGARegisters.Graphics.mode]
    if mode & 0x10 != 0 {
      // Even addresses are in even planes, odd ones in odd planes.
      let plane = Int(r.graphics[VGARegisters.Graphics.readMap]) & 2 | offset & 1
      return memory.bytes[4 * (offset >> 1 & 0xFFFF) + plane]
    }
    r.latches = memory.planes(offset & 0xFFFF)
    guard mode & 8 != 0 else {
      return UInt8(truncatingIfNeeded: r.latches >> UInt32(8 * (r.graphics[VGARegisters.Graphics.readMap] & 3)))
    }
    // Bits whose colour is the one that is looked for.
    let difference = r.latches ^ spread(r.graphics[VGARegisters.Graphics.colorCompare])
    let cared = difference & spread(r.graphics[VGARegisters.Graphics.colorDontCare])
    return ~UInt8(truncatingIfNeeded: cared | cared >> 8 | cared >> 16 | cared >> 24)
  }

  static func write(_ address: Int, _ value: UInt8, _ r: inout VGARegisters, _ memory: VGAMemory) {
    guard let offset = offset(address, r) else { return }
    if r.extensions.isEnabled {
      return memory.write((Int(r.extensions.bank) << 16 + (offset & 0xFFFF)) & (VGAMemory.size - 1), size: 1, UInt64(value))
    }
    let mask = r.sequencer[VGARegisters.Sequencer.mapMask]
    if isChained(r) {
      if mask >> UInt8(offset & 3) & 1 != 0 { memory.write(offset & 0x3FFFF, size: 1, UInt64(value)) }
      return
    }
    if r.sequencer[VGARegisters.Sequencer.memoryMode] & 4 == 0 {
      // Odd and even planes, as text modes use them.
      let planes: UInt8 = offset & 1 == 0 ? 0b0101 : 0b1010
      return memory.setPlanes(offset >> 1 & 0xFFFF, UInt32(value) * 0x0101_0101, mask: mask & planes)
    }
    memory.setPlanes(offset & 0xFFFF, combine(value, r), mask: mask)
  }

  /// Write modes 0 to 3.
  private static func combine(_ value: UInt8, _ r: VGARegisters) -> UInt32 {
    typealias G = VGARegisters.Graphics
    let rotation = r.graphics[G.rotate]
    func rotated() -> UInt8 { value >> (rotation & 7) | UInt8(truncatingIfNeeded: UInt16(value) << UInt16(8 - (rotation & 7))) }
    var bits = r.graphics[G.bitMask]
    var data: UInt32
    switch r.graphics[G.mode] & 3 {
    case 0:
      let enabled = spread(r.graphics[G.enableSetReset])
      data = UInt32(rotated()) * 0x0101_0101 & ~enabled | spread(r.graphics[G.setReset]) & enabled
    case 1: return r.latches
    case 2: data = spread(value)
    default:
      bits &= rotated()
      data = spread(r.graphics[G.setReset])
    }
    switch rotation >> 3 & 3 {
    case 1: data &= r.latches
    case 2: data |= r.latches
    case 3: data ^= r.latches
    default: break
    }
    let selected = UInt32(bits) * 0x0101_0101
    return data & selected | r.latches & ~selected
  }

  /// Bit n becomes all of byte n.
  private static func spread(_ bits: UInt8) -> UInt32 {
    (0..<4).reduce(0) { $0 | (bits >> UInt8($1) & 1 != 0 ? 0xFF << UInt32(8 * $1) : 0) }
  }
}
