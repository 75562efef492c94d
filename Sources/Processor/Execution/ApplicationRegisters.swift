/// Moves to and from application registers (Volume 1, section 3.1.8; Volume 3, mov ar).
extension LogicalProcessor {
  @inline(never) func illegalOperation() -> StepResult {
    raise(.generalException, isr: GeneralException.illegalOperation)
    return .fault
  }
  @inline(never) func privilegedRegister() -> StepResult {
    raise(.generalException, isr: GeneralException.privilegedRegister)
    return .fault
  }
  @inline(never) func reservedField(_ code: UInt64 = 0) -> StepResult {
    raise(.generalException, isr: GeneralException.reservedRegisterField | code)
    return .fault
  }

  /// Registers that exist: others raise Illegal Operation.
  private func exists(_ n: Int) -> Bool {
    switch n {
    case 0...7, 16...19, 21, 24...30, 32, 36, 40, 44, 48...63, 64...66, 112...127: true
    default: false
    }
  }

  private var cpl: UInt64 { PSR.cpl(state.pointee.psr) }

  /// Illegal Operation conditions, which come before all others: no such register, a write to BSP, BSPSTORE or RNAT while the
  /// register stack engine may use them.
  func applicationRegisterIsIllegal(_ n: Int, write: Bool) -> Bool {
    !exists(n) || write && n == AR.bsp || (n == AR.bspstore || n == AR.rnat) && state.ar[AR.rsc] & 3 != 0
  }

  func readAR(_ n: Int, into r1: UInt8, _ o: MicroOp) -> StepResult {
    if applicationRegisterIsIllegal(n, write: false) { return illegalOperation() }
    if n == AR.itc {
      if isVirtual {
        if let result = virtualReadITC(into: r1, o) { return result }
      } else if state.pointee.psr & PSR.si != 0 && cpl != 0 {
        return privilegedRegister()
      }
    }
    state.gr[Int(r1)] = readAR(n)
    return .next
  }

  /// Value of an application register, whatever the privilege.
  public func readAR(_ n: Int) -> UInt64 {
    switch n {
    case AR.bsp: state.pointee.bsp
    case AR.bspstore: state.pointee.bspStore
    case AR.rnat: state.pointee.rnat
    case AR.itc: itc
    case 48...63, 112...127: 0
    default: state.ar[n]
    }
  }

  func writeAR(_ n: Int, _ value: UInt64, _ o: MicroOp, _ cause: InterceptCause) -> StepResult {
    if applicationRegisterIsIllegal(n, write: true) { return illegalOperation() }
    switch n {
    case AR.rsc:
      // loadrs 29:16, be 4, pl 3:2, mode 1:0.
      if value & ~0x3FFF_001F != 0 { return reservedField() }
    case AR.fpsr:
      if value >> 58 != 0 || !validStatusFields(value) { return reservedField() }
    case AR.pfs:
      if !validPFS(value) { return reservedField() }
    default: break
    }
    if (n <= 7 || n == AR.itc) && cpl != 0 { return privilegedRegister() }
    if n == AR.rsc {
      // The privilege level of the register stack cannot be raised.
      let pl = max(value >> 2 & 3, cpl)
      state.ar[AR.rsc] = value & ~0xC | pl << 2
      return .next
    }
    if n == AR.itc, let fault = intercepted(cause, o) { return fault }
    setAR(n, value)
    return n == AR.itc ? .exit : .next
  }

  /// Sets an application register without checks.
  public func setAR(_ n: Int, _ value: UInt64) {
    switch n {
    case AR.bsp: state.pointee.bsp = value
    case AR.bspstore: setBSPStore(value)
    case AR.rnat: state.pointee.rnat = value & ~(1 << 63)
    case AR.itc: itc = value
    case AR.ec: state.ar[n] = value & 0x3F
    case AR.bsp, 48...63, 112...127: break
    default: state.ar[n] = value
    }
  }

  /// Precision control 1 is reserved in every status field (Volume 1, section 5.2.1); sf0.td is reserved.
  func validStatusFields(_ fpsr: UInt64) -> Bool {
    for field in 0..<4 where fpsr >> UInt64(6 + field * 13 + 2) & 3 == 1 { return false }
    return fpsr & 1 << 12 == 0
  }

  private func validPFS(_ value: UInt64) -> Bool {
    validFrameMarker(value) && value >> 38 & 0x3FFF == 0 && value >> 58 & 0xF == 0
  }

  /// The fields of a frame marker, PFS.pfm or IFS.ifm, must describe a possible frame (Volume 1, section 3.1.8.9).
  func validFrameMarker(_ value: UInt64) -> Bool {
    let sof = value & 0x7F
    let sol = value >> 7 & 0x7F
    let rotating = (value >> 14 & 0xF) * 8
    if sof > 96 || sol > sof || rotating > sof { return false }
    let rrbGR = value >> 18 & 0x7F
    if rrbGR != 0 && rrbGR >= rotating { return false }
    return value >> 25 & 0x7F < 96 && value >> 32 & 0x3F < 48
  }
}
