import Hypervisor
import Platform
import Processor

/// A recorder's ear at one processor: knows where it is, and which exit of it is being handled.
final class ProcessorProbe: ProcessorObserver {
  private unowned let recorder: TraceRecorder
  private unowned let machine: Machine
  private unowned let virtual: VirtualProcessor?
  private unowned let processor: LogicalProcessor
  private let domain: UInt16
  private let index: UInt8
  /// Where it runs.
  var physical: UInt8
  /// The exit that is being handled: what it has cost is known at its end.
  private var open: TraceRecord?
  /// When the one before it was over.
  private var closed: UInt64 = 0
  /// Number of the general register that the open exit's instruction may write; 0: none.
  private var target = 0
  /// Of a call of the firmware that is being made.
  private var call: (start: UInt64, ip: UInt64, index: UInt64, argument: UInt64)?
  private var status: UInt64 = 0
  /// The exit that the run was stopped at, which must be let through when it goes on: so many had been handled before.
  private var heldAfter: UInt64?

  init(_ recorder: TraceRecorder, machine: Machine, domain: UInt16, index: Int, virtual: VirtualProcessor?) {
    (self.recorder, self.machine, self.domain, self.virtual) = (recorder, machine, domain, virtual)
    processor = machine.processors[index]
    self.index = UInt8(truncatingIfNeeded: index)
    physical = self.index
  }

  private func record(_ kind: TraceKind) -> TraceRecord {
    var r = TraceRecord(cycle: processor.currentCycle, kind: kind)
    (r.domain, r.processor, r.physical) = (domain, index, physical)
    return r
  }

  private var live: () -> GuestRegisters { { [processor, virtual] in GuestRegisters(processor, guest: virtual?.guest) } }

  /// What conditions see; without one nobody asks.
  private func append(_ r: TraceRecord) {
    if recorder.condition == nil { recorder.append(r) } else { recorder.append(r, live) }
  }

  // MARK: ProcessorObserver

  func interrupted(_ p: LogicalProcessor, _ vector: Vector, slot: UInt64) {
    let s = p.state
    var r = record(.interruption)
    r.cause = vector.rawValue
    r.ip = s.cr[CR.iip] | slot & 3
    r.a = s.cr[CR.isr]
    r.b = s.cr[CR.ipsr]
    let writes = s.pointee.fault.writes
    if writes.contains(.ifa) { r.detail = s.pointee.fault.ifa }
    if writes.contains(.iim) { r.c = s.pointee.fault.iim }
    append(r)
  }

  func returned(_ p: LogicalProcessor) {
    guard recorder.condition != nil else { return }
    var r = record(.rfi)
    r.ip = p.state.pointee.ip
    append(r)
  }

  func inserted(_ p: LogicalProcessor, _ t: Translation, address: UInt64, register: Int?, instruction: Bool) {
    var r = record(.insert)
    r.cause = (instruction ? 1 : 0) | (register.map { 2 * UInt16(1 + $0) } ?? 0)
    r.ip = p.state.pointee.ip
    r.detail = address
    r.a = t.physical
    r.b = UInt64(t.rid) << 8 | UInt64(t.pageShift)
    r.c = UInt64(t.accessRights) | UInt64(t.privilegeLevel) << 3 | UInt64(t.attribute) << 5 | UInt64(t.key) << 8
    append(r)
  }

  func purged(_ p: LogicalProcessor, _ purge: TranslationPurge) {
    var r = record(.purge)
    r.cause = UInt16(purge.kind.rawValue)
    r.ip = p.state.pointee.ip
    (r.detail, r.a, r.b) = (purge.start, purge.last, UInt64(purge.rid))
    append(r)
  }

  func callsFirmware(_ p: LogicalProcessor, _ number: UInt64) {
    let s = p.state
    // PAL's static convention has the index in r28; stacked PAL calls, SAL and EFI have theirs in r32.
    let isPAL = number == 0x10
    call = (p.currentCycle, s.pointee.ip, isPAL ? s.gr[28] : s.gr[32], isPAL ? s.gr[29] : s.gr[33])
  }

  func calledFirmware(_ p: LogicalProcessor, _ number: UInt64) {
    status = p.state.gr[8]
    // A domain's is an exit.
    guard virtual == nil, let call else { return }
    self.call = nil
    var r = record(.firmware)
    r.cause = UInt16(truncatingIfNeeded: number)
    (r.cycle, r.ip, r.detail, r.a, r.c) = (call.start, call.ip, call.index, call.argument, status)
    r.cost = p.currentCycle &- call.start
    append(r)
  }

  // MARK: Exits

  private func begin(_ kind: ExitKind, ip: UInt64, detail: UInt64, cycle: UInt64) -> TraceRecord {
    let s = processor.state
    var r = record(.exit)
    (r.cycle, r.ip, r.detail) = (cycle, ip, detail)
    r.cause = UInt16(kind.index)
    switch kind {
    case .instruction:
      // Whatever the format: r1 is in bits 12:6, r2 in 19:13, r3 in 26:20.
      r.a = s.gr[Int(detail >> 20 & 0x7F)]
      r.b = s.gr[Int(detail >> 13 & 0x7F)]
    case .hypercall:
      r.a = s.gr[32]
      r.b = s.gr[33]
    case .hyperprivop:
      r.a = s.gr[8]
      r.b = s.gr[9]
    case .firmware:
      if let call { (r.a, r.b, r.c) = (call.index, call.argument, status) }
    default: break
    }
    return r
  }

  private static func writesRegister(_ kind: ExitKind) -> Int? {
    switch kind {
    case .hypercall, .hyperprivop: 8
    case .instruction(let cause):
      switch cause {
      case .movFromAR, .movFromCR, .movFromPSR, .movFromRR, .movFromDBR, .movFromIBR, .movFromPKR, .movFromPMC, .movFromCPUID,
        .thash, .ttag, .tpa, .tak:
        nil
      default: 0
      }
    default: 0
    }
  }

  func exited(_ exit: ExitLog.Entry) {
    close()
    var r = begin(exit.kind, ip: exit.ip, detail: exit.detail, cycle: exit.cycle)
    switch exit.kind {
    case .deviceMemory, .port, .interruptBlock, .ioSAPIC: recorder.nameRegister(exit.detail) { machine.bus.name(of: exit.detail) }
    case .firmware:
      if let call { r.cycle = min(r.cycle, call.start) }
      call = nil
    default: break
    }
    // What the one before has been charged with may lie ahead of the processor's clock.
    r.cycle = max(r.cycle, closed)
    target = Self.writesRegister(exit.kind) ?? Int(exit.detail >> 6 & 0x7F)
    if let held = heldAfter, held == exitCount {
      // The condition has been met by this one already.
      heldAfter = nil
    } else if recorder.condition != nil, recorder.meets(r, live) {
      recorder.conditionMet?(r)
    }
    open = r
  }

  /// A register of a device: what the exit was for.
  func accessed(_ physical: UInt64, _ size: Int, _ value: UInt64, _ isWrite: Bool) {
    switch open?.exitKind {
    case .deviceMemory?, .port?, .interruptBlock?, .ioSAPIC?:
      guard open?.detail == physical else { return }
      open?.a = value
      open?.b = UInt64(size) | (isWrite ? TraceRecord.store : 0)
    default: break
    }
  }

  func resumed() {
    close()
  }

  private func close() {
    guard var r = open else { return }
    open = nil
    closed = max(processor.settledCycle, r.cycle)
    if target != 0 { r.c = processor.state.gr[target] }
    r.cost = closed &- r.cycle
    recorder.append(r)
  }

  private var exitCount: UInt64 { virtual?.exits.total ?? 0 }

  func holds(_ kind: ExitKind, detail: UInt64) -> Bool {
    let s = processor.state
    if let held = heldAfter, held == exitCount + 1 { return false }
    let r = begin(kind, ip: s.pointee.ip | PSR.ri(s.pointee.psr), detail: detail, cycle: s.cycles)
    guard recorder.meets(r, live) else { return false }
    heldAfter = exitCount + 1
    recorder.conditionMet?(r)
    return true
  }
}
