import Arithmetic
import IA64
import Processor
import Testing

/// A bare processor with a little memory, twice: `blocks` executes by `run(until:)`, `steps` by `step()`.
///
/// The harness of this test target. ``init(_:at:psr:handlers:)`` assembles the program with the package's own assembler, ``run(slots:)``
/// executes it on both processors and compares their complete state and memory, and then the test reads registers by subscript,
/// memory by ``load(_:)``, and what was delivered by ``interruption``. The rest of `Support`: `StateComparison.swift` says what is
/// compared, `DeliveredInterruption.swift` is what a handler sees, `TestBus.swift` is the world beyond RAM.
///
///     let machine = try TestMachine("ld8 r4=[r5] ;;")
///     machine[gr: 5] = TestMachine.data
///     #expect(machine.run() == .done)
///
/// Each vector holds a branch to itself unless `handlers` has something else; the program ends with such a branch, `done`. Arriving at
/// one ends the run, with the control registers as the interruption left them.
final class TestMachine {
  /// CR.IVA.
  static let handlers: UInt64 = 0x8000
  /// The program, unless the test puts it elsewhere.
  static let code: UInt64 = 0x10_0000
  static let data: UInt64 = 0x20_0000
  /// First backing-store word.
  static let backingStore: UInt64 = 0x30_0000
  static let memorySize: UInt64 = 0x40_0000

  enum Outcome: Equatable, CustomStringConvertible {
    /// The end of the program.
    case done
    /// The handler of this vector, still at its first instruction.
    case interruption(Vector)
    case halted
    /// Something else: the limit, a fault loop, an offset without vector.
    case unfinished(String)

    var description: String {
      switch self {
      case .done: "done"
      case .interruption(let vector): "interruption(\(vector))"
      case .halted: "halted"
      case .unfinished(let why): "unfinished: \(why)"
      }
    }
  }

  let blocks: LogicalProcessor
  let steps: LogicalProcessor
  /// The two processors' views of everything that is not RAM.
  let bus = (blocks: TestBus(), steps: TestBus())
  private(set) var labels: Assembler.SymbolTable = [:]
  private var parkingPlaces: Set<UInt64> = []
  private let sourceLocation: SourceLocation

  /// - Parameters:
  ///   - psr: at the first instruction. PSR.ic is set so that interruptions are collected.
  ///   - handlers: code that replaces the branch to itself at a vector; it may use the program's labels.
  init(
    _ source: String, at address: UInt64 = TestMachine.code, psr: UInt64 = PSR.ic, handlers: [Vector: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let memory = try (0..<2).map { _ in try PhysicalMemory(layout: [(base: 0, size: Self.memorySize)]) }
    blocks = LogicalProcessor(memory: memory[0], bus: bus.blocks)
    steps = LogicalProcessor(memory: memory[1], bus: bus.steps)
    self.sourceLocation = sourceLocation
    let entries = (0..<20).map { UInt64($0) * 0x400 } + (0..<48).map { 0x5000 + UInt64($0) * 0x100 }
    for offset in entries {
      try park(Self.handlers + offset)
    }
    let end = source.contains("done:") ? "" : "\ndone: { .bbb\n br.cond.sptk.many done\n nop 0\n nop 0\n }"
    labels = try place(source + end, at: address)
    if let done = labels["done"] { parkingPlaces.insert(done) }
    for (vector, text) in handlers {
      let offset = Self.handlers + UInt64(vector.rawValue)
      parkingPlaces.remove(offset)
      try place(text, at: offset)
    }
    each { p in
      p.state.cr[CR.iva] = Self.handlers
      // Each region is an address space of its own, of 16 KiB pages.
      for region in 0..<8 { p.state.rr[region] = UInt64(region) << 8 | 14 << 2 }
      p.setCFM(16 | 8 << 7)
      p.state.pointee.bsp = Self.backingStore
      p.state.pointee.bspStore = Self.backingStore
      p.state.pointee.ip = address
      p.setPSR(psr)
    }
  }

  var doneAddress: UInt64? { labels["done"] }

  /// Makes the same preparation on both processors.
  func each(_ body: (LogicalProcessor) -> Void) {
    body(blocks)
    body(steps)
  }

  /// Assembles `source` at a physical address; returns its labels.
  @discardableResult
  func place(_ source: String, at address: UInt64) throws -> Assembler.SymbolTable {
    let program = try Assembler.program(source, at: address, symbols: labels)
    place(program.bundles, at: address)
    return program.labels
  }

  /// Puts bundles at a physical address: for encodings that the assembler does not make.
  func place(_ bundles: [Bundle], at address: UInt64) {
    for (i, bundle) in bundles.enumerated() {
      store(address + UInt64(i) * 16, bundle.low)
      store(address + UInt64(i) * 16 + 8, bundle.high)
    }
  }

  /// Puts a branch to itself at an address, at which a run ends.
  func park(_ address: UInt64) throws {
    place(try Self.branchToItself.get(), at: address)
    parkingPlaces.insert(address)
  }

  /// The same bits at each address: the branch is relative.
  private static let branchToItself = Result { () throws(AssemblyError) -> [Bundle] in
    try Assembler.assemble("here: { .bbb\n br.cond.sptk.many here\n nop 0\n nop 0\n }")
  }

  /// Maps the whole memory to itself in region `region`, for instructions and data, in pages of 1 MiB.
  func mapMemory(region: UInt64 = 0, rights: UInt8 = 3, level: UInt8 = 3) {
    for megabyte in 0..<(Self.memorySize >> 20) {
      for instruction in [false, true] {
        map(
          instruction: instruction, virtual: region << 61 | megabyte << 20, physical: megabyte << 20, shift: 20, rights: rights,
          level: level)
      }
    }
  }

  /// Sets a region register: identifier and page size, no walker.
  func setRegion(_ region: Int, rid: UInt64, pageShift: UInt64 = 14, walker: Bool = false) {
    each { $0.state.rr[region] = rid << 8 | pageShift << 2 | (walker ? 1 : 0) }
  }

  /// Inserts one translation into the cache of one side.
  func map(
    instruction: Bool, virtual: UInt64, physical: UInt64, shift: Int, rights: UInt8 = 3, level: UInt8 = 3, attribute: UInt8 = 0,
    accessed: Bool = true, dirty: Bool = true, key: UInt32 = 0, ed: Bool = false
  ) {
    each {
      $0.insertTranslation(
        instruction: instruction, virtual: virtual, physical: physical, pageShift: shift, accessRights: rights,
        privilegeLevel: level, attribute: attribute, accessed: accessed, dirty: dirty, key: key, ed: ed)
    }
  }

  // MARK: Running

  /// Runs both processors to a parking place, compares them, and says where they are.
  @discardableResult
  func run(slots: UInt64 = 20_000) -> Outcome {
    let end = blocks.state.cycles + slots
    var reason = ExitReason.deadline
    repeat {
      reason = blocks.run(until: min(end, blocks.state.cycles + 64))
    } while reason == .deadline && blocks.state.cycles < end && !parkingPlaces.contains(blocks.state.pointee.ip)
    var budget = 2 * slots + 1000
    while budget > 0, !samePlace, steps.state.pointee.instructions <= blocks.state.pointee.instructions {
      if steps.step() == .halted { break }
      budget -= 1
    }
    let differences = StateComparison.differences(blocks, steps)
    if !differences.isEmpty {
      Issue.record("blocks and steps differ: \(differences.joined(separator: "; "))", sourceLocation: sourceLocation)
    }
    return outcome(reason)
  }

  private var samePlace: Bool {
    let (a, b) = (blocks.state.pointee, steps.state.pointee)
    return a.instructions == b.instructions && a.ip == b.ip && PSR.ri(a.psr) == PSR.ri(b.psr)
      && blocks.interruptionCount == steps.interruptionCount
  }

  private func outcome(_ reason: ExitReason) -> Outcome {
    let ip = blocks.state.pointee.ip
    if reason == .halted { return .halted }
    if let done = labels["done"], ip == done { return .done }
    if parkingPlaces.contains(ip), let vector = Vector(rawValue: UInt16(truncatingIfNeeded: ip &- Self.handlers)) {
      return .interruption(vector)
    }
    return .unfinished("\(reason) at 0x\(String(ip, radix: 16))")
  }

  /// The control registers of the interruption, as its handler finds them.
  var interruption: DeliveredInterruption { DeliveredInterruption(blocks) }

  /// Runs into an interruption and expects this vector, these registers, and the PSR that an interruption leaves (Volume 2, table 3-2)
  /// with DCR = 0.
  func expect(_ vector: Vector, _ expected: DeliveredInterruption, sourceLocation: SourceLocation = #_sourceLocation) {
    DeliveredInterruption.mark(self)
    #expect(run() == .interruption(vector), sourceLocation: sourceLocation)
    #expect(interruption == expected, sourceLocation: sourceLocation)
    let kept = PSR.up | PSR.mfl | PSR.mfh | PSR.pk | PSR.dt | PSR.rt | PSR.it | PSR.mc
    #expect(psr == expected.ipsr & kept, sourceLocation: sourceLocation)
  }

  // MARK: Registers and memory, written on both, read from `blocks`

  /// The pointer is void once the machine is gone: keep the machine in a constant. ``ip`` may be asked of a temporary.
  var state: State { blocks.state }
  var ip: UInt64 { state.pointee.ip }
  /// PSR now, which is the handler's after an interruption.
  var psr: UInt64 {
    get { state.pointee.psr }
    set { each { $0.setPSR(newValue) } }
  }
  subscript(gr n: Int) -> UInt64 {
    get { state.gr[n] }
    set { each { $0.state.gr[n] = newValue } }
  }
  subscript(nat n: UInt8) -> Bool {
    get { state.nat(n) }
    set { each { $0.state.setNaT(n, newValue) } }
  }
  subscript(fr n: UInt8) -> FloatRegister {
    get { state.f(n).value }
    set { each { $0.state.f(n).value = newValue } }
  }
  subscript(pr n: Int) -> Bool {
    get { state.pr[n] != 0 }
    set { each { $0.state.pr[n] = newValue ? 1 : 0 } }
  }
  subscript(br n: Int) -> UInt64 {
    get { state.br[n] }
    set { each { $0.state.br[n] = newValue } }
  }
  /// An application register, without the checks of `mov`.
  subscript(ar n: Int) -> UInt64 {
    get { blocks.readAR(n) }
    set { each { $0.setAR(n, newValue) } }
  }
  /// A control register's storage.
  subscript(cr n: Int) -> UInt64 {
    get { state.cr[n] }
    set { each { $0.state.cr[n] = newValue } }
  }

  /// The doubleword at a physical address.
  func load(_ address: UInt64) -> UInt64 { blocks.memory.load(address) ?? 0 }
  func store<T: FixedWidthInteger>(_ address: UInt64, _ value: T) { each { $0.memory.store(address, value) } }
}
