import Arithmetic
import IA64
import Processor

/// Loads and stores at addresses that the hardware does not take: the kernel makes the reference in small pieces and goes on.
extension UserProcess {
  func unalignedReference(_ fault: PendingInterruption) {
    // A speculative load is deferred instead: its target becomes NaT.
    if fault.isr & ISR.sp != 0 {
      processor.setPSR(processor.state.pointee.psr | PSR.ed)
      return
    }
    guard !signalsUnaligned, let instruction = currentInstruction() else { return signalUnaligned(fault) }
    do throws(SystemError) {
      guard try emulate(instruction) else { return signalUnaligned(fault) }
    } catch {
      let code = space.area(at: fault.ifa) == nil ? SignalCode.mapError : SignalCode.accessError
      return force(.fault(Signal.segmentation, code: code, fault, address: fault.ifa))
    }
    skipInstruction()
  }

  private func signalUnaligned(_ fault: PendingInterruption) {
    force(.fault(Signal.bus, code: SignalCode.busAlignment, fault, address: fault.ifa))
  }

  /// False for what cannot be made in pieces: semaphores, fills and spills.
  private func emulate(_ i: Instruction) throws(SystemError) -> Bool {
    let s = processor.state
    let address = s.gr[Int(i.r3)]
    let size = Int(i.attributes.size)
    switch i.operation {
    case .load:
      let bytes = try ordered(space.read(address, count: size))
      s.gr[Int(i.r1)] = Self.integer(bytes)
      s.setNaT(i.r1, false)
    case .store:
      try space.write(address, ordered(Self.bytes(s.gr[Int(i.r2)], size)))
    case .loadFP:
      setFloat(i.f1, Self.unpack(try ordered(space.read(address, count: size)), i.attributes.floatFormat))
    case .loadFPPair:
      let first = try ordered(space.read(address, count: size))
      let second = try ordered(space.read(address &+ UInt64(size), count: size))
      setFloat(i.f1, Self.unpack(first, i.attributes.floatFormat))
      setFloat(i.f2, Self.unpack(second, i.attributes.floatFormat))
    case .storeFP:
      try space.write(address, ordered(Self.pack(s.f(i.f2).value, i.attributes.floatFormat)))
    default:
      return false
    }
    s.pointee.alat = ALAT()
    switch i.attributes.update {
    case .none: break
    case .register:
      s.gr[Int(i.r3)] = address &+ s.gr[Int(i.r2)]
      if s.nat(i.r2) { s.setNaT(i.r3, true) }
    case .immediate:
      s.gr[Int(i.r3)] = address &+ UInt64(bitPattern: i.immediate)
    }
    return true
  }

  /// Little-endian order of what memory holds under PSR.be.
  private func ordered(_ bytes: [UInt8]) -> [UInt8] {
    processor.state.pointee.psr & PSR.be != 0 ? bytes.reversed() : bytes
  }

  private func setFloat(_ f: UInt8, _ value: FloatRegister) {
    let s = processor.state
    s.f(f).value = value
    processor.setPSR(s.pointee.psr | (f < 32 ? PSR.mfl : PSR.mfh))
  }

  private static func integer(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var value: UInt64 = 0
    for (index, byte) in bytes.enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
    return value
  }

  private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  private static func unpack(_ bytes: [UInt8], _ format: FloatFormat) -> FloatRegister {
    let low = integer(bytes.prefix(8))
    switch format {
    case .single: return FloatMemory.loadSingle(UInt32(truncatingIfNeeded: low))
    case .double: return FloatMemory.loadDouble(low)
    case .extended: return FloatMemory.loadExtended(low, UInt16(truncatingIfNeeded: integer(bytes.dropFirst(8))))
    case .integer, .none: return FloatMemory.loadInteger(low)
    }
  }

  private static func pack(_ value: FloatRegister, _ format: FloatFormat) -> [UInt8] {
    switch format {
    case .single: return bytes(UInt64(FloatMemory.storeSingle(value)), 4)
    case .double: return bytes(FloatMemory.storeDouble(value), 8)
    case .extended:
      let (low, high) = FloatMemory.storeExtended(value)
      return bytes(low, 8) + bytes(UInt64(high), 2)
    case .integer, .none: return bytes(FloatMemory.storeInteger(value), 8)
    }
  }
}
