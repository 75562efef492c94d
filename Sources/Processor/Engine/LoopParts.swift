import Arithmetic
import CThreadedCode
import IA64

/// Micro-operations that are longer than an expression.
extension Loop {
  /// Whether the frame and PSR allow what the block names, by the quick form of the check.
  var mayEnter: Bool {
    @inline(__always) get { (EngineContext.gateWord(e).pointee &- block.pointee.need) & EntryGate.exceeded == 0 }
  }

  @inline(__always) func skipClearing() {
    let o = op
    if s.pr[Int(o.pointee.a)] == 0 {
      s.pr[Int(o.pointee.d)] = 0
      s.pr[Int(o.pointee.c)] = 0
      op = o + 1 + Int(o.pointee.imm)
    } else {
      next()
    }
  }

  /// The end of a block that is none of the program: what follows is reached without a branch. False: the slot limit is reached.
  @inline(__always) private func passEnd() -> Bool {
    let position = UInt64(op.pointee.position)
    e.pointee.previousIP = r.pointee.ip
    e.pointee.previousPosition = position &- 1
    r.pointee.ip &+= imm
    let retired = r.pointee.start &+ position
    r.pointee.start = retired &- shift
    return retired < e.pointee.limit
  }

  @inline(__always) func end() {
    if passEnd() {
      let link = UnsafeMutableRawPointer(op + 1).assumingMemoryBound(to: Link.self)
      r.pointee.block = UnsafeMutableRawPointer(link.pointee.block)
      r.pointee.op = link.pointee.entry
    } else {
      call { $0.stopAtEnd($1) }
    }
  }

  @inline(__always) func endUnlinked() {
    if passEnd() && op.pointee.c == 0 { jumpWithoutLimit() } else { call { $0.stopAtEnd($1) } }
  }

  /// Tells the timing model of the group that comes now. A limit of time is looked at where a block begins. The model does not look at what
  /// `synchronize` would bring up to date.
  @inline(__always) func issue() {
    let group = UnsafeRawPointer(r.pointee.block) + Int(truncatingIfNeeded: op.pointee.imm)
    // Without a model there are no such micro-operations.
    let timing = e.pointee.timing.unsafelyUnwrapped
    let issue = group.assumingMemoryBound(to: IssueGroupHeader.self).pointee.issue
    if issue(timing.context, group, r.pointee.ip) >= e.pointee.cycleLimit { e.pointee.limit = 0 }
    next()
  }

  // MARK: Moves

  @inline(__always) func moveToBR() {
    s.br[Int(op.pointee.d)] = a
    next()
  }

  @inline(__always) func moveToAR() {
    s.ar[Int(op.pointee.d)] = a
    next()
  }

  @inline(__always) func moveToPFS() {
    // Without rotation there is little to check: reserved fields and rotation zero, sol <= sof <= 96.
    let value = a
    if value & 0x3C0F_FFFF_FFFF_C000 == 0 && value >> 7 & 0x7F <= value & 0x7F && value & 0x7F <= 96 {
      s.ar[AR.pfs] = value
      op += 2
    } else {
      call { $0.generalOperation($1) }
    }
  }

  @inline(__always) func alloc() {
    let o = op
    let sof = Int(o.pointee.imm & 0xFF)
    let sor = Int(o.pointee.imm >> 16 & 0xFF)
    let room = 96 &- sof &- s.pointee.dirty
    if sor == s.pointee.sor && room >= 0 {
      if s.pointee.clean > room { s.pointee.clean = room }
      s.pointee.sof = sof
      s.pointee.sol = Int(o.pointee.imm >> 8 & 0xFF)
      e.pointee.frameTop = UInt8(truncatingIfNeeded: 32 &+ sof)
      d.pointee = s.ar[AR.pfs]
      op = o + 2
    } else {
      call { $0.generalOperation($1) }
    }
  }

  /// Result of the addp4 group: 32 bits, and the region of the 32-bit pointer `r3` (Volume 3, addp4).
  @inline(__always) func pointer4(_ sum: UInt64, _ r3: UInt64) -> UInt64 { sum & 0xFFFF_FFFF | (r3 & 0xC000_0000) &<< 31 }

  /// The two lower elements of two bytes, with room for as much in front of each.
  @inline(__always) func spread2(_ word: UInt64) -> UInt64 { (word &<< 16 | word & 0xFFFF) & 0xFFFF_0000_FFFF }
  /// The four lower bytes, likewise.
  @inline(__always) func spread1(_ word: UInt64) -> UInt64 {
    let pairs = spread2(word)
    return (pairs &<< 8 | pairs) & 0xFF_00FF_00FF_00FF
  }

  @inline(__always) func parallelCompare(_ left: UInt64) {
    Self.compareInParallel(s, op, left)
    next()
  }

  @inline(never) private static func compareInParallel(_ s: State, _ op: Operations, _ left: UInt64) {
    let e = op.pointee.e
    var a = Int64(bitPattern: left)
    var b = Int64(bitPattern: s.gr[Int(op.pointee.b)])
    if e & 0x80 != 0 {
      a = Int64(Int32(truncatingIfNeeded: a))
      b = Int64(Int32(truncatingIfNeeded: b))
    }
    let result: Bool
    switch Relation(rawValue: e >> 2 & 0x1F) ?? .eq {
    case .eq: result = a == b
    case .ne: result = a != b
    case .lt: result = a < b
    case .le: result = a <= b
    case .gt: result = a > b
    case .ge: result = a >= b
    default: result = false
    }
    let pr = s.pr
    switch e & 3 {
    case ParallelCompare.and:
      if !result {
        pr[Int(op.pointee.d)] = 0
        pr[Int(op.pointee.c)] = 0
      }
    case ParallelCompare.or:
      if result {
        pr[Int(op.pointee.d)] = 1
        pr[Int(op.pointee.c)] = 1
      }
    default:
      if result {
        pr[Int(op.pointee.d)] = 1
        pr[Int(op.pointee.c)] = 0
      }
    }
  }

  // MARK: Floating point

  @inline(__always)
  func loadFloat<T: FixedWidthInteger & UnsignedInteger>(increments: Bool, _ unpack: (T) -> FloatRegister) {
    let o = op
    let address = b
    let entry = entry(address)
    if entry.pointee.readTag == address & (~0xFFF | UInt64(MemoryLayout<T>.size &- 1)) {
      s.f(o.pointee.d).value = unpack(entry.pointee.host(address).load(as: T.self))
      s.pointee.psr |= UInt64(o.pointee.a)
      if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
      next()
    } else {
      call { $0.loadFloatMiss($1, increments) }
    }
  }

  @inline(__always)
  func storeFloat<T: FixedWidthInteger & UnsignedInteger>(increments: Bool, _ pack: (FloatRegister) -> T) {
    let o = op
    let address = b
    let entry = entry(address)
    let place = s.f(o.pointee.d)
    if entry.pointee.writeTag == address & (~0xFFF | UInt64(MemoryLayout<T>.size &- 1)) && s.pointee.alat.filter == 0
      && !place.holdsTerm && !place.number.isNaTVal
    {
      entry.pointee.host(address).storeBytes(of: pack(place.number), as: T.self)
      if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
      next()
    } else {
      call { $0.storeFloatMiss($1, increments) }
    }
  }

  /// ldfd whose double stays one.
  @inline(__always) func loadHostDouble(increments: Bool) {
    let o = op
    let address = b
    let entry = entry(address)
    if entry.pointee.readTag == address & (~0xFFF | 7) {
      let bits = entry.pointee.host(address).load(as: UInt64.self)
      if FloatPlace.isModerate(bits) {
        s.f(o.pointee.d).keep(bits)
        s.pointee.psr |= UInt64(o.pointee.a)
        if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
        next()
        return
      }
    }
    call { $0.loadDouble($1, increments) }
  }

  /// stfd of a double that is one already.
  @inline(__always) func storeHostDouble(increments: Bool) {
    let o = op
    let address = b
    let entry = entry(address)
    let double = s.f(o.pointee.d)
    if double.isDouble && entry.pointee.writeTag == address & (~0xFFF | 7) && s.pointee.alat.filter == 0 {
      entry.pointee.host(address).storeBytes(of: double.word, as: UInt64.self)
      if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
      next()
    } else {
      call { $0.storeDouble($1, increments) }
    }
  }

  @inline(__always) func fillFloat(increments: Bool) {
    let o = op
    let address = b
    let entry = entry(address)
    if entry.pointee.readTag == address & (~0xFFF | 15) {
      let host = entry.pointee.host(address)
      s.f(o.pointee.d).value = FloatMemory.fill(host.load(as: UInt64.self), host.load(fromByteOffset: 8, as: UInt64.self))
      s.pointee.psr |= UInt64(o.pointee.a)
      if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
      next()
    } else {
      call { $0.loadFloatMiss($1, increments) }
    }
  }

  @inline(__always) func spillFloat(increments: Bool) {
    let o = op
    let address = b
    let entry = entry(address)
    if entry.pointee.writeTag == address & (~0xFFF | 15) && s.pointee.alat.filter == 0 && !s.f(o.pointee.d).holdsTerm {
      let host = entry.pointee.host(address)
      let (low, high) = FloatMemory.spill(s.f(o.pointee.d).number)
      host.storeBytes(of: low, as: UInt64.self)
      host.storeBytes(of: high, toByteOffset: 8, as: UInt64.self)
      if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
      next()
    } else {
      call { $0.storeFloatMiss($1, increments) }
    }
  }

  @inline(__always) func setSignificand() {
    let o = op
    s.f(o.pointee.d).value = FloatRegister(significand: a, signExponent: 0x1003E)
    s.pointee.psr |= o.pointee.d < 32 ? PSR.mfl : PSR.mfh
    next()
  }

  @inline(__always) func getSignificand() {
    let place = s.f(op.pointee.a)
    if place.isPlain && !place.number.isNaTVal {
      d.pointee = place.word
      next()
    } else {
      call { $0.getUnusualSignificand($1) }
    }
  }

  /// A multiply-add has been done, unless `done` is false: it is none of the ordinary ones.
  @inline(__always) func multiplyAdd(_ done: Bool) {
    if done { next() } else { call { $0.unusualMultiplyAdd($1) } }
  }

  /// The host's multiply-add. `rotating`: not all registers are below f32.
  @inline(__always) func hostMultiplyAdd(_ kind: HostMultiplyAdd.Kind, rotating: Bool) {
    let o = op
    let x = rotating ? s.f(o.pointee.a) : s.float(element: Int(o.pointee.a))
    let y = rotating ? s.f(o.pointee.b) : s.float(element: Int(o.pointee.b))
    let z = kind == .fmpy ? y : rotating ? s.f(o.pointee.c) : s.float(element: Int(o.pointee.c))
    let control = HostMultiplyAdd.control(s.ar[AR.fpsr])
    if Int64(bitPattern: x.tag & y.tag & z.tag) < 0 {
      let result = HostMultiplyAdd.compute(kind, x.word, y.word, z.word)
      if FloatPlace.isModerate(result)
        && (control == HostMultiplyAdd.inexact
          || (control == HostMultiplyAdd.stillExact
            && HostMultiplyAdd.isExact(kind, x.word, y.word, z.word, result)))
      {
        let target = rotating ? s.f(o.pointee.d) : s.float(element: Int(o.pointee.d))
        target.keep(result)
        s.pointee.psr |= rotating ? imm & (PSR.mfl | PSR.mfh) : PSR.mfl
        next()
        return
      }
    }
    call { $0.hostMultiplyAddOfOthers($1) }
  }

  @inline(__always) func mergeSigns() {
    let o = op
    let source = s.f(o.pointee.a)
    // A move, mostly.
    if o.pointee.a == o.pointee.b && !source.holdsTerm {
      s.f(o.pointee.d).copy(source)
      s.pointee.psr |= o.pointee.d < 32 ? PSR.mfl : PSR.mfh
      next()
    } else {
      call { $0.mergeSigns($1) }
    }
  }

  // MARK: Calls and other branches

  /// br.call: where to return to, and the caller's frame. `b` is the number of bundles up to behind the call.
  @inline(__always) private func enterCallee() {
    let o = op
    let owner = e.pointee.owner.unsafelyUnwrapped
    owner._withUnsafeGuaranteedRef { $0.call() }
    s.br[Int(o.pointee.d)] = r.pointee.ip &+ UInt64(o.pointee.b) &* 16
    retire(o)
  }

  @inline(__always) func callDirectly() {
    enterCallee()
    r.pointee.ip &+= imm
    follow(op)
  }

  @inline(__always) func callIndirectly() {
    let target = s.br[Int(op.pointee.a)] & ~0xF
    enterCallee()
    r.pointee.ip = target
    jump()
  }

  @inline(__always) func branchIndirectly() {
    retire(op)
    r.pointee.ip = s.br[Int(op.pointee.a)] & ~0xF
    jump()
  }

  @inline(__always) func returnFromCall() {
    let o = op
    retire(o)
    r.pointee.ip = s.br[Int(o.pointee.a)] & ~0xF
    if e.pointee.owner.unsafelyUnwrapped._withUnsafeGuaranteedRef({ $0.returnFrame() }) {
      jump()
    } else {
      call { $0.returnNeedsAttention($1) }
    }
  }

  @inline(__always) func countedLoop() {
    if s.ar[AR.lc] == 0 {
      op += 2
    } else {
      s.ar[AR.lc] &-= 1
      take(op)
    }
  }

  @inline(__always) func rotateAndBranch() {
    let o = op
    if e.pointee.owner.unsafelyUnwrapped._withUnsafeGuaranteedRef({ $0.rotateAndBranch(o) }) { take(op) } else { op = o + 2 }
  }
}
