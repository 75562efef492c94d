import Arithmetic
import IA64
import Processor

/// A bare processor with 256 MB that runs one program once.
public final class BenchmarkMachine {
  public enum Failure: Error, CustomStringConvertible {
    case assembly(AssemblyError, line: String)
    case interruption(Vector, ip: UInt64, address: UInt64)
    case unfinished(ExitReason)
    case noMemory

    public var description: String {
      switch self {
      case .assembly(let error, let line): "\(error): \(line)"
      case .interruption(let vector, let ip, let address):
        "\(vector) at 0x\(String(ip, radix: 16)), address 0x\(String(address, radix: 16))"
      case .unfinished(let reason): "the program does not end: \(reason)"
      case .noMemory: "data outside the machine's memory"
      }
    }
  }

  static let memorySize: UInt64 = 0x1000_0000
  private static let code: UInt64 = 0x10_0000
  private static let backingStore: UInt64 = 0x80_0000
  /// Cycles after which a program counts as endless. The slowest, through memory, take some millions.
  private static let limit: UInt64 = 4_000_000_000

  public let processor: LogicalProcessor
  private let memory: PhysicalMemory

  /// Puts the program and its data in place; it stands before its first instruction.
  public init(_ code: Code, passes: Int) throws {
    memory = try PhysicalMemory(layout: [(base: 0, size: Self.memorySize)])
    processor = LogicalProcessor(memory: memory, bus: nil)
    processor.hostHandlesInterruptions = true
    try place(try Self.assemble(code, at: Self.code))
    try prepareMemory(code)
    prepareTranslation(code.translation)
    prepareRegisters(code, passes: passes)
  }

  /// Runs to the end; gives the cycles that it took.
  public func run() throws -> UInt64 {
    let start = processor.state.cycles
    let reason = processor.run(until: start + Self.limit)
    guard reason == .interruption else { throw Failure.unfinished(reason) }
    let fault = processor.state.pointee.fault
    guard fault.vector == .breakInstruction, fault.iim == Code.endMark else {
      throw Failure.interruption(fault.vector, ip: processor.state.pointee.ip, address: fault.ifa)
    }
    return processor.state.cycles - start
  }

  /// The doubleword at a physical address.
  public func word(_ address: UInt64) -> UInt64? { memory.load(address) }

  // MARK: Preparation

  /// The program with `loop` where it must be.
  public static func assemble(_ code: Code, at address: UInt64) throws -> Assembler.Program {
    let draft = try assemble(code.source(padding: 0), at: address)
    guard let loop = draft.labels["loop"] else { return draft }
    let wanted: UInt64 = code.alignment == .second ? 16 : 0
    let padding = (wanted &- loop) % 64 / 16
    return padding == 0 ? draft : try assemble(code.source(padding: Int(padding)), at: address)
  }

  private static func assemble(_ source: String, at address: UInt64) throws -> Assembler.Program {
    do {
      return try Assembler.program(source, at: address)
    } catch {
      let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
      let number = (error.line ?? 0) - 1
      throw Failure.assembly(error, line: lines.indices.contains(number) ? String(lines[number]) : "")
    }
  }

  private func place(_ program: Assembler.Program) throws {
    for (index, bundle) in program.bundles.enumerated() {
      let address = Self.code + UInt64(index) * 16
      guard address < Self.backingStore else { throw Failure.noMemory }
      memory.store(address, bundle.low)
      memory.store(address + 8, bundle.high)
    }
  }

  private func prepareMemory(_ code: Code) throws {
    let base = code.translation == .physical ? 0 : Registers.region
    for (n, address) in Registers.standard(virtual: false) where n == 20 || n >= 23 {
      memory.store(address, base | Registers.data)
    }
    for pattern in code.memory {
      switch pattern {
      case .ring(let start, let stride, let count):
        for index in 0..<count {
          let next = start + stride * UInt64((index + 1) % count)
          guard memory.store(start + stride * UInt64(index), base | next) else { throw Failure.noMemory }
        }
      case .words(let start, let words):
        for (index, word) in words.enumerated() {
          guard memory.store(start + UInt64(index) * 8, word) else { throw Failure.noMemory }
        }
      }
    }
  }

  private func prepareTranslation(_ translation: Code.Translation) {
    guard translation == .walked else { return }
    // Short format: eight bytes for each page of region 1, from the start of the region's table.
    for page in 0..<(Self.memorySize >> TranslationSetup.pageShift) {
      memory.store(TranslationSetup.table + page * 8, page << TranslationSetup.pageShift | TranslationSetup.attributes)
    }
  }

  private func prepareRegisters(_ code: Code, passes: Int) {
    let s = processor.state
    processor.setCFM(96)
    s.pointee.bsp = Self.backingStore
    s.pointee.bspStore = Self.backingStore
    s.pointee.ip = Self.code
    for region in 0..<8 {
      s.rr[region] = UInt64(region + 1) << 8 | TranslationSetup.pageShift << 2 | (code.translation == .walked ? 1 : 0)
    }
    for (n, value) in Registers.standard(virtual: code.translation != .physical) { s.gr[n] = value }
    s.gr[9] = UInt64(passes)
    for (n, value) in code.registers { s.gr[n] = value }
    for n in 14...31 as ClosedRange<UInt8> {
      s.f(n).value = FloatRegister(significand: 0xC000_0000_0000_0000, signExponent: 0xFFFF)
    }
    // Two single-precision numbers, for the parallel instructions, and an address for integer ones.
    for n in 22...23 as ClosedRange<UInt8> {
      s.f(n).value = FloatRegister(significand: 0x3FC0_0000_3FC0_0000, signExponent: 0x1003E)
    }
    s.f(24).value = FloatRegister(significand: s.gr[20], signExponent: 0x1003E)
    // p12 and p13 say yes, p10 and p11 no.
    s.pr[12] = 1
    s.pr[13] = 1
    processor.setPSR(0)
  }
}
