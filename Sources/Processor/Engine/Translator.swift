import IA64

/// Turns bundles into micro-operations.
///
/// A block starts at any slot and runs to the first unconditional transfer, the first instruction after which the machine must be
/// looked at again (PSR changes, interrupts, serialization), the end of its 4 KiB page, or a size limit. nops vanish.
struct Translator {
  static let maximumPositions = 192
  /// With an issue group at each slot there is still room.
  static let maximumOperations = 768
  /// What a block's micro-operations may take, its `enter` included.
  static let bufferCapacity = maximumOperations + 18

  private let block: UnsafeMutablePointer<Block>
  /// Of the first bundle in its page.
  private let offset: UInt64
  private(set) var operations: UnsafeMutablePointer<MicroOp>
  var count = 0
  /// What the header needs.
  private(set) var highestTarget: UInt8 = 0
  private(set) var floatUse: UInt8 = 0
  /// 32 + sof once an alloc of this block has told; nil while the frame is the one of entry.
  private var knownTop: UInt8?
  /// The last skip, its predicate, and the index behind what it skips, while nothing it covers writes predicates.
  private var openSkip: (index: Int, qp: UInt8, end: Int)?
  /// Index of the last compare that no predicate qualifies.
  private var unconditionalCompare: Int?
  /// Index of the last reference that no predicate qualifies and that updates nothing.
  private var unconditionalReference: Int?
  /// A division, as long as the instructions behind `frcpa` may be one.
  var division: OpenDivision?
  /// Issue groups that are still to begin, and how far from the block's header the first of them lies.
  private var groups: UnsafeRawPointer?
  private var groupsEnd: UnsafeRawPointer?
  private var groupOffset = 0
  let specialisations: Specialisations
  /// Exact frame and FP-disable state: translation of one instruction for the stepper.
  private let single: (top: UInt8, floatDisabled: UInt8)?

  /// The micro-operations are written behind the header of `block`; `offset` is that of its first bundle in the page.
  init(
    block: UnsafeMutablePointer<Block>, offset: UInt64, _ specialisations: Specialisations,
    single: (top: UInt8, floatDisabled: UInt8)? = nil
  ) {
    self.block = block
    self.specialisations = specialisations
    self.offset = offset
    operations = Block.operations(block)
    self.single = single
    knownTop = single?.top
  }

  /// The block's issue groups, `byteCount` of them, will lie `offset` bytes from its header.
  mutating func setGroups(_ records: UnsafeRawPointer, byteCount: Int, offset: Int) {
    groups = records
    groupsEnd = records + byteCount
    groupOffset = offset
  }

  /// An issue group that begins at `position` gets its micro-operation; nothing is fused or skipped across it.
  private mutating func beginGroup(_ position: Int) {
    guard let record = groups, let end = groupsEnd, record < end else { return }
    let header = record.load(as: IssueGroupHeader.self)
    guard Int(header.start) <= position else { return }
    if !header.isLead {
      append(MicroOp(.issue, UInt8(position), imm: Int64(groupOffset)))
      openSkip = nil
    }
    groups = record + Int(header.byteCount)
    groupOffset += Int(header.byteCount)
  }

  /// One instruction for the stepper: nothing is left out or fused, because the state that allows it is not given.
  var exact: Bool { single != nil }

  enum Flow { case next, ends }

  /// hint @pause (Volume 3, hint).
  private static let pauseHint: Int64 = 0

  /// Translates from `host` (the bundle), `physical` its address; `limitBundles` bundles of its page may be read.
  /// Returns the position behind the last instruction.
  mutating func run(_ host: UnsafeRawPointer, startSlot: Int, limitBundles: Int) -> Int {
    var bundleIndex = 0
    var slot = startSlot
    while true {
      let bundle = Bundle(
        low: host.loadUnaligned(fromByteOffset: bundleIndex * 16, as: UInt64.self),
        high: host.loadUnaligned(fromByteOffset: bundleIndex * 16 + 8, as: UInt64.self))
      let long = bundle.isLong
      while slot < 3 {
        let position = bundleIndex * 3 + slot
        let instruction = Decoder.decode(bundle: bundle, slot: slot)
        let groupStart = count
        if groups != nil { beginGroup(position) }
        if division != nil { separateSteps(instruction) }
        let start = count
        let flow = emit(instruction, UInt8(position))
        if division != nil || instruction.operation == .frcpa {
          followDivision(instruction, UInt8(position), groupStart: groupStart, start: start, flow)
        }
        slot = long && slot == 1 ? 3 : slot + 1
        let next = slot == 3 ? bundleIndex * 3 + 3 : bundleIndex * 3 + slot
        if let single {
          if floatUse & single.floatDisabled != 0 { disable(floatUse & single.floatDisabled, UInt8(position)) }
          if flow == .next { append(end(.endUnlinked, next)) }
          return next
        }
        if flow == .ends { return next }
        if count > Self.maximumOperations - 16 && next < limitBundles * 3 {
          appendLinked(end(.end, next))
          return next
        }
      }
      slot = 0
      bundleIndex += 1
      if bundleIndex == limitBundles {
        append(end(.endUnlinked, bundleIndex * 3))
        return bundleIndex * 3
      }
      if bundleIndex * 3 >= Self.maximumPositions {
        appendLinked(end(.end, bundleIndex * 3))
        return bundleIndex * 3
      }
    }
  }

  mutating func setKnownTop(_ top: UInt8) { knownTop = top }

  /// Replaces the body of a single instruction that names disabled registers by the fault; Illegal Operation comes first.
  private mutating func disable(_ halves: UInt8, _ position: UInt8) {
    let predicated = count > 0 && (operations[0].tag == .skipUnless || operations[0].tag == .skipUnlessClearing)
    let body = predicated ? 1 : 0
    if operations[body].tag == .illegal { return }
    count = body
    append(MicroOp(.disabledFP, position, imm: Int64(halves)))
    if predicated { operations[0].imm = 1 }
  }

  /// Micro-operations have moved: nothing is fused with those.
  mutating func forgetLast() { (openSkip, unconditionalCompare, unconditionalReference) = (nil, nil, nil) }

  mutating func append(_ op: MicroOp) {
    operations[count] = op
    count += 1
  }

  /// The block ends in front of `position`.
  private func end(_ tag: MicroTag, _ position: Int) -> MicroOp {
    MicroOp(tag, UInt8(position), c: UInt8(position % 3), imm: Int64(position / 3) * 16)
  }

  private mutating func appendLinked(_ op: MicroOp) {
    append(op)
    // Links stay inside a page, where virtual and physical target move together.
    let isNear = offset &+ UInt64(bitPattern: op.imm) < 4096 && specialisations.contains(.links)
    let link = UnsafeMutableRawPointer(operations + count)
    link.storeBytes(of: Link(handler: LoopLabels.of(isNear ? .resolve : .far), entry: link, block: block), as: Link.self)
    count += 1
  }

  private mutating func appendGeneral(_ op: MicroOp, _ i: Instruction) {
    append(op)
    UnsafeMutableRawPointer(operations + count).storeBytes(
      of: GeneralOperands(operation: i.operation, attributes: i.attributes, length: i.length), as: GeneralOperands.self)
    count += 1
  }

  // MARK: Legality of targets (Volume 3, check_target_register)

  mutating func legal(gr n: UInt8) -> Bool {
    if n == 0 { return false }
    if n < 32 { return true }
    if let top = knownTop { return n < top }
    highestTarget = max(highestTarget, n + 1)
    return true
  }

  mutating func uses(fr registers: UInt8...) {
    for n in registers where n > 1 { floatUse |= n < 32 ? 1 : 2 }
  }

  private func p(_ n: UInt8) -> UInt8 { n == 0 ? 64 : n }

  // MARK: Emission

  private mutating func emit(_ i: Instruction, _ position: UInt8) -> Flow {
    switch i.operation {
    case .nop, .brp, .brpIndirect, .brpRet: return emitNothing(position)
    case .hint where i.immediate != Self.pauseHint: return emitNothing(position)
    default: break
    }
    let qp = i.qp
    let predicatesBranch: Bool
    switch i.operation {
    // br.ia with a predicate is illegal whatever the predicate holds (Volume 3, br).
    case .brCond, .brWexit, .brWtop, .brIA, .reserved: predicatesBranch = true
    default: predicatesBranch = false
    }
    if qp == 0 || predicatesBranch { return emitBody(i, position) }
    // A skip in front of everything else that is predicated; instructions in a row with the same predicate share it.
    if !exact, specialisations.contains(.predicates), let open = openSkip, open.end == count, open.qp == qp, i.keepsPredicates {
      let flow = emitBody(i, position)
      operations[open.index].imm = Int64(count - open.index - 1)
      openSkip = flow == .next ? (open.index, qp, count) : nil
      return .next
    }
    let skip = count
    switch i.operation {
    case .frcpa, .fprcpa, .frsqrta, .fprsqrta:
      // Predicated off they still clear p2.
      append(MicroOp(.skipUnlessClearing, position, d: 64, a: qp, c: p(i.p2)))
    case _ where i.isUncondCompare:
      // Equal targets are illegal whatever PR[qp] holds.
      guard i.p1 != i.p2 else { return illegal(position) }
      append(MicroOp(.skipUnlessClearing, position, d: p(i.p1), a: qp, c: p(i.p2)))
    default:
      append(MicroOp(.skipUnless, position, a: qp))
    }
    let flow = emitBody(i, position)
    operations[skip].imm = Int64(count - skip - 1)
    openSkip = flow == .next && i.keepsPredicates ? (skip, qp, count) : nil
    if flow == .ends {
      // The block ends only if the predicate is true; here it goes on behind the instruction.
      return .next
    }
    return flow
  }

  /// A nop.
  private mutating func emitNothing(_ position: UInt8) -> Flow {
    if !specialisations.contains(.nops) { append(MicroOp(.mov, position)) }
    return .next
  }

  /// Operand fields at their usual places.
  private func plain(_ tag: MicroTag, _ i: Instruction, _ position: UInt8, imm: Int64 = 0) -> MicroOp {
    MicroOp(tag, position, d: i.r1, a: i.r2, b: i.r3, imm: imm)
  }

  mutating func illegal(_ position: UInt8) -> Flow {
    append(MicroOp(.illegal, position))
    return .ends
  }

  mutating func generalOp(_ i: Instruction, _ position: UInt8, imm: Int64? = nil, tag: MicroTag = .general) {
    let op = MicroOp(
      tag, position, d: i.r1, a: i.r2, b: i.r3, c: UInt8(truncatingIfNeeded: i.encoding >> 27 & 0x7F),
      e: i.statusField, imm: imm ?? i.immediate)
    appendGeneral(op, i)
  }

  /// An integer operation whose target is r1.
  private mutating func integer(_ op: MicroOp) -> Flow {
    guard legal(gr: op.d) else { return illegal(op.position) }
    append(op)
    return .next
  }

  private mutating func emitBody(_ i: Instruction, _ position: UInt8) -> Flow {
    switch i.operation {
    case .reserved, .reservedIfPredicated: return illegal(position)
    case .nop, .brp, .brpIndirect, .brpRet: return .next
    case .hint:
      // hint.x ends in slot 2.
      generalOp(i, i.unit == .x ? position + 1 : position)
      return .next

    case .add: return integer(plain(.add, i, position))
    case .addOne: return integer(plain(.addOne, i, position))
    case .sub: return integer(plain(.sub, i, position))
    case .subOne: return integer(plain(.subOne, i, position))
    case .and: return integer(plain(.and, i, position))
    case .andcm: return integer(plain(.andcm, i, position))
    case .or: return integer(plain(.or, i, position))
    case .xor: return integer(plain(.xor, i, position))
    case .shladd: return integer(MicroOp(.shladd, position, d: i.r1, a: i.r2, b: i.r3, c: UInt8(i.immediate2)))
    case .subImmediate: return integer(plain(.subImm, i, position, imm: i.immediate))
    case .andImmediate: return integer(plain(.andImm, i, position, imm: i.immediate))
    case .andcmImmediate: return integer(plain(.andcmImm, i, position, imm: i.immediate))
    case .orImmediate: return integer(plain(.orImm, i, position, imm: i.immediate))
    case .xorImmediate: return integer(plain(.xorImm, i, position, imm: i.immediate))
    case .addImmediate14:
      if i.r3 == 0 { return integer(MicroOp(.movImm, position, d: i.r1, imm: i.immediate)) }
      if i.immediate == 0 { return integer(MicroOp(.mov, position, d: i.r1, a: i.r3)) }
      return addImmediate(MicroOp(.addImm, position, d: i.r1, a: i.r3, imm: i.immediate), qp: i.qp)
    case .addImmediate22:
      if i.r3Short == 0 { return integer(MicroOp(.movImm, position, d: i.r1, imm: i.immediate)) }
      return addImmediate(MicroOp(.addImm, position, d: i.r1, a: i.r3Short, imm: i.immediate), qp: i.qp)
    case .movLong: return integer(MicroOp(.movImm, position, d: i.r1, imm: i.immediate))

    case .compare, .compareImmediate, .compareZero: return emitCompare(i, position)
    case .testBit: return emitTestBit(i, position)

    case .sxt:
      let tag: MicroTag = i.attributes.size == 1 ? .sxt1 : i.attributes.size == 2 ? .sxt2 : .sxt4
      return integer(MicroOp(tag, position, d: i.r1, a: i.r3))
    case .zxt:
      let tag: MicroTag = i.attributes.size == 1 ? .zxt1 : i.attributes.size == 2 ? .zxt2 : .zxt4
      return integer(MicroOp(tag, position, d: i.r1, a: i.r3))
    case .shl: return integer(MicroOp(.shl, position, d: i.r1, a: i.r2, b: i.r3))
    case .shr:
      return integer(MicroOp(i.attributes.variant == .unsigned ? .shru : .shr, position, d: i.r1, a: i.r3, b: i.r2))
    case .shrp:
      return integer(MicroOp(.shrp, position, d: i.r1, a: i.r2, b: i.r3, c: UInt8(i.immediate2 & 63)))
    case .extr, .depZ, .depZImmediate, .depImmediate, .dep: return emitBitField(i, position)

    case .movFromBR: return integer(MicroOp(.movFromBR, position, d: i.r1, a: i.b2))
    case .movToBR:
      append(MicroOp(.movToBR, position, d: i.b1, a: i.r2))
      return .next

    case .load, .loadFill: return emitLoad(i, position)
    case .store, .storeSpill: return emitStore(i, position)
    case .loadFP, .loadFPFill, .storeFP, .storeFPSpill: return emitFloatMemory(i, position)
    case .setf:
      guard i.f1 > 1 else { return illegal(position) }
      uses(fr: i.f1)
      if i.attributes.variant == .significand {
        append(MicroOp(.setfSig, position, d: i.f1, a: i.r2))
      } else {
        generalOp(i, position)
      }
      return .next
    case .getf:
      guard legal(gr: i.r1) else { return illegal(position) }
      uses(fr: i.f2)
      if i.attributes.variant == .significand {
        append(MicroOp(.getfSig, position, d: i.r1, a: i.f2))
      } else {
        generalOp(i, position)
      }
      return .next

    case .brCond:
      if i.qp == 0 {
        appendLinked(MicroOp(.br, position, c: knownTop ?? 0, imm: i.immediate &+ Int64(position / 3) * 16))
        return .ends
      }
      fuseCompare(with: i.qp)
      let distance = i.immediate &+ Int64(position / 3) * 16
      appendLinked(MicroOp(.brIf, position, a: i.qp, c: knownTop ?? 0, imm: distance))
      return .next
    case .brlCond:
      appendLinked(MicroOp(.br, position, c: knownTop ?? 0, imm: i.immediate &+ Int64(position / 3) * 16))
      return .ends
    case .brCall, .brlCall:
      // Of the callee's frame nothing is known.
      appendLinked(
        MicroOp(.brCall, position, d: i.b1, b: position / 3 + 1, c: 1, imm: i.immediate &+ Int64(position / 3) * 16))
      return .ends
    case .brCondIndirect:
      append(MicroOp(.brIndirect, position, a: i.b2))
      return .ends
    case .brCallIndirect:
      append(MicroOp(.brCallIndirect, position, d: i.b1, a: i.b2, b: position / 3 + 1))
      return .ends
    case .brRet:
      append(MicroOp(.brRet, position, a: i.b2))
      return .ends
    case .brCloop:
      guard position % 3 == 2 else { return illegal(position) }
      appendLinked(MicroOp(.brCloop, position, c: knownTop ?? 0, imm: i.immediate &+ Int64(position / 3) * 16))
      return .next
    case .brCtop, .brCexit, .brWtop, .brWexit:
      guard position % 3 == 2 else { return illegal(position) }
      let kind: UInt8 = i.operation == .brCtop ? 0 : i.operation == .brCexit ? 1 : i.operation == .brWtop ? 2 : 3
      appendLinked(
        MicroOp(.brRotate, position, a: i.qp, c: knownTop ?? 0, e: kind, imm: i.immediate &+ Int64(position / 3) * 16))
      return .next

    case .fma, .fms, .fnma:
      guard i.f1 > 1 else { return illegal(position) }
      uses(fr: i.f1, i.f2, i.f3, i.f4)
      append(multiplyAdd(i, position))
      return .next
    case .xma:
      guard i.f1 > 1 else { return illegal(position) }
      uses(fr: i.f1, i.f2, i.f3, i.f4)
      let kind: UInt8 = i.attributes.variant == .low ? 0 : i.attributes.variant == .high ? 1 : 2
      append(MicroOp(.xma, position, d: i.f1, a: i.f3, b: i.f4, c: i.f2, e: kind))
      return .next

    default: return emitGeneral(i, position)
    }
  }

  // MARK: Compares

  /// A branch on predicate `qp` follows: fuses it with the last compare if that has set the predicate, unconditionally, and nothing but
  /// computation stands between them, which comes first then: it neither faults nor concerns the compare.
  private mutating func fuseCompare(with qp: UInt8) {
    guard !exact, specialisations.contains(.pairs), let place = unconditionalCompare,
      let fused = operations[place].tag.fusedWithBranch
    else { return }
    var compare = operations[place]
    let other = compare.tag == .tbit ? compare.b : compare.c
    guard compare.d == qp || other == qp else { return }
    for between in place + 1..<count {
      let op = operations[between]
      guard op.tag.isComputation, op.d != compare.a, op.d != compare.b || compare.tag == .tbit else { return }
    }
    for between in place + 1..<count { operations[between - 1] = operations[between] }
    compare.e = compare.d == qp ? 1 : 0
    compare.become(fused)
    operations[count - 1] = compare
    unconditionalCompare = nil
  }

  private mutating func emitCompare(_ i: Instruction, _ position: UInt8) -> Flow {
    guard i.p1 != i.p2 else { return illegal(position) }
    let four = i.attributes.size == 4
    let immediate = i.operation == .compareImmediate
    // A7 compares r0 with r3; a is the left operand.
    let left = i.operation == .compareZero ? 0 : i.r2
    switch i.attributes.comparison {
    case .normal, .unc:
      let tag: MicroTag
      switch (i.attributes.relation, immediate, four) {
      case (.eq, false, false): tag = .cmpEq
      case (.lt, false, false): tag = .cmpLt
      case (.ltu, false, false): tag = .cmpLtu
      case (.eq, true, false): tag = .cmpEqImm
      case (.lt, true, false): tag = .cmpLtImm
      case (.ltu, true, false): tag = .cmpLtuImm
      case (.eq, false, true): tag = .cmp4Eq
      case (.lt, false, true): tag = .cmp4Lt
      case (.ltu, false, true): tag = .cmp4Ltu
      case (.eq, true, true): tag = .cmp4EqImm
      case (.lt, true, true): tag = .cmp4LtImm
      case (.ltu, true, true): tag = .cmp4LtuImm
      default: preconditionFailure("compare of type normal with relation \(i.attributes.relation)")
      }
      if i.qp == 0 { unconditionalCompare = count }
      append(MicroOp(tag, position, d: p(i.p1), a: left, b: i.r3, c: p(i.p2), imm: i.immediate))
    case .and, .or, .orAndcm:
      let type = parallelType(i)
      append(
        MicroOp(
          immediate ? .cmpParallelImm : .cmpParallel, position, d: p(i.p1), a: left, b: i.r3, c: p(i.p2),
          e: ParallelCompare.pack(type, i.attributes.relation, size: i.attributes.size), imm: i.immediate))
    }
    return .next
  }

  private func parallelType(_ i: Instruction) -> UInt8 {
    switch i.attributes.comparison {
    case .or: ParallelCompare.or
    case .orAndcm: ParallelCompare.orAndcm
    case .and, .normal, .unc: ParallelCompare.and
    }
  }

  private mutating func emitTestBit(_ i: Instruction, _ position: UInt8) -> Flow {
    guard i.p1 != i.p2 else { return illegal(position) }
    if i.attributes.comparison == .normal || i.attributes.comparison == .unc {
      let whenOne = i.attributes.relation == .z ? p(i.p2) : p(i.p1)
      let whenZero = i.attributes.relation == .z ? p(i.p1) : p(i.p2)
      if i.qp == 0 { unconditionalCompare = count }
      append(MicroOp(.tbit, position, d: whenOne, a: i.r3, b: whenZero, c: UInt8(i.immediate & 63)))
      return .next
    }
    generalOp(i, position)
    return .next
  }

  // MARK: Bit fields

  private mutating func emitBitField(_ i: Instruction, _ position: UInt8) -> Flow {
    let pos = UInt64(i.immediate & 63)
    let length = UInt64(i.length)
    switch i.operation {
    case .extr:
      let len = min(length, 64 - pos)
      if i.attributes.variant == .unsigned {
        let mask = len >= 64 ? UInt64.max : (1 << len) - 1
        return integer(
          MicroOp(.extru, position, d: i.r1, a: i.r3, c: UInt8(pos), imm: Int64(bitPattern: mask)))
      }
      return integer(MicroOp(.extr, position, d: i.r1, a: i.r3, b: UInt8(64 - len), c: UInt8(64 - len - pos)))
    case .depZ, .depZImmediate, .depImmediate, .dep:
      let len = min(length, 64 - pos)
      let mask = (len >= 64 ? UInt64.max : (1 << len) - 1) << pos
      switch i.operation {
      case .depZ:
        return integer(MicroOp(.depZ, position, d: i.r1, a: i.r2, c: UInt8(pos), imm: Int64(bitPattern: mask)))
      case .depZImmediate:
        return integer(
          MicroOp(.movImm, position, d: i.r1, imm: Int64(bitPattern: (UInt64(bitPattern: i.immediate2) << pos) & mask)))
      case .depImmediate:
        if i.immediate2 == 0 {
          return integer(MicroOp(.andImm, position, d: i.r1, b: i.r3, imm: Int64(bitPattern: ~mask)))
        }
        return integer(MicroOp(.orImm, position, d: i.r1, b: i.r3, imm: Int64(bitPattern: mask)))
      default:
        return integer(
          MicroOp(.dep, position, d: i.r1, a: i.r2, b: i.r3, c: UInt8(pos), imm: Int64(bitPattern: mask)))
      }
    default: return illegal(position)
    }
  }

  // MARK: Memory

  /// Legality of a base register that is updated, and the update itself behind the access.
  mutating func emitUpdate(_ i: Instruction, _ position: UInt8) {
    switch i.attributes.update {
    case .none: break
    case .register: append(MicroOp(.add, position, d: i.r3, a: i.r3, b: i.r2))
    case .immediate:
      if !exact, specialisations.contains(.pairs), count > 0, operations[count - 1].position == position,
        operations[count - 1].b == i.r3,
        let fused = operations[count - 1].tag.withIncrement
      {
        operations[count - 1].become(fused)
        operations[count - 1].imm = i.immediate
      } else {
        append(MicroOp(.addImm, position, d: i.r3, a: i.r3, imm: i.immediate))
      }
    }
  }

  /// An addition that moves the base of the reference in front of it is that reference's update, as one with an immediate update is. (The loop
  /// over a row of a matrix has a stride that does not fit into a load.)
  private mutating func addImmediate(_ op: MicroOp, qp: UInt8) -> Flow {
    guard qp == 0, op.d == op.a, let reference = unconditionalReference, reference == count - 1, operations[reference].b == op.d,
      specialisations.contains(.pairs), let fused = operations[reference].tag.withIncrement
    else { return integer(op) }
    guard legal(gr: op.d) else { return illegal(op.position) }
    operations[reference].become(fused)
    operations[reference].imm = op.imm
    return .next
  }

  /// A reference has been appended, whose base may yet be moved. A general register that is loaded is another one then.
  private mutating func noteReference(_ i: Instruction) {
    if !exact, i.qp == 0, i.attributes.update == .none, operations[count - 1].tag.withIncrement != nil,
      i.operation != .load || i.r1 != i.r3
    {
      unconditionalReference = count - 1
    }
  }

  private mutating func emitLoad(_ i: Instruction, _ position: UInt8) -> Flow {
    guard legal(gr: i.r1) else { return illegal(position) }
    if i.attributes.update != .none {
      guard i.r1 != i.r3, legal(gr: i.r3) else { return illegal(position) }
      if i.attributes.update == .register && i.r1 == i.r2 {
        generalOp(i, position)
        return .next
      }
    }
    if i.operation == .loadFill {
      append(MicroOp(.ld8Fill, position, d: i.r1, b: i.r3))
    } else {
      switch i.attributes.access {
      case .normal, .bias, .acquire, .release:
        let tag: MicroTag
        switch i.attributes.size {
        case 1: tag = .ld1
        case 2: tag = .ld2
        case 4: tag = .ld4
        default: tag = .ld8
        }
        append(MicroOp(tag, position, d: i.r1, b: i.r3))
      default:
        append(MicroOp(.loadSpecial, position, d: i.r1, a: i.attributes.size, b: i.r3, c: i.attributes.access.rawValue))
      }
    }
    noteReference(i)
    emitUpdate(i, position)
    return .next
  }

  private mutating func emitStore(_ i: Instruction, _ position: UInt8) -> Flow {
    if i.attributes.update != .none {
      guard legal(gr: i.r3) else { return illegal(position) }
    }
    if i.operation == .storeSpill {
      append(MicroOp(.st8Spill, position, a: i.r2, b: i.r3))
    } else {
      let tag: MicroTag
      switch i.attributes.size {
      case 1: tag = .st1
      case 2: tag = .st2
      case 4: tag = .st4
      default: tag = .st8
      }
      append(MicroOp(tag, position, a: i.r2, b: i.r3))
    }
    noteReference(i)
    emitUpdate(i, position)
    return .next
  }

  private mutating func emitFloatMemory(_ i: Instruction, _ position: UInt8) -> Flow {
    let isLoad = i.operation == .loadFP || i.operation == .loadFPFill
    if isLoad { guard i.f1 > 1 else { return illegal(position) } }
    if i.attributes.update != .none { guard legal(gr: i.r3) else { return illegal(position) } }
    uses(fr: isLoad ? i.f1 : i.f2)
    let whole: Int64 = i.operation == .loadFPFill || i.operation == .storeFPSpill ? 1 : 0
    let tag: MicroTag
    switch i.attributes.floatFormat {
    case _ where !specialisations.contains(.floatingPoint): tag = isLoad ? .loadFP : .storeFP
    case _ where whole != 0: tag = isLoad ? .ldfFill : .stfSpill
    case _ where isLoad && i.attributes.access != .normal: tag = .loadFP
    case .single: tag = isLoad ? .ldfs : .stfs
    case .double where specialisations.computesOnHost: tag = isLoad ? .ldfdHost : .stfdHost
    case .double: tag = isLoad ? .ldfd : .stfd
    default: tag = isLoad ? .loadFP : .storeFP
    }
    append(
      MicroOp(
        tag, position, d: isLoad ? i.f1 : i.f2, a: UInt8(i.f1 < 32 ? PSR.mfl : PSR.mfh), b: i.r3,
        c: i.attributes.access.rawValue, e: i.attributes.floatFormat.rawValue, imm: whole))
    noteReference(i)
    emitUpdate(i, position)
    return .next
  }
}

extension Instruction {
  /// Compares and tests of type `unc`, and the other instructions that clear both predicates when predicated off.
  var isUncondCompare: Bool {
    switch operation {
    case .compare, .compareZero, .compareImmediate, .testBit, .testNaT, .testFeature, .fcmp, .fclass:
      return attributes.comparison == .unc
    default: return false
    }
  }
}

extension Instruction {
  /// Plain computation and memory references: they write no predicate and go on with the next instruction.
  var keepsPredicates: Bool {
    switch operation {
    case .add, .addOne, .sub, .subOne, .and, .andcm, .or, .xor, .shladd, .subImmediate, .andImmediate, .andcmImmediate,
      .orImmediate,
      .xorImmediate, .addImmediate14, .addImmediate22, .movLong, .sxt, .zxt, .shl, .shr, .shrp, .extr, .depZ, .depZImmediate,
      .depImmediate, .dep, .movFromBR, .movToBR, .load, .store, .loadFP, .storeFP, .setf, .getf, .fma, .fms, .fnma, .xma, .fcvtFX,
      .fcvtXF, .fmerge, .addp4, .addp4Immediate, .shladdp4:
      return true
    default: return false
    }
  }
}
