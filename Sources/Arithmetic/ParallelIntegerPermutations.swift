/// Instructions that rearrange elements: mix, unpack, pack, mux; and czx, which looks for one.
extension ParallelInteger {
  /// mix: alternates the left (odd, counted from the right) or right elements of r2 and r3; r2's come first.
  public static func mix(_ r2: UInt64, _ r3: UInt64, _ size: Int, left: Bool) -> UInt64 {
    let bits = UInt64(truncatingIfNeeded: size &* 8)
    let right: UInt64 = size == 1 ? 0x00FF_00FF_00FF_00FF : size == 2 ? 0x0000_FFFF_0000_FFFF : 0xFFFF_FFFF
    return left ? r2 & ~right | r3 &>> bits & right : (r2 & right) &<< bits | r3 & right
  }

  /// unpack: alternates all elements of the high or low halves; r2's are the more significant ones.
  public static func unpack(_ r2: UInt64, _ r3: UInt64, _ size: Int, high: Bool) -> UInt64 {
    let bits = UInt64(truncatingIfNeeded: size &* 8)
    let mask = elementMask(bits)
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 32 {
      let source = shift &+ (high ? 32 : 0)
      result |= (r3 &>> source & mask) &<< (2 &* shift)
      result |= (r2 &>> source & mask) &<< (2 &* shift &+ bits)
      shift &+= bits
    }
    return result
  }

  /// pack2, pack4: signed elements of `size` bytes saturated to half the size; those of r2 in the low half.
  public static func pack(_ r2: UInt64, _ r3: UInt64, _ size: Int, unsigned: Bool) -> UInt64 {
    narrow(r2, size, unsigned) | narrow(r3, size, unsigned) << 32
  }

  @inline(__always)
  private static func narrow(_ source: UInt64, _ size: Int, _ unsigned: Bool) -> UInt64 {
    let half = UInt64(truncatingIfNeeded: size &* 4)
    var result: UInt64 = 0
    var target: UInt64 = 0
    while target < 32 {
      let element = signed(Int64(bitPattern: source &>> (2 &* target)), size)
      let value = unsigned ? clampUnsigned(element, size / 2) : clampSigned(element, size / 2)
      result |= (UInt64(bitPattern: value) & elementMask(half)) &<< target
      target &+= half
    }
    return result
  }

  /// mux1: @brcst 0, @mix 8, @shuf 9, @alt 0xA, @rev 0xB.
  public static func mux1(_ r2: UInt64, _ type: UInt64) -> UInt64 {
    // Source byte of each result byte, four bits each, the most significant byte first.
    let order: UInt64
    switch type {
    case 0x8: order = 0x7351_6240
    case 0x9: order = 0x7362_5140
    case 0xA: order = 0x7531_6420
    case 0xB: return r2.byteSwapped
    default: return (r2 & 0xFF) &* 0x0101_0101_0101_0101
    }
    var result: UInt64 = 0
    var target: UInt64 = 0
    while target < 8 {
      let source = order &>> (4 &* target) & 0xF
      result |= (r2 &>> (8 &* source) & 0xFF) &<< (8 &* target)
      target &+= 1
    }
    return result
  }

  /// mux2: two bits of mhtype8 choose the source of each element.
  public static func mux2(_ r2: UInt64, _ type: UInt64) -> UInt64 {
    var result: UInt64 = 0
    var target: UInt64 = 0
    while target < 4 {
      let source = type &>> (2 &* target) & 3
      result |= (r2 &>> (16 &* source) & 0xFFFF) &<< (16 &* target)
      target &+= 1
    }
    return result
  }

  /// czx1, czx2: index of the first zero element from the left or the right; the number of elements if there is none.
  public static func countZeros(_ r3: UInt64, _ size: Int, left: Bool) -> UInt64 {
    let bits = UInt64(truncatingIfNeeded: size &* 8)
    let elements = 64 / bits
    var index: UInt64 = 0
    while index < elements {
      let position = left ? elements &- 1 &- index : index
      if r3 &>> (position &* bits) & elementMask(bits) == 0 { break }
      index &+= 1
    }
    return index
  }
}
