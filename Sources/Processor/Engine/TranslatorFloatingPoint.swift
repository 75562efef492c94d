import IA64

extension Translator {
  /// fma, fms, fnma: the host's, or the function of ``OrdinaryMultiplyAdd`` for kind, precision and registers, if there is one.
  func multiplyAdd(_ i: Instruction, _ position: UInt8) -> MicroOp {
    let kind: UInt8 = i.operation == .fma ? 0 : i.operation == .fms ? 1 : 2
    let rotating = (i.f1 | i.f2 | i.f3 | i.f4) >= 32
    let product = i.f2 == 0 && kind != 2
    let tag: MicroTag
    switch i.attributes.precision.rawValue {
    case _ where !specialisations.contains(.floatingPoint): tag = .fma
    case 0:
      let still: MicroTag = product ? .fmpyExtended : kind == 0 ? .fmaExtended : kind == 1 ? .fmsExtended : .fnmaExtended
      let moving: MicroTag =
        product
        ? .fmpyExtendedRotating : kind == 0 ? .fmaExtendedRotating : kind == 1 ? .fmsExtendedRotating : .fnmaExtendedRotating
      tag = product && i.f4 == 1 ? .fnormExtended : rotating ? moving : still
    case 2 where i.statusField == 0 && specialisations.computesOnHost && !(product && i.f4 == 1):
      let still: MicroTag = product ? .fmpyHost : kind == 0 ? .fmaHost : kind == 1 ? .fmsHost : .fnmaHost
      let moving: MicroTag =
        product ? .fmpyHostRotating : kind == 0 ? .fmaHostRotating : kind == 1 ? .fmsHostRotating : .fnmaHostRotating
      tag = rotating ? moving : still
    case 2:
      let still: MicroTag = product ? .fmpyDouble : kind == 0 ? .fmaDouble : kind == 1 ? .fmsDouble : .fnmaDouble
      let moving: MicroTag =
        product ? .fmpyDoubleRotating : kind == 0 ? .fmaDoubleRotating : kind == 1 ? .fmsDoubleRotating : .fnmaDoubleRotating
      tag = product && i.f4 == 1 ? .fnormDouble : rotating ? moving : still
    default: tag = kind == 0 && !product ? .fmaSingle : .fma
    }
    // FPSR.sf0's controls begin at bit 6, the others' each 13 bits higher.
    let shift = UInt64(i.statusField) * 13 + 6
    return MicroOp(
      tag, position, d: i.f1, a: i.f3, b: i.f4, c: i.f2, e: i.statusField | i.attributes.precision.rawValue << 2 | kind << 4,
      imm: Int64(bitPattern: shift << OrdinaryMultiplyAdd.shiftPlace | (i.f1 < 32 ? PSR.mfl : PSR.mfh)))
  }
}
