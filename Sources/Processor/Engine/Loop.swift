import CThreadedCode
import IA64

typealias LoopPointer = UnsafeMutableRawPointer
typealias LoopRegistersPointer = UnsafeMutablePointer<LoopRegisters>
typealias Operations = UnsafeMutablePointer<MicroOp>

/// The loop as the body of a micro-operation sees it: the processor, and the registers, which the compiler keeps in the host's.
///
/// While the loop runs, `state.pointee.ip`, `instructions` and the engine's notes about time are those of the last way out of it. Whatever
/// may look at them is called through ``call(_:)``, whose callees begin with ``LogicalProcessor/synchronize(_:)``.
struct Loop {
  let s: State
  let r: LoopRegistersPointer

  @inline(__always) init(_ state: LoopPointer, _ registers: LoopRegistersPointer) {
    s = state.assumingMemoryBound(to: ProcessorState.self)
    r = registers
  }

  var e: UnsafeMutablePointer<EngineContext> { @inline(__always) get { EngineContext.of(s) } }
  var op: Operations {
    @inline(__always) get { r.pointee.op.assumingMemoryBound(to: MicroOp.self) }
    @inline(__always) nonmutating set { r.pointee.op = UnsafeMutableRawPointer(newValue) }
  }
  var block: UnsafeMutablePointer<Block> { @inline(__always) get { r.pointee.block.assumingMemoryBound(to: Block.self) } }
  var imm: UInt64 { @inline(__always) get { UInt64(bitPattern: op.pointee.imm) } }
  /// The registers that fields of the micro-operation name.
  var d: UnsafeMutablePointer<UInt64> { @inline(__always) get { s.gr + Int(op.pointee.d) } }
  var a: UInt64 { @inline(__always) get { s.gr[Int(op.pointee.a)] } }
  var b: UInt64 { @inline(__always) get { s.gr[Int(op.pointee.b)] } }
  var shift: UInt64 { @inline(__always) get { UInt64(op.pointee.c) } }

  @inline(__always) func next() { op += 1 }

  /// What is not done here: `body` returns the registers with which the loop goes on, its way out included.
  @inline(__always) func call(_ body: (LogicalProcessor, LoopRegisters) -> LoopRegisters) {
    r.pointee = e.pointee.owner.unsafelyUnwrapped._withUnsafeGuaranteedRef { body($0, r.pointee) }
  }

  // MARK: Integer operations

  @inline(__always) func set(_ value: UInt64) {
    d.pointee = value
    next()
  }

  @inline(__always) func setSigned(_ value: Int64) { set(UInt64(bitPattern: value)) }

  // MARK: Compares

  @inline(__always) func setPair(_ result: Bool) {
    let bit: UInt8 = result ? 1 : 0
    s.pr[Int(op.pointee.d)] = bit
    s.pr[Int(op.pointee.c)] = bit ^ 1
    next()
  }

  /// A compare fused with the branch behind it: e is the result on which it is taken.
  @inline(__always) func branchOn(_ result: Bool) {
    let bit: UInt8 = result ? 1 : 0
    let o = op
    s.pr[Int(o.pointee.d)] = bit
    s.pr[Int(o.pointee.c)] = bit ^ 1
    if bit == o.pointee.e { take(o + 1) } else { op = o + 3 }
  }

  var a4: UInt32 { @inline(__always) get { UInt32(truncatingIfNeeded: a) } }
  var b4: UInt32 { @inline(__always) get { UInt32(truncatingIfNeeded: b) } }
  var aSigned: Int64 { @inline(__always) get { Int64(bitPattern: a) } }
  var bSigned: Int64 { @inline(__always) get { Int64(bitPattern: b) } }
  var a4Signed: Int32 { @inline(__always) get { Int32(truncatingIfNeeded: a) } }
  var b4Signed: Int32 { @inline(__always) get { Int32(truncatingIfNeeded: b) } }
  var imm4: UInt32 { @inline(__always) get { UInt32(truncatingIfNeeded: op.pointee.imm) } }

  /// The bit that tbit tests.
  @inline(__always) func testBit() -> UInt8 {
    let o = op
    let bit = UInt8(truncatingIfNeeded: a &>> shift & 1)
    s.pr[Int(o.pointee.d)] = bit
    s.pr[Int(o.pointee.b)] = bit ^ 1
    return bit
  }

  // MARK: Memory

  @inline(__always) func entry(_ address: UInt64) -> UnsafeMutablePointer<SoftEntry> {
    e.pointee.dataTable + Int((address &>> 12) & SoftTLB.mask)
  }

  @inline(__always) func load<T: FixedWidthInteger & UnsignedInteger>(_: T.Type, increments: Bool) {
    let o = op
    let address = b
    let entry = entry(address)
    if entry.pointee.readTag == address & (~0xFFF | UInt64(MemoryLayout<T>.size &- 1)) {
      d.pointee = UInt64(entry.pointee.host(address).load(as: T.self))
      if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
      next()
    } else {
      call { $0.loadMiss($1, MemoryLayout<T>.size, increments) }
    }
  }

  @inline(__always) func store<T: FixedWidthInteger & UnsignedInteger>(_: T.Type, increments: Bool) {
    let o = op
    let address = b
    let entry = entry(address)
    if entry.pointee.writeTag == address & (~0xFFF | UInt64(MemoryLayout<T>.size &- 1)) && s.pointee.alat.filter == 0 {
      entry.pointee.host(address).storeBytes(of: T(truncatingIfNeeded: a), as: T.self)
      if increments { s.gr[Int(o.pointee.b)] = address &+ UInt64(bitPattern: o.pointee.imm) }
      next()
    } else {
      call { $0.storeMiss($1, MemoryLayout<T>.size, increments) }
    }
  }

  // MARK: Transfers

  /// Slots up to and with the branch are retired; it becomes what IIPA names.
  @inline(__always) func retire(_ branch: Operations) {
    let position = UInt64(branch.pointee.position)
    e.pointee.previousIP = r.pointee.ip
    e.pointee.previousPosition = position
    r.pointee.start &+= position &+ 1
  }

  /// The direct branch `branch` is taken.
  @inline(__always) func take(_ branch: Operations) {
    retire(branch)
    r.pointee.ip &+= UInt64(bitPattern: branch.pointee.imm)
    follow(branch)
  }

  /// To where the link behind `branch` leads, unless the slot limit is reached.
  @inline(__always) func follow(_ branch: Operations) {
    let link = UnsafeMutableRawPointer(branch + 1).assumingMemoryBound(to: Link.self)
    r.pointee.block = UnsafeMutableRawPointer(link.pointee.block)
    r.pointee.op = r.pointee.start >= e.pointee.limit ? UnsafeMutableRawPointer(e.pointee.limitReached) : link.pointee.entry
  }

  /// To the address in `ip`, unless the slot limit is reached.
  @inline(__always) func jump() {
    if r.pointee.start >= e.pointee.limit {
      op = e.pointee.limitReached
    } else {
      jumpWithoutLimit()
    }
  }

  /// To the address in `ip`, by the jump cache.
  @inline(__always) func jumpWithoutLimit() {
    let entry = e.pointee.jumps + Int((r.pointee.ip &>> 4) & UInt64(JumpEntry.count - 1))
    if entry.pointee.key == r.pointee.ip && entry.pointee.context == e.pointee.jumpContext {
      r.pointee.block = UnsafeMutableRawPointer(entry.pointee.block.unsafelyUnwrapped)
      r.pointee.op = entry.pointee.entry.unsafelyUnwrapped
    } else {
      call { $0.jumpMiss($1) }
    }
  }
}

extension SoftEntry {
  /// Host address of a virtual address on the page.
  @inline(__always) func host(_ address: UInt64) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(bitPattern: Int(truncatingIfNeeded: address) &+ addend).unsafelyUnwrapped
  }
}
