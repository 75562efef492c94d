import Arithmetic
import IA64

extension LogicalProcessor {
  /// Parallel integer instructions: operands by format, arithmetic from `ParallelInteger`.
  @inline(never) func parallel(_ o: MicroOp, _ g: GeneralOperands) -> UInt64 {
    let r2 = state.gr[Int(o.a)]
    let r3 = state.gr[Int(o.b)]
    let size = Int(g.attributes.size)
    let variant = g.attributes.variant
    let saturation = ParallelInteger.Saturation(rawValue: g.attributes.saturation.rawValue) ?? .modulo
    let count = UInt64(bitPattern: o.imm)
    switch g.operation {
    case .addp4: return ParallelInteger.pointer(r2 &+ r3, r3)
    case .addp4Immediate: return ParallelInteger.pointer(count &+ r3, r3)
    case .shladdp4: return ParallelInteger.pointer(r2 << count &+ r3, r3)
    case .paddElements: return ParallelInteger.add(r2, r3, size, saturation)
    case .psubElements: return ParallelInteger.subtract(r2, r3, size, saturation)
    case .pavg: return ParallelInteger.average(r2, r3, size, roundAway: variant == .raz)
    case .pavgsub: return ParallelInteger.averageSubtract(r2, r3, size)
    case .pcmp: return ParallelInteger.compare(r2, r3, size, greater: g.attributes.relation == .gt)
    case .pshladd2: return ParallelInteger.shiftLeftAdd2(r2, r3, count)
    case .pshradd2: return ParallelInteger.shiftRightAdd2(r2, r3, count)
    case .pmpyshr2: return ParallelInteger.multiplyShift2(r2, r3, count, unsigned: variant == .unsigned)
    case .pmpy2: return ParallelInteger.multiply2(r2, r3, left: variant == .left)
    case .mix: return ParallelInteger.mix(r2, r3, size, left: variant == .left)
    case .unpack: return ParallelInteger.unpack(r2, r3, size, high: variant == .high)
    case .pack: return ParallelInteger.pack(r2, r3, size, unsigned: g.attributes.saturation == .uss)
    case .pmin1: return ParallelInteger.minmax1(r2, r3, maximum: false)
    case .pmax1: return ParallelInteger.minmax1(r2, r3, maximum: true)
    case .pmin2: return ParallelInteger.minmax2(r2, r3, maximum: false)
    case .pmax2: return ParallelInteger.minmax2(r2, r3, maximum: true)
    case .psad1: return ParallelInteger.sumOfDifferences1(r2, r3)
    case .mux1: return ParallelInteger.mux1(r2, count)
    case .mux2: return ParallelInteger.mux2(r2, count)
    case .pshr: return ParallelInteger.shiftRight(r3, r2, size, unsigned: variant == .unsigned)
    case .pshrImmediate: return ParallelInteger.shiftRight(r3, count, size, unsigned: variant == .unsigned)
    case .pshl: return ParallelInteger.shiftLeft(r2, r3, size)
    case .pshlImmediate: return ParallelInteger.shiftLeft(r2, count, size)
    case .popcnt: return UInt64(r3.nonzeroBitCount)
    default: return ParallelInteger.countZeros(r3, size, left: variant == .left)
    }
  }
}
