import CHostAtomics
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
    if size == 16 || g.operation == .compareExchange16 {
      // The host has no such operation that all its compilers know.
      concernsOthers()
      parallel?.stopOthers()
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
    func storeValue(_ p: UnsafeMutableRawPointer, _ value: UInt64) {
      p.storeBytes(of: swap ? value.byteSwapped : value, as: UInt64.self)
    }

    /// A value as memory has it, or back.
    func ordered(_ value: UInt64) -> UInt64 { swap ? value.byteSwapped >> UInt64(64 - 8 * size) : value }

    switch g.operation {
    case .exchange:
      beforeStore(host, size, physical)
      s.gr[Int(o.d)] = ordered(epicure_exchange(host, Int32(size), ordered(s.gr[Int(o.a)])))
    case .compareExchange:
      // Memory is zero-extended and compared with all 64 bits of CCV.
      let expected = s.ar[AR.ccv]
      if size < 8 && expected >> UInt64(8 &* size) != 0 {
        s.gr[Int(o.d)] = loadValue(host, size)
        break
      }
      // Another processor may change the value between the two: an entry of the ALAT is lost for nothing, which may be, or none of the
      // engine's business was done before a store. That does no harm: who runs apart has no entries, and stores to no page with code.
      if loadValue(host, size) == expected { beforeStore(host, size, physical) }
      s.gr[Int(o.d)] = ordered(epicure_compare_exchange(host, Int32(size), ordered(expected), ordered(s.gr[Int(o.a)])))
    case .fetchAdd:
      beforeStore(host, size, physical)
      let addend = UInt64(bitPattern: o.imm)
      if !swap {
        s.gr[Int(o.d)] = epicure_fetch_add(host, Int32(size), addend)
        break
      }
      var old: UInt64
      repeat {
        old = loadValue(host, size)
      } while ordered(
        epicure_compare_exchange(host, Int32(size), ordered(old), ordered(old &+ addend))) != old
      s.gr[Int(o.d)] = old
    case .compareExchange16:
      let half = host + Int(translated.physical & 8)
      let old = loadValue(half, 8)
      if old == s.ar[AR.ccv] {
        beforeStore(host, 16, physical)
        storeValue(host, s.gr[Int(o.a)])
        storeValue(host + 8, s.ar[AR.csd])
      }
      s.gr[Int(o.d)] = old
    case .load16:
      // The lower address belongs to the general register in either byte order (Volume 3, ld, st, cmpxchg).
      s.gr[Int(o.d)] = loadValue(host, 8)
      s.ar[AR.csd] = loadValue(host + 8, 8)
    case .store16:
      beforeStore(host, 16, physical)
      storeValue(host, s.gr[Int(o.a)])
      storeValue(host + 8, s.ar[AR.csd])
    default: return illegalOperation()
    }
    return .next
  }
}
