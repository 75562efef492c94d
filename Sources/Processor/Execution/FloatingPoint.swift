import Arithmetic
import IA64

/// Floating-point instructions: operands from the register file, arithmetic from `Arithmetic`, status to FPSR and the fault or trap.
extension LogicalProcessor {
  @inline(__always) private func write(_ f: UInt8, _ value: FloatRegister) {
    state.f(f).value = value
    state.pointee.psr |= f < 32 ? PSR.mfl : PSR.mfh
  }

  @inline(__always) private func setFlags(_ flags: UInt8, _ field: Int) {
    if flags != 0 { state.ar[AR.fpsr] |= UInt64(flags) << UInt64(6 + 13 * field + 7) }
  }

  /// Writes a result and its flags; or raises the fault or trap.
  @inline(__always) private func complete(_ outcome: FloatOutcome, _ f: UInt8, _ field: Int) -> StepResult {
    if outcome.fault != 0 {
      raise(.floatingPointFault, isr: UInt64(outcome.fault))
      return .fault
    }
    write(f, outcome.value)
    setFlags(outcome.flags, field)
    if outcome.trap != 0 {
      raise(.floatingPointTrap, isr: UInt64(outcome.trap) | 1)
      state.pointee.fault.isTrap = true
      return .trap
    }
    return .next
  }

  /// fma, fms, fnma of any operands: e holds status field, precision and kind.
  @inline(never) func multiplyAddOfAny(_ op: UnsafeMutablePointer<MicroOp>) -> StepResult {
    let field = Int(op.pointee.e & 3)
    let outcome = FloatArithmetic.fma(
      state.f(op.pointee.a).value, state.f(op.pointee.b).value, state.f(op.pointee.c).value,
      FloatControl(fpsr: state.ar[AR.fpsr], statusField: field, precision: op.pointee.e >> 2 & 3),
      negateProduct: op.pointee.e >> 4 == 2, negateAddend: op.pointee.e >> 4 == 1, addendIsFR0: op.pointee.c == 0)
    return complete(outcome, op.pointee.d, field)
  }

  @inline(never) func multiplyAddInteger(_ o: MicroOp) {
    write(
      o.d,
      FloatArithmetic.xma(state.f(o.a).value, state.f(o.b).value, state.f(o.c).value, kind: o.e))
  }

  @inline(never) func convertFromInteger(_ op: UnsafeMutablePointer<MicroOp>) {
    write(op.pointee.d, FloatArithmetic.fromSignedInteger(state.f(op.pointee.a).value))
  }

  @inline(never) func convertToInteger(_ op: UnsafeMutablePointer<MicroOp>) -> StepResult {
    let field = Int(op.pointee.e & 3)
    let outcome = FloatArithmetic.toInteger(
      state.f(op.pointee.a).value, FloatControl(fpsr: state.ar[AR.fpsr], statusField: field, precision: 0),
      unsigned: op.pointee.c & 1 != 0, truncate: op.pointee.c & 2 != 0)
    if !outcome.isPlain { return complete(outcome, op.pointee.d, field) }
    write(op.pointee.d, outcome.value)
    setFlags(outcome.flags, field)
    return .next
  }

  /// frcpa.
  @inline(never) func reciprocal(_ op: UnsafeMutablePointer<MicroOp>) -> StepResult {
    let field = Int(op.pointee.e & 3)
    let outcome = FloatArithmetic.frcpa(
      state.f(op.pointee.a).value, state.f(op.pointee.b).value,
      FloatControl(fpsr: state.ar[AR.fpsr], statusField: field, precision: 0))
    return reciprocal(outcome, op.pointee, field)
  }

  @inline(never)
  func floating(_ o: MicroOp, _ g: GeneralOperands) -> StepResult {
    let s = state
    let field = Int(o.e & 3)
    let fpsr = s.ar[AR.fpsr]
    let f2 = s.f(o.a).value
    let f3 = s.f(o.b).value
    let f4 = s.f(o.c).value
    let control = FloatControl(fpsr: fpsr, statusField: field, precision: g.attributes.precision.rawValue)
    switch g.operation {
    case .setf:
      let value = s.gr[Int(o.a)]
      switch g.attributes.variant {
      case .exponent: write(o.d, FloatRegister(significand: 1 << 63, signExponent: value & 0x3FFFF))
      case .single: write(o.d, FloatMemory.loadSingle(UInt32(truncatingIfNeeded: value)))
      default: write(o.d, FloatMemory.loadDouble(value))
      }
      return .next
    case .getf:
      switch g.attributes.variant {
      case .exponent: s.gr[Int(o.d)] = f2.signExponent
      case .single: s.gr[Int(o.d)] = UInt64(FloatMemory.storeSingle(f2))
      default: s.gr[Int(o.d)] = FloatMemory.storeDouble(f2)
      }
      s.setNaT(o.d, f2.isNaTVal)
      return f2.isNaTVal ? .exit : .next

    case .fpma, .fpms, .fpnma:
      return complete(
        FloatArithmetic.fpma(
          f3, f4, f2, control, negateProduct: g.operation == .fpnma, negateAddend: g.operation == .fpms, addendIsFR0: o.a == 0
        ), o.d, field)
    case .fselect: write(o.d, FloatArithmetic.select(f3, f4, mask: f2))
    case .fmin, .fmax, .famin, .famax:
      return complete(
        FloatArithmetic.minmax(
          f2, f3, control, maximum: g.operation == .fmax || g.operation == .famax,
          magnitude: g.operation == .famin || g.operation == .famax), o.d, field)
    case .fpmin, .fpmax, .fpamin, .fpamax:
      return complete(
        FloatArithmetic.parallelMinmax(
          f2, f3, control, maximum: g.operation == .fpmax || g.operation == .fpamax,
          magnitude: g.operation == .fpamin || g.operation == .fpamax), o.d, field)
    case .fpcmp:
      return complete(FloatArithmetic.parallelCompare(f2, f3, relation(g.attributes.relation), control), o.d, field)

    case .fmerge:
      switch g.attributes.variant {
      case .sign: write(o.d, FloatArithmetic.mergeSign(f2, f3, negate: false))
      case .negatedSign: write(o.d, FloatArithmetic.mergeSign(f2, f3, negate: true))
      default: write(o.d, FloatArithmetic.mergeSignExponent(f2, f3))
      }
    case .fpmerge:
      switch g.attributes.variant {
      case .sign: write(o.d, FloatArithmetic.parallelMerge(f2, f3, mask: 0x8000_0000_8000_0000, negate: false))
      case .negatedSign: write(o.d, FloatArithmetic.parallelMerge(f2, f3, mask: 0x8000_0000_8000_0000, negate: true))
      default: write(o.d, FloatArithmetic.parallelMerge(f2, f3, mask: 0xFF80_0000_FF80_0000, negate: false))
      }
    case .fmix:
      let a = f2.significand
      let b = f3.significand
      switch g.attributes.variant {
      case .left: integerResult(o.d, a & 0xFFFF_FFFF_0000_0000 | b >> 32, f2, f3)
      case .right: integerResult(o.d, a << 32 | b & 0xFFFF_FFFF, f2, f3)
      default: integerResult(o.d, a & 0xFFFF_FFFF_0000_0000 | b & 0xFFFF_FFFF, f2, f3)
      }
    case .fsxt:
      let a = f2.significand
      let b = f3.significand
      if g.attributes.variant == .left {
        integerResult(o.d, (a >> 63 != 0 ? 0xFFFF_FFFF_0000_0000 : 0) | b >> 32, f2, f3)
      } else {
        integerResult(o.d, (a >> 31 & 1 != 0 ? 0xFFFF_FFFF_0000_0000 : 0) | b & 0xFFFF_FFFF, f2, f3)
      }
    case .fpack:
      integerResult(o.d, UInt64(FloatMemory.storeSingle(f2)) << 32 | UInt64(FloatMemory.storeSingle(f3)), f2, f3)
    case .fswap:
      var value = f3.significand << 32 | f2.significand >> 32
      if g.attributes.variant == .negatedLeft { value ^= 1 << 63 }
      if g.attributes.variant == .negatedRight { value ^= 1 << 31 }
      integerResult(o.d, value, f2, f3)
    case .fand: integerResult(o.d, f2.significand & f3.significand, f2, f3)
    case .fandcm: integerResult(o.d, f2.significand & ~f3.significand, f2, f3)
    case .for_: integerResult(o.d, f2.significand | f3.significand, f2, f3)
    case .fxor: integerResult(o.d, f2.significand ^ f3.significand, f2, f3)

    case .fcvtFX:
      return complete(
        FloatArithmetic.toInteger(
          f2, control, unsigned: g.attributes.variant == .unsigned, truncate: g.attributes.flags.contains(.truncate)), o.d, field)
    case .fpcvtFX:
      return complete(
        FloatArithmetic.parallelToInteger(
          f2, control, unsigned: g.attributes.variant == .unsigned, truncate: g.attributes.flags.contains(.truncate)), o.d, field)
    case .fcvtXF: write(o.d, FloatArithmetic.fromSignedInteger(f2))

    case .frcpa: return reciprocal(FloatArithmetic.frcpa(f2, f3, control), o, field)
    case .frsqrta: return reciprocal(FloatArithmetic.frsqrta(f3, control), o, field)
    case .fprcpa: return reciprocal(FloatArithmetic.fprcpa(f2, f3, control), o, field)
    case .fprsqrta: return reciprocal(FloatArithmetic.fprsqrta(f3, control), o, field)

    case .fcmp:
      let outcome = FloatArithmetic.compare(f2, f3, relation(g.attributes.relation), control)
      if outcome.fault != 0 {
        raise(.floatingPointFault, isr: UInt64(outcome.fault))
        return .fault
      }
      setFlags(outcome.flags, field)
      let p1 = o.d & 63
      let p2 = o.c & 63
      let nat = f2.isNaTVal || f3.isNaTVal
      if p1 != 0 { s.pr[Int(p1)] = outcome.predicate && !nat ? 1 : 0 }
      if p2 != 0 { s.pr[Int(p2)] = outcome.predicate || nat ? 0 : 1 }
    case .fclass:
      let member = FloatArithmetic.isMember(f2, class: UInt64(bitPattern: o.imm))
      let nat = f2.isNaTVal && o.imm & 0x100 == 0
      let p1 = o.d & 63
      let p2 = o.c & 63
      let result = g.attributes.variant == .notMember ? !member : member
      if p1 != 0 { s.pr[Int(p1)] = result && !nat ? 1 : 0 }
      if p2 != 0 { s.pr[Int(p2)] = result || nat ? 0 : 1 }

    case .fsetc:
      let amask = UInt64(bitPattern: o.imm) & 0x7F
      let omask = UInt64(bitPattern: o.imm) >> 8 & 0x7F
      let controls = (fpsr >> 6 & 0x7F) & amask | omask
      if controls >> 2 & 3 == 1 || (field == 0 && controls & 0x40 != 0) { return reservedField() }
      let shift = UInt64(6 + 13 * field)
      s.ar[AR.fpsr] = fpsr & ~(0x7F << shift) | controls << shift
    case .fclrf:
      s.ar[AR.fpsr] = fpsr & ~(0x3F << UInt64(6 + 13 * field + 7))
    case .fchkf:
      let flags = fpsr >> UInt64(6 + 13 * field + 7) & 0x3F
      let flags0 = fpsr >> 13 & 0x3F
      let masked = fpsr & 0x3F
      if flags & ~masked != 0 || flags & ~flags0 != 0 { return branchRelative(o) }
    default: return illegalOperation()
    }
    return .next
  }

  private func relation(_ r: Relation) -> FloatRelation {
    switch r {
    case .eq: .equal
    case .lt: .less
    case .le: .lessOrEqual
    case .unord: .unordered
    case .neq: .notEqual
    case .nlt: .notLess
    case .nle: .notLessOrEqual
    default: .ordered
    }
  }

  /// Results of the logical and field instructions: integer format, NaTVal if a source is.
  private func integerResult(_ f: UInt8, _ value: UInt64, _ a: FloatRegister, _ b: FloatRegister) {
    write(f, a.isNaTVal || b.isNaTVal ? .natVal : FloatRegister(significand: value, signExponent: 0x1003E))
  }

  private func reciprocal(_ outcome: FloatOutcome, _ o: MicroOp, _ field: Int) -> StepResult {
    let result = complete(outcome, o.d, field)
    if result != .fault {
      let p2 = o.c & 63
      if p2 != 0 { state.pr[Int(p2)] = outcome.predicate ? 1 : 0 }
    }
    return result
  }
}
