import Arithmetic
import IA64

/// Loads and stores that the loop does not finish inline (Volume 1, section 4.4; Volume 3, ld, ldf, ldfp, st, stf).
extension LogicalProcessor {
  /// Host address of `size` bytes if the software TLB knows the page; size must be a power of two.
  @inline(__always) func quickRead(_ address: UInt64, _ size: UInt64) -> UnsafeMutableRawPointer? {
    let entry = engine.pointee.dataTable + Int((address >> 12) & SoftTLB.mask)
    guard entry.pointee.readTag == address & (~0xFFF | (size &- 1)) else { return nil }
    return UnsafeMutableRawPointer(bitPattern: Int(truncatingIfNeeded: address) &+ entry.pointee.addend)
  }
  @inline(__always) func quickWrite(_ address: UInt64, _ size: UInt64) -> UnsafeMutableRawPointer? {
    let entry = engine.pointee.dataTable + Int((address >> 12) & SoftTLB.mask)
    guard entry.pointee.writeTag == address & (~0xFFF | (size &- 1)) else { return nil }
    let host = UnsafeMutableRawPointer(bitPattern: Int(truncatingIfNeeded: address) &+ entry.pointee.addend)
    if state.pointee.alat.filter != 0, let host { alatStore(host, Int(size)) }
    return host
  }

  /// ld8.fill: the NaT bit comes from UNAT.
  @inline(never) func loadFill(_ o: MicroOp) -> StepResult {
    let address = state.gr[Int(o.b)]
    let value: UInt64
    if let host = quickRead(address, 8) {
      value = host.load(as: UInt64.self)
    } else {
      let (slow, ok) = readSlow(address, 8)
      guard ok else { return .fault }
      value = slow
    }
    let nat = state.ar[AR.unat] >> (address >> 3 & 0x3F) & 1 != 0
    state.gr[Int(o.d)] = value
    state.setNaT(o.d, nat)
    return nat ? .exit : .next
  }

  /// st8.spill: the NaT bit goes to UNAT.
  @inline(never) func storeSpill(_ o: MicroOp) -> StepResult {
    let address = state.gr[Int(o.b)]
    if let host = quickWrite(address, 8) {
      host.storeBytes(of: state.gr[Int(o.a)], as: UInt64.self)
    } else {
      guard writeSlow(address, 8, state.gr[Int(o.a)]) else { return .fault }
    }
    let bit = UInt64(1) << (address >> 3 & 0x3F)
    if state.nat(o.a) { state.ar[AR.unat] |= bit } else { state.ar[AR.unat] &= ~bit }
    return .next
  }

  /// ld.s, ld.a, ld.sa, ld.c.clr, ld.c.nc, ld.c.clr.acq. A NaT address has been dealt with by the NaT stepper.
  @inline(never) func loadSpecial(_ o: MicroOp) -> StepResult {
    let s = state
    let size = Int(o.a)
    let address = s.gr[Int(o.b)]
    let kind = Access(rawValue: o.c) ?? .normal
    let tag = alatTag(gr: o.d)
    switch kind {
    case .checkClear, .checkClearAcquire, .checkNoClear:
      if alatContains(tag) {
        if kind != .checkNoClear { alatRemove(tag) }
        return .next
      }
      if isTimed { notice(.checkFailed, 1) }
    default: break
    }
    let speculative = kind == .speculative || kind == .speculativeAdvanced
    let advanced = kind == .advanced || kind == .speculativeAdvanced
    let enters = advanced || kind == .checkNoClear
    let entry = engine.pointee.dataTable + Int((address >> 12) & SoftTLB.mask)
    // Uncacheable memory and PSR.ed make a difference to these loads.
    if entry.pointee.readTag == address & (~0xFFF | UInt64(size &- 1)) && !entry.pointee.isUncacheable
      && s.pointee.psr & PSR.ed == 0
    {
      let host = entry.pointee.host(address)
      if enters { alatInsert(tag, host, size) }
      switch size {
      case 1: s.gr[Int(o.d)] = UInt64(host.load(as: UInt8.self))
      case 2: s.gr[Int(o.d)] = UInt64(host.load(as: UInt16.self))
      case 4: s.gr[Int(o.d)] = UInt64(host.load(as: UInt32.self))
      default: s.gr[Int(o.d)] = host.load(as: UInt64.self)
      }
      if !noNaT { s.setNaT(o.d, false) }
      return .next
    }
    if advanced { alatRemove(tag) }

    var access = access(ISR.r | (speculative ? ISR.sp : 0), reads: true, writes: false)
    access.speculative = speculative
    var outcome = translate(address, size: size, access)
    if outcome == .done && misalignmentFaults(address, size) { outcome = unaligned(address, access) }
    switch outcome {
    case .fault: return .fault
    case .deferred:
      s.gr[Int(o.d)] = 0
      s.setNaT(o.d, true)
      return .exit
    case .done: break
    }
    let uncacheable = translated.attribute == MemoryAttribute.uc || translated.attribute == MemoryAttribute.uce
    if advanced && uncacheable {
      // An advanced load from non-speculative memory makes no entry and returns zero.
      s.gr[Int(o.d)] = 0
      s.setNaT(o.d, false)
      return .next
    }
    if let host = memory.host(translated.physical, count: size) {
      if advanced || (kind == .checkNoClear && !uncacheable) { alatInsert(tag, host, size) }
    }
    s.gr[Int(o.d)] = readTranslated(address, size)
    s.setNaT(o.d, false)
    return .next
  }

  /// A load whose increment is its own target: the base is raised by the register's old value.
  @inline(never) func loadOverIncrement(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    let increment = state.gr[Int(o.a)]
    let load = MicroOp(o.tag, o.position, d: o.d, a: g.attributes.size, b: o.b, c: g.attributes.access.rawValue)
    let result = g.operation == .loadFill ? loadFill(load) : loadSpecial(load)
    if result != .fault { state.gr[Int(o.b)] &+= increment }
    return result
  }

  // MARK: Floating point

  private func markModified(_ f: UInt8) { state.pointee.psr |= f < 32 ? PSR.mfl : PSR.mfh }

  private static func bytes(_ format: FloatFormat) -> Int {
    switch format {
    case .single: 4
    case .double, .integer: 8
    case .extended: 10
    case .none: 16
    }
  }

  @inline(__always) private func unpack(_ host: UnsafeRawPointer, _ format: FloatFormat, _ swap: Bool) -> FloatRegister {
    switch format {
    case .single:
      let v = host.loadUnaligned(as: UInt32.self)
      return FloatMemory.loadSingle(swap ? v.byteSwapped : v)
    case .double:
      let v = host.loadUnaligned(as: UInt64.self)
      return FloatMemory.loadDouble(swap ? v.byteSwapped : v)
    case .integer:
      let v = host.loadUnaligned(as: UInt64.self)
      return FloatMemory.loadInteger(swap ? v.byteSwapped : v)
    case .extended:
      if swap {
        let high = host.loadUnaligned(as: UInt16.self).byteSwapped
        return FloatMemory.loadExtended(host.loadUnaligned(fromByteOffset: 2, as: UInt64.self).byteSwapped, high)
      }
      return FloatMemory.loadExtended(
        host.loadUnaligned(as: UInt64.self), host.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
    case .none:
      let a = host.loadUnaligned(as: UInt64.self)
      let b = host.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      return swap ? FloatMemory.fill(b.byteSwapped, a.byteSwapped) : FloatMemory.fill(a, b)
    }
  }

  /// Alignment that never faults: 16 for extended and whole registers.
  private func floatMisaligned(_ address: UInt64, _ size: Int, whole: Bool) -> Bool {
    let natural = UInt64(size == 10 ? 16 : size)
    if address & (natural - 1) == 0 { return false }
    if whole { return true }
    return state.pointee.psr & PSR.ac != 0 || (address & 15) + UInt64(size) > 16
  }

  @inline(never) func loadFP(_ o: MicroOp) -> StepResult {
    let s = state
    let format = o.imm != 0 ? FloatFormat.none : FloatFormat(rawValue: o.e) ?? .double
    let size = Self.bytes(format)
    let address = s.gr[Int(o.b)]
    let kind = Access(rawValue: o.c) ?? .normal
    if kind == .normal, size != 10, let host = quickRead(address, UInt64(size)) {
      s.f(o.d).value = unpack(host, format, false)
      markModified(o.d)
      return .next
    }
    let tag = alatTag(fr: o.d)
    if kind == .checkClear || kind == .checkNoClear || kind == .checkClearAcquire {
      if alatContains(tag) {
        if kind != .checkNoClear { alatRemove(tag) }
        return .next
      }
      if isTimed { notice(.checkFailed, 1) }
    }
    let speculative = kind == .speculative || kind == .speculativeAdvanced
    let advanced = kind == .advanced || kind == .speculativeAdvanced
    if advanced { alatRemove(tag) }
    switch floatTranslate(address, size, speculative, whole: format == .none) {
    case .fault: return .fault
    case .deferred:
      s.f(o.d).value = .natVal
      markModified(o.d)
      return .next
    case .done: break
    }
    let uncacheable = translated.attribute == MemoryAttribute.uc || translated.attribute == MemoryAttribute.uce
    if advanced && uncacheable {
      s.f(o.d).value = .zero
      markModified(o.d)
      return .next
    }
    guard let value = readFloat(address, size, format) else { return .fault }
    if advanced || kind == .checkNoClear && !uncacheable, let host = memory.host(translated.physical, count: size) {
      alatInsert(tag, host, size)
    }
    s.f(o.d).value = value
    markModified(o.d)
    return .next
  }

  private func floatTranslate(_ address: UInt64, _ size: Int, _ speculative: Bool, whole: Bool) -> TranslationOutcome {
    var access = access(ISR.r | (speculative ? ISR.sp : 0), reads: true, writes: false)
    access.speculative = speculative
    let outcome = translate(address, size: size, access)
    return outcome == .done && floatMisaligned(address, size, whole: whole) ? unaligned(address, access) : outcome
  }

  /// Reads at `translated`; from device memory only the formats that a bus transaction can carry.
  private func readFloat(_ address: UInt64, _ size: Int, _ format: FloatFormat) -> FloatRegister? {
    let swap = state.pointee.psr & PSR.be != 0
    if let host = memory.host(translated.physical, count: size) {
      if size != 10 { fill(address, host, readable: true, writable: false) }
      return unpack(host, format, swap)
    }
    guard size <= 8 else {
      raise(.unsupportedReference, isr: ISR.r, address: address, itir: false)
      return nil
    }
    var raw = bus?.read(physical: translated.physical, size: size) ?? UInt64.max
    return withUnsafeBytes(of: &raw) { bytes in bytes.baseAddress.map { unpack($0, format, swap) } }
  }

  @inline(never) func storeFP(_ o: MicroOp) -> StepResult {
    let s = state
    let format = o.imm != 0 ? FloatFormat.none : FloatFormat(rawValue: o.e) ?? .double
    let size = Self.bytes(format)
    let address = s.gr[Int(o.b)]
    let value = s.f(o.d).value
    if format != .none && value.isNaTVal {
      raise(.natConsumption, isr: ISR.w | 0x10)
      return .fault
    }
    if size != 10, let host = quickWrite(address, UInt64(size)) {
      pack(value, host, format, false)
      return .next
    }
    let access = access(ISR.w, reads: false, writes: true)
    guard translate(address, size: size, access) == .done else { return .fault }
    if floatMisaligned(address, size, whole: format == .none) {
      raise(.unalignedReference, isr: ISR.w, address: address, itir: false)
      return .fault
    }
    let swap = s.pointee.psr & PSR.be != 0
    if let host = memory.host(translated.physical, count: size) {
      beforeStore(host, size, translated.physical)
      pack(value, host, format, swap)
      if size != 10 { fill(address, host, readable: false, writable: true) }
      return .next
    }
    guard size <= 8 else {
      raise(.unsupportedReference, isr: ISR.w, address: address, itir: false)
      return .fault
    }
    var raw: UInt64 = 0
    withUnsafeMutableBytes(of: &raw) { bytes in
      if let p = bytes.baseAddress { pack(value, p, format, swap) }
    }
    bus?.write(physical: translated.physical, size: size, value: raw)
    engine.pointee.limit = 0
    return .next
  }

  @inline(__always)
  private func pack(_ value: FloatRegister, _ host: UnsafeMutableRawPointer, _ format: FloatFormat, _ swap: Bool) {
    switch format {
    case .single:
      let v = FloatMemory.storeSingle(value)
      host.storeBytes(of: swap ? v.byteSwapped : v, as: UInt32.self)
    case .double:
      let v = FloatMemory.storeDouble(value)
      host.storeBytes(of: swap ? v.byteSwapped : v, as: UInt64.self)
    case .integer:
      host.storeBytes(of: swap ? value.significand.byteSwapped : value.significand, as: UInt64.self)
    case .extended:
      let (low, high) = FloatMemory.storeExtended(value)
      if swap {
        host.storeBytes(of: high.byteSwapped, as: UInt16.self)
        host.storeBytes(of: low.byteSwapped, toByteOffset: 2, as: UInt64.self)
      } else {
        host.storeBytes(of: low, as: UInt64.self)
        host.storeBytes(of: high, toByteOffset: 8, as: UInt16.self)
      }
    case .none:
      let (low, high) = FloatMemory.spill(value)
      host.storeBytes(of: swap ? high.byteSwapped : low, as: UInt64.self)
      host.storeBytes(of: swap ? low.byteSwapped : high, toByteOffset: 8, as: UInt64.self)
    }
  }

  /// ldfps, ldfpd, ldfp8: two registers from one naturally aligned pair.
  func loadPair(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    let s = state
    let format = g.attributes.floatFormat
    let size = Self.bytes(format)
    let address = s.gr[Int(o.b)]
    let kind = g.attributes.access
    let tag = alatTag(fr: o.d)
    if kind == .checkClear || kind == .checkNoClear {
      if alatContains(tag) {
        if kind == .checkClear { alatRemove(tag) }
        return .next
      }
      if isTimed { notice(.checkFailed, 1) }
    }
    let speculative = kind == .speculative || kind == .speculativeAdvanced
    let advanced = kind == .advanced || kind == .speculativeAdvanced
    if advanced { alatRemove(tag) }
    var access = access(ISR.r | (speculative ? ISR.sp : 0), reads: true, writes: false)
    access.speculative = speculative
    var outcome = translate(address, size: size * 2, access)
    if outcome == .done && address & UInt64(size * 2 - 1) != 0 { outcome = unaligned(address, access) }
    switch outcome {
    case .fault: return .fault
    case .deferred:
      s.f(o.d).value = .natVal
      s.f(o.a).value = .natVal
      markModified(o.d)
      markModified(o.a)
      return .next
    case .done: break
    }
    let swap = s.pointee.psr & PSR.be != 0
    guard let host = memory.host(translated.physical, count: size * 2) else {
      raise(.unsupportedReference, isr: access.isr, address: address, itir: false)
      return .fault
    }
    let uncacheable = translated.attribute == MemoryAttribute.uc || translated.attribute == MemoryAttribute.uce
    if advanced && uncacheable {
      s.f(o.d).value = .zero
      s.f(o.a).value = .zero
    } else {
      if advanced || kind == .checkNoClear && !uncacheable { alatInsert(tag, host, size * 2) }
      s.f(o.d).value = unpack(host, format, swap)
      s.f(o.a).value = unpack(host + size, format, swap)
    }
    markModified(o.d)
    markModified(o.a)
    return .next
  }
}
