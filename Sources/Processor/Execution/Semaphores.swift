import IA64

/// xchg, cmpxchg, cmp8xchg16, fetchadd, ld16, st16 (Volume 1, section 4.4.7; Volume 3).
extension LogicalProcessor {
  func semaphore(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    let s = state
    let psr = s.pointee.psr
    let address = s.gr[Int(o.b)]
    var size = Int(g.attributes.size)
    var isr = ISR.r | ISR.w
    switch g.operation {
    case .load16:
      size = 16
      isr = ISR.r
    case .store16:
      size = 16
      isr = ISR.w
    case .compareExchange16: size = 8
    default: break
    }
    let access = access(isr, reads: isr & ISR.r != 0, writes: isr & ISR.w != 0)
    guard translate(address, size: size, access) == .done else { return .fault }
    // These never tolerate misalignment, whatever PSR.ac says.
    if address & UInt64(size - 1) != 0 {
      raise(.unalignedReference, isr: isr, address: address, itir: false)
      return .fault
    }
    let physical = g.operation == .compareExchange16 ? translated.physical & ~15 : translated.physical
    let exported = g.operation == .fetchAdd && translated.attribute == MemoryAttribute.uce
    guard translated.attribute == MemoryAttribute.wb || exported,
      let host = memory.host(physical, count: g.operation == .compareExchange16 ? 16 : size)
    else {
      raise(.unsupportedReference, isr: isr, address: address, itir: false)
      return .fault
    }
    let swap = psr & PSR.be != 0

    func loadValue(_ p: UnsafeMutableRawPointer, _ size: Int) -> UInt64 {
      switch size {
      case 1: return UInt64(p.load(as: UInt8.self))
      case 2:
        let v = p.load(as: UInt16.self)
        return UInt64(swap ? v.byteSwapped : v)
      case 4:
        let v = p.load(as: UInt32.self)
        return UInt64(swap ? v.byteSwapped : v)
      default:
        let v = p.load(as: UInt64.self)
        return swap ? v.byteSwapped : v
      }
    }
    func storeValue(_ p: UnsafeMutableRawPointer, _ size: Int, _ value: UInt64) {
      switch size {
      case 1: p.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
      case 2:
        let v = UInt16(truncatingIfNeeded: value)
        p.storeBytes(of: swap ? v.byteSwapped : v, as: UInt16.self)
      case 4:
        let v = UInt32(truncatingIfNeeded: value)
        p.storeBytes(of: swap ? v.byteSwapped : v, as: UInt32.self)
      default: p.storeBytes(of: swap ? value.byteSwapped : value, as: UInt64.self)
      }
    }

    switch g.operation {
    case .exchange:
      beforeStore(host, size, physical)
      let old = loadValue(host, size)
      storeValue(host, size, s.gr[Int(o.a)])
      s.gr[Int(o.d)] = old
    case .compareExchange:
      let old = loadValue(host, size)
      // Memory is zero-extended and compared with all 64 bits of CCV.
      if old == s.ar[AR.ccv] {
        beforeStore(host, size, physical)
        storeValue(host, size, s.gr[Int(o.a)])
      }
      s.gr[Int(o.d)] = old
    case .fetchAdd:
      beforeStore(host, size, physical)
      let old = loadValue(host, size)
      storeValue(host, size, old &+ UInt64(bitPattern: o.imm))
      s.gr[Int(o.d)] = old
    case .compareExchange16:
      let half = host + Int(translated.physical & 8)
      let old = loadValue(half, 8)
      if old == s.ar[AR.ccv] {
        beforeStore(host, 16, physical)
        storeValue(host, 8, s.gr[Int(o.a)])
        storeValue(host + 8, 8, s.ar[AR.csd])
      }
      s.gr[Int(o.d)] = old
    case .load16:
      // The lower address belongs to the general register in either byte order (Volume 3, ld, st, cmpxchg).
      s.gr[Int(o.d)] = loadValue(host, 8)
      s.ar[AR.csd] = loadValue(host + 8, 8)
    case .store16:
      beforeStore(host, 16, physical)
      storeValue(host, 8, s.gr[Int(o.a)])
      storeValue(host + 8, 8, s.ar[AR.csd])
    default: return illegalOperation()
    }
    return .next
  }
}
