import Foundation
import Processor
import TestSupport
import Testing

/// Random calls, returns, allocs, rotations, covers, stack switches and flushes against ``RegisterStackModel``.
@Suite("Random register stack", .ends(withinMinutes: 5))
struct RandomRegisterStackTests {
  static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x5EED
  static let steps = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 200_000 : 4_000

  @Test(arguments: RegisterStackRig.Engine.allCases, [(false, false), (true, false), (false, true), (true, true)])
  func followsTheModel(_ engine: RegisterStackRig.Engine, _ mode: (translated: Bool, bigEndian: Bool)) throws {
    for round in 0..<4 {
      let seed = Self.seed &+ UInt64(round)
      var run = try RandomRun(engine: engine, translated: mode.translated, bigEndian: mode.bigEndian, seed: seed)
      for step in 0..<Self.steps / 4 {
        let operation = try run.step()
        if let difference = run.difference() {
          Issue.record("EPICURE_SEED=\(seed), step \(step), after \(operation): \(difference)")
          return
        }
      }
      if mode.translated { #expect(run.rig.faults > 0) }
    }
  }
}

/// One sequence.
private struct RandomRun {
  let rig: RegisterStackRig
  let bigEndian: Bool
  var model: RegisterStackModel
  /// How to get back: what software would have saved.
  enum Link {
    case call(pfs: UInt64)
    case covered(ifs: UInt64)
    case switched(ifs: UInt64, bspStore: UInt64, rnat: UInt64, first: Int)
  }
  var links: [Link] = []

  init(engine: RegisterStackRig.Engine, translated: Bool, bigEndian: Bool, seed: UInt64) throws {
    rig = try RegisterStackRig(engine: engine, translated: translated, bigEndian: bigEndian, seed: seed)
    self.bigEndian = bigEndian
    let base = 0x40_0000 + (seed &* 7 % 63) * 8
    model = RegisterStackModel(backingStore: base)
    rig.processor.setCFM(0)
    rig.state.pointee.bsp = base
    rig.state.pointee.bspStore = base
  }

  private func random(_ bound: Int) -> Int { Int(rig.generator.next() % UInt64(bound)) }

  /// One random operation; its name.
  mutating func step() throws -> String {
    writeSome()
    switch random(20) {
    case 0..<4: return try call()
    case 4..<8: return try back()
    case 8..<12: return try alloc()
    case 12..<14: return try rotate()
    case 14: return try clear()
    case 15: return try flush()
    case 16: return try interrupt()
    case 17: return try switchStack()
    case 18: return try reload()
    default: return "write"
    }
  }

  /// New contents for some registers of the frame; rarely a NaT, so that blocks and the NaT stepper both have their turns.
  private mutating func writeSome() {
    guard model.sof > 0 else { return }
    let nats = random(6) == 0
    for _ in 0..<random(24) {
      let n = random(model.sof)
      let content = RegisterStackModel.Content(value: rig.generator.next(), nat: nats && random(3) == 0)
      model.contents[model.position(n)] = content
      rig.state.gr[32 + n] = content.value
      rig.state.setNaT(UInt8(32 + n), content.nat)
    }
  }

  private mutating func call() throws -> String {
    guard links.count < 60 else { return "write" }
    let marker = model.marker
    try rig.execute("br.call.sptk.many b0=0x8000")
    model.call()
    links.append(.call(pfs: marker))
    #expect(rig.state.ar[AR.pfs] & 0x1FF_FFFF == marker)
    return "call"
  }

  private mutating func back() throws -> String {
    guard let link = links.popLast() else { return "write" }
    switch link {
    case .call(let pfs):
      rig.state.ar[AR.pfs] = pfs
      rig.state.br[0] = rig.resting
      // Returns in which the frame would not fit into the physical file are forbidden to software: what is dirty goes out first.
      if model.sof < Int(pfs & 0x7F) - Int(pfs >> 7 & 0x7F) { try rig.execute("flushrs") }
      try rig.execute("br.ret.sptk.many b0")
      model.restore(pfs, preserved: Int(pfs >> 7 & 0x7F))
      return "return"
    case .covered(let ifs):
      try returnFromInterruption(ifs)
      return "rfi"
    case .switched(let ifs, let bspStore, let rnat, let first):
      // As an operating system leaves a kernel's stack (Volume 2, section 6.11).
      model.alloc(sof: 0, sol: 0, sor: 0)
      try clearRotation()
      try rig.execute("alloc r9=ar.pfs,0,0,0,0")
      let bytes = rig.state.pointee.bsp - model.address(first)
      rig.state.ar[AR.rsc] = rig.state.ar[AR.rsc] & 0x1F | bytes << 16
      try rig.execute("loadrs")
      model.segments.removeLast()
      rig.state.gr[9] = bspStore
      try rig.execute("mov ar.bspstore=r9")
      rig.state.gr[9] = rnat
      try rig.execute("mov ar.rnat=r9")
      try returnFromInterruption(ifs)
      return "switch back"
    }
  }

  private mutating func returnFromInterruption(_ ifs: UInt64) throws {
    rig.state.cr[CR.ifs] = ifs
    rig.state.cr[CR.iip] = rig.resting
    rig.state.cr[CR.ipsr] = rig.state.pointee.psr
    try rig.execute("{ .bbb\n rfi\n nop 0\n nop 0\n }")
    model.restore(ifs, preserved: Int(ifs & 0x7F))
  }

  private mutating func clearRotation() throws {
    try rig.execute("{ .bbb\n clrrrb\n nop 0\n nop 0\n }")
    model.rrb = 0
  }

  private mutating func clear() throws -> String {
    try clearRotation()
    return "clrrrb"
  }

  private mutating func alloc() throws -> String {
    let sof = random(4) == 0 ? random(97) : random(24)
    let sol = random(sof + 1)
    let sor = random(3) == 0 ? random(sof / 8 + 1) : 0
    if sor != model.sor { try clearRotation() }
    // Inputs and locals are one to the processor; the assembler wants the rotating part inside them all.
    try rig.execute("alloc r9=ar.pfs,0,\(sol),\(sof - sol),\(sor * 8)")
    if sor * 8 <= model.rrb { model.rrb = 0 }
    model.alloc(sof: sof, sol: sol, sor: sor)
    return "alloc \(sof),\(sol),\(sor)"
  }

  private mutating func rotate() throws -> String {
    rig.state.ar[AR.lc] = 1
    rig.state.ar[AR.ec] = 1
    try rig.execute("{ .bbb\n nop 0\n nop 0\n br.ctop.sptk.few 0x8000\n }")
    model.rotate()
    return "rotate"
  }

  private mutating func cover() throws -> UInt64 {
    try rig.execute("{ .bbb\n cover\n nop 0\n nop 0\n }")
    let ifs = rig.state.cr[CR.ifs]
    #expect(ifs & (1 << 63 | 0x1FF_FFFF) == 1 << 63 | model.marker)
    model.cover()
    return ifs
  }

  private mutating func interrupt() throws -> String {
    guard links.count < 60 else { return "write" }
    links.append(.covered(ifs: try cover()))
    return "cover"
  }

  /// Moves the dirty registers to another stack, as an operating system enters its kernel.
  private mutating func switchStack() throws -> String {
    guard links.count < 60, model.segments.count < 6 else { return "write" }
    let ifs = try cover()
    let bspStore = rig.state.pointee.bspStore
    // Which registers have been stored is the implementation's choice.
    var first = model.bottom
    while first > (model.segments.last?.first ?? 0), model.address(first) > bspStore { first -= 1 }
    let rnat = rig.processor.readAR(AR.rnat)
    let base = 0x48_0000 + UInt64(model.segments.count) * 0x4_0000 + UInt64(random(63)) * 8
    rig.state.gr[9] = base
    try rig.execute("mov ar.bspstore=r9")
    model.segments.append(.init(first: first, address: base))
    links.append(.switched(ifs: ifs, bspStore: bspStore, rnat: rnat, first: first))
    return "switch"
  }

  private mutating func flush() throws -> String {
    try rig.execute("flushrs")
    #expect(rig.state.pointee.bspStore == rig.state.pointee.bsp)
    checkMemory()
    return "flushrs"
  }

  /// Flushes, changes some words in memory, and lets loadrs forget what the processor holds: returns must see the change.
  private mutating func reload() throws -> String {
    let ifs = try cover()
    try rig.execute("flushrs")
    checkMemory()
    let first = model.segments.last?.first ?? 0
    for _ in 0..<min(8, model.bottom - first) {
      let position = first + random(model.bottom - first)
      guard let old = model.contents[position] else { continue }
      let value = rig.generator.next()
      rig.processor.memory.store(model.address(position), bigEndian ? value.byteSwapped : value)
      model.contents[position] = .init(value: value, nat: old.nat)
    }
    rig.state.ar[AR.rsc] &= 0x1F
    try rig.execute("loadrs")
    try returnFromInterruption(ifs)
    return "reload"
  }

  /// Every register below the frame is in memory, and its NaT in the collection of its 512 bytes or in AR.RNAT (Volume 2, section 6.1).
  private func checkMemory() {
    let first = model.segments.last?.first ?? 0
    for position in first..<model.bottom {
      guard let content = model.contents[position] else { continue }
      let address = model.address(position)
      let collection = address | 0x1F8
      let value = word(address)
      let nats = collection < rig.state.pointee.bspStore ? word(collection) : rig.processor.readAR(AR.rnat)
      if value != content.value || (nats >> (address >> 3 & 0x3F) & 1 != 0) != content.nat {
        Issue.record("register \(position) at 0x\(String(address, radix: 16)): \(value), NaTs \(nats), expected \(content)")
        return
      }
    }
  }

  private func word(_ address: UInt64) -> UInt64 {
    let value: UInt64 = rig.processor.memory.load(address) ?? 0
    return bigEndian ? value.byteSwapped : value
  }

  /// What the processor shows and the model does not.
  func difference() -> String? {
    let s = rig.state
    if rig.processor.cfm & 0x1FF_FFFF != model.marker {
      return "cfm \(String(rig.processor.cfm, radix: 16)), expected \(String(model.marker, radix: 16))"
    }
    let bsp = rig.processor.readAR(AR.bsp)
    if bsp != model.address(model.bottom) {
      return "bsp \(String(bsp, radix: 16)), expected \(String(model.address(model.bottom), radix: 16))"
    }
    for n in 0..<model.sof {
      guard let content = model.contents[model.position(n)] else { continue }
      if s.gr[32 + n] != content.value || s.nat(UInt8(32 + n)) != content.nat {
        return "r\(32 + n) is \(s.gr[32 + n]) \(s.nat(UInt8(32 + n))), expected \(content)"
      }
    }
    for n in model.sof..<96 where s.nat(UInt8(32 + n)) { return "r\(32 + n), which is outside the frame, has a NaT" }
    return nil
  }
}
