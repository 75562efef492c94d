/// A program of a benchmark, and the machine that it wants.
public struct Code: Sendable {
  /// Once, before the loop.
  public var setup: String
  public var body: Body
  /// Where the label `loop` must lie within a bundle pair of 32 bytes.
  public var alignment: Alignment = .pair
  /// Registers at the start, beside those of ``Registers/standard``.
  public var registers: [Int: UInt64] = [:]
  /// What lies in memory at the start.
  public var memory: [MemoryPattern] = []
  /// Data references go through translations.
  public var translation: Translation = .physical

  public enum Body: Sendable {
    /// Assembly text that is repeated: `br.cloop` in a group of its own is put behind it.
    case repeated(String)
    /// The whole loop, from `loop:` to its branch. It runs as many passes as r9 says; the setup may use r9 too.
    case whole(String)
  }

  public enum Alignment: Sendable {
    /// `loop` begins a 64-byte cache line.
    case pair
    /// `loop` is the second bundle of a pair.
    case second
  }

  public enum Translation: Sendable {
    case physical
    /// Region 1 shows physical memory through one translation register of 256 MB.
    case register
    /// Region 1 shows physical memory in pages of 16 KB, which the hardware walker finds in a table.
    case walked
  }

  public init(setup: String = "", _ body: Body) {
    self.setup = setup
    self.body = body
  }

  /// A repeated body.
  public static func loop(_ body: String, setup: String = "") -> Code { Code(setup: setup, .repeated(body)) }

  /// The same with one thing changed.
  public func with<Value>(_ field: WritableKeyPath<Code, Value>, _ value: Value) -> Code {
    var result = self
    result[keyPath: field] = value
    return result
  }

  /// The program: setup, loop, and a `break` that ends the run.
  ///
  /// - Parameter padding: bundles of nops in front of the loop, which bring it to its place.
  func source(padding: Int) -> String {
    var lines = TranslationSetup.text(translation) + setup + "\n"
    if case .repeated = body { lines += "adds r9=-1,r9 ;;\nmov ar.lc=r9 ;;\n" }
    // Far enough for the loop branch to know the count.
    lines += Text.idle(16 + padding)
    switch body {
    case .repeated(let text):
      lines += "loop:\n\(text)\n{ .mib\nnop.m 0\nnop.i 0\nbr.cloop.sptk.few loop ;;\n}\n"
    case .whole(let text):
      lines += text + "\n"
    }
    return lines + "end: { .mii\nbreak.m 0x\(String(Code.endMark, radix: 16))\nnop.i 0\nnop.i 0 ;;\n}\n"
  }

  /// Immediate of the `break` behind the loop.
  static let endMark: UInt64 = 0x1E5D
}

/// Contents of memory.
public enum MemoryPattern: Sendable {
  /// A ring of pointers, each to the place `stride` bytes on, the last to the first. With translation they are virtual.
  case ring(at: UInt64, stride: UInt64, count: Int)
  /// Doublewords.
  case words(at: UInt64, [UInt64])
}

/// What registers hold when a program starts.
public enum Registers {
  /// Where data lies: from a quarter of the memory on.
  public static let data: UInt64 = 0x400_0000
  /// Region 1, which shows physical memory if the benchmark asks for translation.
  public static let region: UInt64 = 1 << 61

  /// r14 is the result of a producer, r15 the same for who does not wait for it, r16...r19 are results that nobody uses.
  /// r20 and r23...r29 are addresses of words that hold the address of `data`, 64 bytes apart so that no two meet in a cache line; r21 and
  /// r22 are operands. r30 and r31 are free.
  static func standard(virtual: Bool) -> [Int: UInt64] {
    let base = data | (virtual ? region : 0)
    var result: [Int: UInt64] = [14: base, 15: base, 20: base, 21: 3, 22: 0x0123_4567_89AB_CDEF]
    for n in 23...29 { result[n] = base + UInt64(n - 22) * 64 }
    return result
  }
}

/// Pieces of assembly text.
enum Text {
  /// Groups of one bundle that do nothing: time for what is under way to end.
  static func idle(_ groups: Int) -> String {
    String(repeating: "{ .mii\nnop.m 0\nnop.i 0\nnop.i 0 ;;\n}\n", count: groups)
  }

  /// One bundle.
  static func bundle(_ template: String, _ slots: [String], stop: Bool = false) -> String {
    "{ .\(template)\n" + slots.joined(separator: "\n") + (stop ? " ;;" : "") + "\n}\n"
  }

  /// An instruction in a group of its own.
  static func alone(_ instruction: String) -> String { "\(instruction) ;;\n" }

  static func repeated(_ count: Int, _ body: (Int) -> String) -> String { (0..<count).map(body).joined() }
}
