/// Software-pipelined loops as one would write them for this processor, in text files beside this one.
///
/// The figure is the cycles of an element: passes over a long operand minus passes over a short one, so that what a pass costs around
/// its loop drops out. Operands stay in L2, and in L1D where integer loads can find them there.
public struct Kernel: Sendable {
  public let name: String
  /// The assembly text.
  public let source: String
  /// Elements that an iteration of the loop handles.
  public let step: Int
  let published: Published
  let remark: String?

  /// Where the operands of every kernel lie: two sources and a target. They differ in the bits that choose a bank of L2, so that no two
  /// references of a cycle meet.
  public static let first = Registers.data
  public static let second = Registers.data + 0x1_0080
  public static let target = Registers.data + 0x2_0040

  /// The kernel on so many elements; `first` and `second` are what lies there, `factor` the significand and exponent of f6.
  public func code(elements: Int, first: [UInt64], second: [UInt64], multiplier: String) -> Code {
    Code(setup: multiplier, .whole(source)).with(
      \.registers,
      [10: UInt64(elements / step - 1), 20: Self.first, 21: Self.second, 22: Self.target]
    ).with(\.memory, [.words(at: Self.first, first), .words(at: Self.second, second)])
  }

  var benchmark: Benchmark {
    // Doubles between one and two; as integers they have carries now and then.
    func operand(_ seed: UInt64) -> [UInt64] {
      (0..<1040).map { 0x3FF0_0000_0000_0000 | ($0 &* 0x9E37_79B9_7F4A_7C15 ^ seed) >> 12 }
    }
    func code(_ elements: Int) -> Code {
      self.code(elements: elements, first: operand(1), second: operand(2), multiplier: Text.alone("mov f6=f20"))
    }
    return Benchmark(
      "kernel/\(name)", unit: "cycles per element", Method(code(960), minus: code(480), units: 480, passes: (6, 18)), published,
      remark: remark)
  }

  public static let all: [Kernel] = [
    Kernel(
      name: "copy", source: text(PackageResources.copy_ia64), step: 4, published: Published(.exactly(0.5), "GMP"),
      remark: "mpn_copyi: limbs, from L1D"),
    Kernel(
      name: "dot", source: text(PackageResources.dot_ia64), step: 2, published: Published(.exactly(0.5), "SDM"),
      remark: "volume 1, 6.3.7: load pairs with two M units; doubles, from L2"),
    Kernel(
      name: "daxpy", source: text(PackageResources.daxpy_ia64), step: 8, published: Published(.exactly(0.625), "KAPI, GCC"),
      remark: "what the ports admit for this unrolling: eight elements in four cycles, one for the branch; doubles, from L2"),
    Kernel(
      name: "add_n", source: text(PackageResources.add_n_ia64), step: 4, published: Published(.exactly(1.25), "GMP"),
      remark: "mpn_add_n: limbs"),
    Kernel(
      name: "mul_1", source: text(PackageResources.mul_1_ia64), step: 1, published: Published(.exactly(2), "GMP"),
      remark: "mpn_mul_1: limbs; getf is the limit"),
    Kernel(
      name: "addmul_1", source: text(PackageResources.addmul_1_ia64), step: 1, published: Published(.exactly(2), "GMP"),
      remark: "mpn_addmul_1: limbs; getf is the limit"),
  ]

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
