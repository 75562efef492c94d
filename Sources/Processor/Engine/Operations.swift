import Arithmetic
import CThreadedCode
import IA64

// The micro-operations. Each function becomes part of `epicure_loop`, behind the label of its name: it is inlined there because both are
// in this file. What it does stands in `Loop`; what is rare there is called.

/// Where the bodies are.
enum LoopLabels {
  nonisolated(unsafe) static let table: UnsafeMutablePointer<UnsafeRawPointer> = {
    let count = MicroTag.allCases.count
    precondition(Int(epicure_operation_count()) == count, "threaded.h does not list the micro-operations")
    let labels = UnsafeMutablePointer<UnsafeRawPointer>.allocate(capacity: count + 1)
    let nothing = UnsafeMutableRawPointer(labels)
    enterLoop(nothing, LoopRegisters(op: nothing, ip: 0, start: 0, block: nothing), nothing, labels)
    return labels
  }()

  /// Where new micro-operations begin: at their bodies, or with a profile of the engine at the way out that lets them be counted.
  nonisolated(unsafe) private static let beginnings: UnsafeMutablePointer<UnsafeRawPointer> = {
    let count = MicroTag.allCases.count
    let beginnings = UnsafeMutablePointer<UnsafeRawPointer>.allocate(capacity: count)
    beginnings.update(from: table, count: count)
    return beginnings
  }()

  static func of(_ tag: MicroTag) -> UnsafeRawPointer { beginnings[Int(tag.rawValue)] }

  /// Where the body of a micro-operation is that may be one to be counted.
  static func body(of op: UnsafeMutablePointer<MicroOp>) -> UnsafeRawPointer {
    let handler = op.pointee.handler
    return handler == table[MicroTag.allCases.count] ? table[Int(op.pointee.tag.rawValue)] : handler
  }

  /// From now on what is made is counted. Links, and what takes another's place, have no tag of their own to be counted by.
  static func count() {
    for tag in MicroTag.allCases {
      switch tag {
      case .leave, .limit, .resolve, .far, .stale: break
      default: beginnings[Int(tag.rawValue)] = table[MicroTag.allCases.count]
      }
    }
  }
}

@_silgen_name("epicure_counted") @inline(__always)
func loopCounted(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  Loop(s, r).e.pointee.counted = r.pointee
}

/// The one place that uses `epicure_loop`: where its labels are is known of one copy.
@inline(never)
func enterLoop(
  _ state: LoopPointer, _ registers: LoopRegisters, _ start: UnsafeRawPointer,
  _ labels: UnsafeMutablePointer<UnsafeRawPointer>? = nil
) {
  epicure_loop(state, registers, start, labels)
}

@_silgen_name("epicure_limit") @inline(__always)
func loopLimit(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.stopAtLimit($1) }
}
@_silgen_name("epicure_resolve") @inline(__always)
func loopResolve(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.resolve($1) }
}
@_silgen_name("epicure_far") @inline(__always)
func loopFar(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.jumpWithoutLimit()
}
@_silgen_name("epicure_stale") @inline(__always)
func loopStale(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.renew($1) }
}
@_silgen_name("epicure_enter") @inline(__always)
func loopEnter(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  if l.mayEnter { l.next() } else { l.call { $0.enterSlowly($1) } }
}
@_silgen_name("epicure_skipUnless") @inline(__always)
func loopSkipUnless(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.op += l.s.pr[Int(l.op.pointee.a)] == 0 ? 1 &+ Int(l.op.pointee.imm) : 1
}
@_silgen_name("epicure_skipUnlessClearing") @inline(__always)
func loopSkipUnlessClearing(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.skipClearing()
}
@_silgen_name("epicure_end") @inline(__always)
func loopEnd(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.end()
}
@_silgen_name("epicure_endUnlinked") @inline(__always)
func loopEndUnlinked(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.endUnlinked()
}
@_silgen_name("epicure_illegal") @inline(__always)
func loopIllegal(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.illegal($1) }
}
@_silgen_name("epicure_disabledFP") @inline(__always)
func loopDisabledFP(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.disabledFP($1) }
}
@_silgen_name("epicure_general") @inline(__always)
func loopGeneral(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.generalOperation($1) }
}
@_silgen_name("epicure_issue") @inline(__always)
func loopIssue(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.issue()
}
@_silgen_name("epicure_mov") @inline(__always)
func loopMov(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a)
}
@_silgen_name("epicure_movImm") @inline(__always)
func loopMovImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.imm)
}
@_silgen_name("epicure_add") @inline(__always)
func loopAdd(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &+ l.b)
}
@_silgen_name("epicure_addOne") @inline(__always)
func loopAddOne(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &+ l.b &+ 1)
}
@_silgen_name("epicure_sub") @inline(__always)
func loopSub(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &- l.b)
}
@_silgen_name("epicure_subOne") @inline(__always)
func loopSubOne(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &- l.b &- 1)
}
@_silgen_name("epicure_addImm") @inline(__always)
func loopAddImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &+ l.imm)
}
@_silgen_name("epicure_and") @inline(__always)
func loopAnd(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a & l.b)
}
@_silgen_name("epicure_andcm") @inline(__always)
func loopAndcm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a & ~l.b)
}
@_silgen_name("epicure_or") @inline(__always)
func loopOr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a | l.b)
}
@_silgen_name("epicure_xor") @inline(__always)
func loopXor(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a ^ l.b)
}
@_silgen_name("epicure_subImm") @inline(__always)
func loopSubImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.imm &- l.b)
}
@_silgen_name("epicure_andImm") @inline(__always)
func loopAndImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.imm & l.b)
}
@_silgen_name("epicure_andcmImm") @inline(__always)
func loopAndcmImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.imm & ~l.b)
}
@_silgen_name("epicure_orImm") @inline(__always)
func loopOrImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.imm | l.b)
}
@_silgen_name("epicure_xorImm") @inline(__always)
func loopXorImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.imm ^ l.b)
}
@_silgen_name("epicure_shladd") @inline(__always)
func loopShladd(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &<< l.shift &+ l.b)
}
@_silgen_name("epicure_sxt1") @inline(__always)
func loopSxt1(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setSigned(Int64(Int8(truncatingIfNeeded: l.a)))
}
@_silgen_name("epicure_sxt2") @inline(__always)
func loopSxt2(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setSigned(Int64(Int16(truncatingIfNeeded: l.a)))
}
@_silgen_name("epicure_sxt4") @inline(__always)
func loopSxt4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setSigned(Int64(Int32(truncatingIfNeeded: l.a)))
}
@_silgen_name("epicure_zxt1") @inline(__always)
func loopZxt1(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a & 0xFF)
}
@_silgen_name("epicure_zxt2") @inline(__always)
func loopZxt2(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a & 0xFFFF)
}
@_silgen_name("epicure_zxt4") @inline(__always)
func loopZxt4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a & 0xFFFF_FFFF)
}
@_silgen_name("epicure_shl") @inline(__always)
func loopShl(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.b > 63 ? 0 : l.a &<< l.b)
}
@_silgen_name("epicure_shr") @inline(__always)
func loopShr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setSigned(l.aSigned &>> Int64(bitPattern: min(l.b, 63)))
}
@_silgen_name("epicure_shru") @inline(__always)
func loopShru(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.b > 63 ? 0 : l.a &>> l.b)
}
@_silgen_name("epicure_extru") @inline(__always)
func loopExtru(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &>> l.shift & l.imm)
}
@_silgen_name("epicure_extr") @inline(__always)
func loopExtr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setSigned(Int64(bitPattern: l.a &<< l.shift) &>> Int64(l.op.pointee.b))
}
@_silgen_name("epicure_depZ") @inline(__always)
func loopDepZ(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &<< l.shift & l.imm)
}
@_silgen_name("epicure_dep") @inline(__always)
func loopDep(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &<< l.shift & l.imm | l.b & ~l.imm)
}
@_silgen_name("epicure_shrp") @inline(__always)
func loopShrp(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.shift == 0 ? l.b : l.b &>> l.shift | l.a &<< (64 &- l.shift))
}
@_silgen_name("epicure_cmpEq") @inline(__always)
func loopCmpEq(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.a == l.b)
}
@_silgen_name("epicure_cmpLt") @inline(__always)
func loopCmpLt(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.aSigned < l.bSigned)
}
@_silgen_name("epicure_cmpLtu") @inline(__always)
func loopCmpLtu(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.a < l.b)
}
@_silgen_name("epicure_cmpEqImm") @inline(__always)
func loopCmpEqImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.imm == l.b)
}
@_silgen_name("epicure_cmpLtImm") @inline(__always)
func loopCmpLtImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.op.pointee.imm < l.bSigned)
}
@_silgen_name("epicure_cmpLtuImm") @inline(__always)
func loopCmpLtuImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.imm < l.b)
}
@_silgen_name("epicure_cmp4Eq") @inline(__always)
func loopCmp4Eq(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.a4 == l.b4)
}
@_silgen_name("epicure_cmp4Lt") @inline(__always)
func loopCmp4Lt(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.a4Signed < l.b4Signed)
}
@_silgen_name("epicure_cmp4Ltu") @inline(__always)
func loopCmp4Ltu(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.a4 < l.b4)
}
@_silgen_name("epicure_cmp4EqImm") @inline(__always)
func loopCmp4EqImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.imm4 == l.b4)
}
@_silgen_name("epicure_cmp4LtImm") @inline(__always)
func loopCmp4LtImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(Int32(truncatingIfNeeded: l.op.pointee.imm) < l.b4Signed)
}
@_silgen_name("epicure_cmp4LtuImm") @inline(__always)
func loopCmp4LtuImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setPair(l.imm4 < l.b4)
}
@_silgen_name("epicure_cmpParallel") @inline(__always)
func loopCmpParallel(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.parallelCompare(l.a)
}
@_silgen_name("epicure_cmpParallelImm") @inline(__always)
func loopCmpParallelImm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.parallelCompare(l.imm)
}
@_silgen_name("epicure_tbit") @inline(__always)
func loopTbit(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  _ = l.testBit(); l.next()
}
@_silgen_name("epicure_cmpEqBr") @inline(__always)
func loopCmpEqBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.a == l.b)
}
@_silgen_name("epicure_cmpLtBr") @inline(__always)
func loopCmpLtBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.aSigned < l.bSigned)
}
@_silgen_name("epicure_cmpLtuBr") @inline(__always)
func loopCmpLtuBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.a < l.b)
}
@_silgen_name("epicure_cmpEqImmBr") @inline(__always)
func loopCmpEqImmBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.imm == l.b)
}
@_silgen_name("epicure_cmpLtImmBr") @inline(__always)
func loopCmpLtImmBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.op.pointee.imm < l.bSigned)
}
@_silgen_name("epicure_cmpLtuImmBr") @inline(__always)
func loopCmpLtuImmBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.imm < l.b)
}
@_silgen_name("epicure_cmp4EqBr") @inline(__always)
func loopCmp4EqBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.a4 == l.b4)
}
@_silgen_name("epicure_cmp4LtBr") @inline(__always)
func loopCmp4LtBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.a4Signed < l.b4Signed)
}
@_silgen_name("epicure_cmp4LtuBr") @inline(__always)
func loopCmp4LtuBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.a4 < l.b4)
}
@_silgen_name("epicure_cmp4EqImmBr") @inline(__always)
func loopCmp4EqImmBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.imm4 == l.b4)
}
@_silgen_name("epicure_cmp4LtImmBr") @inline(__always)
func loopCmp4LtImmBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(Int32(truncatingIfNeeded: l.op.pointee.imm) < l.b4Signed)
}
@_silgen_name("epicure_cmp4LtuImmBr") @inline(__always)
func loopCmp4LtuImmBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchOn(l.imm4 < l.b4)
}
@_silgen_name("epicure_tbitBr") @inline(__always)
func loopTbitBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  if l.testBit() == l.op.pointee.e { l.take(l.op + 1) } else { l.op += 3 }
}
@_silgen_name("epicure_movFromBR") @inline(__always)
func loopMovFromBR(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.s.br[Int(l.op.pointee.a)])
}
@_silgen_name("epicure_movToBR") @inline(__always)
func loopMovToBR(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.moveToBR()
}
@_silgen_name("epicure_movFromARPlain") @inline(__always)
func loopMovFromARPlain(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.s.ar[Int(l.op.pointee.a)])
}
@_silgen_name("epicure_movToARPlain") @inline(__always)
func loopMovToARPlain(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.moveToAR()
}
@_silgen_name("epicure_movToPFS") @inline(__always)
func loopMovToPFS(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.moveToPFS()
}
@_silgen_name("epicure_alloc") @inline(__always)
func loopAlloc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.alloc()
}
@_silgen_name("epicure_addp4") @inline(__always)
func loopAddp4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.pointer4(l.a &+ l.b, l.b))
}
@_silgen_name("epicure_addp4Imm") @inline(__always)
func loopAddp4Imm(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.pointer4(l.imm &+ l.b, l.b))
}
@_silgen_name("epicure_shladdp4") @inline(__always)
func loopShladdp4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.pointer4(l.a &<< l.shift &+ l.b, l.b))
}
@_silgen_name("epicure_mixHigh4") @inline(__always)
func loopMixHigh4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a & ~0xFFFF_FFFF | l.b &>> 32)
}
@_silgen_name("epicure_mixLow4") @inline(__always)
func loopMixLow4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a &<< 32 | l.b & 0xFFFF_FFFF)
}
@_silgen_name("epicure_unpack1") @inline(__always)
func loopUnpack1(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.spread1(l.a &>> l.shift) &<< 8 | l.spread1(l.b &>> l.shift))
}
@_silgen_name("epicure_unpack2") @inline(__always)
func loopUnpack2(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.spread2(l.a &>> l.shift) &<< 16 | l.spread2(l.b &>> l.shift))
}
@_silgen_name("epicure_byteSwap") @inline(__always)
func loopByteSwap(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(l.a.byteSwapped)
}
@_silgen_name("epicure_popcnt") @inline(__always)
func loopPopcnt(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.set(UInt64(truncatingIfNeeded: l.b.nonzeroBitCount))
}
@_silgen_name("epicure_ld1") @inline(__always)
func loopLd1(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt8.self, increments: false)
}
@_silgen_name("epicure_ld2") @inline(__always)
func loopLd2(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt16.self, increments: false)
}
@_silgen_name("epicure_ld4") @inline(__always)
func loopLd4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt32.self, increments: false)
}
@_silgen_name("epicure_ld8") @inline(__always)
func loopLd8(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt64.self, increments: false)
}
@_silgen_name("epicure_st1") @inline(__always)
func loopSt1(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt8.self, increments: false)
}
@_silgen_name("epicure_st2") @inline(__always)
func loopSt2(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt16.self, increments: false)
}
@_silgen_name("epicure_st4") @inline(__always)
func loopSt4(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt32.self, increments: false)
}
@_silgen_name("epicure_st8") @inline(__always)
func loopSt8(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt64.self, increments: false)
}
@_silgen_name("epicure_ld1Inc") @inline(__always)
func loopLd1Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt8.self, increments: true)
}
@_silgen_name("epicure_ld2Inc") @inline(__always)
func loopLd2Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt16.self, increments: true)
}
@_silgen_name("epicure_ld4Inc") @inline(__always)
func loopLd4Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt32.self, increments: true)
}
@_silgen_name("epicure_ld8Inc") @inline(__always)
func loopLd8Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.load(UInt64.self, increments: true)
}
@_silgen_name("epicure_st1Inc") @inline(__always)
func loopSt1Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt8.self, increments: true)
}
@_silgen_name("epicure_st2Inc") @inline(__always)
func loopSt2Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt16.self, increments: true)
}
@_silgen_name("epicure_st4Inc") @inline(__always)
func loopSt4Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt32.self, increments: true)
}
@_silgen_name("epicure_st8Inc") @inline(__always)
func loopSt8Inc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.store(UInt64.self, increments: true)
}
@_silgen_name("epicure_ld8Fill") @inline(__always)
func loopLd8Fill(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.loadFill($1) }
}
@_silgen_name("epicure_st8Spill") @inline(__always)
func loopSt8Spill(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.storeSpill($1) }
}
@_silgen_name("epicure_loadSpecial") @inline(__always)
func loopLoadSpecial(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.loadSpecial($1) }
}
@_silgen_name("epicure_loadFP") @inline(__always)
func loopLoadFP(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.loadFP($1) }
}
@_silgen_name("epicure_storeFP") @inline(__always)
func loopStoreFP(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.storeFP($1) }
}
@_silgen_name("epicure_ldfs") @inline(__always)
func loopLdfs(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.loadFloat(increments: false) { FloatMemory.loadSingle($0) }
}
@_silgen_name("epicure_ldfsInc") @inline(__always)
func loopLdfsInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.loadFloat(increments: true) { FloatMemory.loadSingle($0) }
}
@_silgen_name("epicure_ldfd") @inline(__always)
func loopLdfd(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.loadFloat(increments: false) { FloatMemory.loadDouble($0) }
}
@_silgen_name("epicure_ldfdInc") @inline(__always)
func loopLdfdInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.loadFloat(increments: true) { FloatMemory.loadDouble($0) }
}
@_silgen_name("epicure_stfs") @inline(__always)
func loopStfs(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.storeFloat(increments: false) { FloatMemory.storeSingle($0) }
}
@_silgen_name("epicure_stfsInc") @inline(__always)
func loopStfsInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.storeFloat(increments: true) { FloatMemory.storeSingle($0) }
}
@_silgen_name("epicure_stfd") @inline(__always)
func loopStfd(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.storeFloat(increments: false) { FloatMemory.storeDouble($0) }
}
@_silgen_name("epicure_stfdInc") @inline(__always)
func loopStfdInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.storeFloat(increments: true) { FloatMemory.storeDouble($0) }
}
@_silgen_name("epicure_ldfdHost") @inline(__always)
func loopLdfdHost(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.loadHostDouble(increments: false)
}
@_silgen_name("epicure_ldfdHostInc") @inline(__always)
func loopLdfdHostInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.loadHostDouble(increments: true)
}
@_silgen_name("epicure_stfdHost") @inline(__always)
func loopStfdHost(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.storeHostDouble(increments: false)
}
@_silgen_name("epicure_stfdHostInc") @inline(__always)
func loopStfdHostInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.storeHostDouble(increments: true)
}
@_silgen_name("epicure_ldfFill") @inline(__always)
func loopLdfFill(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.fillFloat(increments: false)
}
@_silgen_name("epicure_ldfFillInc") @inline(__always)
func loopLdfFillInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.fillFloat(increments: true)
}
@_silgen_name("epicure_stfSpill") @inline(__always)
func loopStfSpill(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.spillFloat(increments: false)
}
@_silgen_name("epicure_stfSpillInc") @inline(__always)
func loopStfSpillInc(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.spillFloat(increments: true)
}
@_silgen_name("epicure_setfSig") @inline(__always)
func loopSetfSig(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.setSignificand()
}
@_silgen_name("epicure_getfSig") @inline(__always)
func loopGetfSig(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.getSignificand()
}
@_silgen_name("epicure_br") @inline(__always)
func loopBr(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.take(l.op)
}
@_silgen_name("epicure_brIf") @inline(__always)
func loopBrIf(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  if l.s.pr[Int(l.op.pointee.a)] == 0 { l.op += 2 } else { l.take(l.op) }
}
@_silgen_name("epicure_brCall") @inline(__always)
func loopBrCall(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.callDirectly()
}
@_silgen_name("epicure_brIndirect") @inline(__always)
func loopBrIndirect(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.branchIndirectly()
}
@_silgen_name("epicure_brCallIndirect") @inline(__always)
func loopBrCallIndirect(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.callIndirectly()
}
@_silgen_name("epicure_brRet") @inline(__always)
func loopBrRet(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.returnFromCall()
}
@_silgen_name("epicure_brCloop") @inline(__always)
func loopBrCloop(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.countedLoop()
}
@_silgen_name("epicure_brRotate") @inline(__always)
func loopBrRotate(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.rotateAndBranch()
}
@_silgen_name("epicure_fma") @inline(__always)
func loopFma(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.unusualMultiplyAdd($1) }
}
@_silgen_name("epicure_fmaExtended") @inline(__always)
func loopFmaExtended(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmaExtended(l.s, l.op))
}
@_silgen_name("epicure_fmsExtended") @inline(__always)
func loopFmsExtended(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmsExtended(l.s, l.op))
}
@_silgen_name("epicure_fnmaExtended") @inline(__always)
func loopFnmaExtended(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fnmaExtended(l.s, l.op))
}
@_silgen_name("epicure_fmpyExtended") @inline(__always)
func loopFmpyExtended(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmpyExtended(l.s, l.op))
}
@_silgen_name("epicure_fmaDouble") @inline(__always)
func loopFmaDouble(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmaDouble(l.s, l.op))
}
@_silgen_name("epicure_fmsDouble") @inline(__always)
func loopFmsDouble(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmsDouble(l.s, l.op))
}
@_silgen_name("epicure_fnmaDouble") @inline(__always)
func loopFnmaDouble(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fnmaDouble(l.s, l.op))
}
@_silgen_name("epicure_fmpyDouble") @inline(__always)
func loopFmpyDouble(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmpyDouble(l.s, l.op))
}
@_silgen_name("epicure_fmaSingle") @inline(__always)
func loopFmaSingle(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmaSingle(l.s, l.op))
}
@_silgen_name("epicure_fnormExtended") @inline(__always)
func loopFnormExtended(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fnormExtended(l.s, l.op))
}
@_silgen_name("epicure_fnormDouble") @inline(__always)
func loopFnormDouble(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fnormDouble(l.s, l.op))
}
@_silgen_name("epicure_fmaExtendedRotating") @inline(__always)
func loopFmaExtendedRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmaExtendedRotating(l.s, l.op))
}
@_silgen_name("epicure_fmsExtendedRotating") @inline(__always)
func loopFmsExtendedRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmsExtendedRotating(l.s, l.op))
}
@_silgen_name("epicure_fnmaExtendedRotating") @inline(__always)
func loopFnmaExtendedRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fnmaExtendedRotating(l.s, l.op))
}
@_silgen_name("epicure_fmpyExtendedRotating") @inline(__always)
func loopFmpyExtendedRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmpyExtendedRotating(l.s, l.op))
}
@_silgen_name("epicure_fmaDoubleRotating") @inline(__always)
func loopFmaDoubleRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmaDoubleRotating(l.s, l.op))
}
@_silgen_name("epicure_fmsDoubleRotating") @inline(__always)
func loopFmsDoubleRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmsDoubleRotating(l.s, l.op))
}
@_silgen_name("epicure_fnmaDoubleRotating") @inline(__always)
func loopFnmaDoubleRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fnmaDoubleRotating(l.s, l.op))
}
@_silgen_name("epicure_fmpyDoubleRotating") @inline(__always)
func loopFmpyDoubleRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.multiplyAdd(OrdinaryMultiplyAdd.fmpyDoubleRotating(l.s, l.op))
}
@_silgen_name("epicure_fmaHost") @inline(__always)
func loopFmaHost(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fma, rotating: false)
}
@_silgen_name("epicure_fmsHost") @inline(__always)
func loopFmsHost(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fms, rotating: false)
}
@_silgen_name("epicure_fnmaHost") @inline(__always)
func loopFnmaHost(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fnma, rotating: false)
}
@_silgen_name("epicure_fmpyHost") @inline(__always)
func loopFmpyHost(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fmpy, rotating: false)
}
@_silgen_name("epicure_fmaHostRotating") @inline(__always)
func loopFmaHostRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fma, rotating: true)
}
@_silgen_name("epicure_fmsHostRotating") @inline(__always)
func loopFmsHostRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fms, rotating: true)
}
@_silgen_name("epicure_fnmaHostRotating") @inline(__always)
func loopFnmaHostRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fnma, rotating: true)
}
@_silgen_name("epicure_fmpyHostRotating") @inline(__always)
func loopFmpyHostRotating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.hostMultiplyAdd(.fmpy, rotating: true)
}
@_silgen_name("epicure_xma") @inline(__always)
func loopXma(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.multiplyAddInteger($1) }
}
@_silgen_name("epicure_fcvtXF") @inline(__always)
func loopFcvtXF(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.convertFromInteger($1) }
}
@_silgen_name("epicure_fcvtFX") @inline(__always)
func loopFcvtFX(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.convertToInteger($1) }
}
@_silgen_name("epicure_frcpa") @inline(__always)
func loopFrcpa(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.reciprocal($1) }
}
@_silgen_name("epicure_divideIntegers") @inline(__always)
func loopDivideIntegers(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.divideIntegers($1) }
}
@_silgen_name("epicure_divideDoubles") @inline(__always)
func loopDivideDoubles(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.divideDoubles($1) }
}
@_silgen_name("epicure_fmergeS") @inline(__always)
func loopFmergeS(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.mergeSigns()
}
@_silgen_name("epicure_floating") @inline(__always)
func loopFloating(_ s: LoopPointer, _ r: LoopRegistersPointer) {
  let l = Loop(s, r)
  l.call { $0.floatingOperation($1) }
}
