import CycleBenchmarks
import Testing

/// Every kernel computes what its name says, for operands from a fixed seed and lengths from one iteration up.
@Suite("Kernels compute what they claim")
struct KernelTests {
  private struct Generator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }

  /// Limbs of random bits, with runs of ones in which carries go far.
  private func limbs(_ count: Int, seed: UInt64) -> [UInt64] {
    var generator = Generator(state: seed)
    return (0..<count).map { _ in
      let bits = generator.next()
      return bits & 3 == 0 ? .max : bits & 3 == 1 ? bits & 0xFF : bits
    }
  }

  private func doubles(_ count: Int, seed: UInt64) -> [Double] {
    var generator = Generator(state: seed)
    // Small integers: every sum is exact, in whatever order.
    return (0..<count).map { _ in Double(generator.next() % 1000) - 500 }
  }

  private static let lengths = [1, 2, 3, 4, 5, 7, 12, 31]

  private func kernel(_ name: String) throws -> Kernel { try #require(Kernel.all.first { $0.name == name }) }

  /// Runs a kernel once; the machine as it is then.
  private func run(
    _ kernel: Kernel, iterations: Int, _ first: [UInt64], _ second: [UInt64], multiplier: String = "nop.m 0 ;;", passes: Int = 1
  ) throws -> BenchmarkMachine {
    let code = kernel.code(elements: iterations * kernel.step, first: first, second: second, multiplier: multiplier)
    let machine = try BenchmarkMachine(code, passes: passes)
    _ = try machine.run()
    return machine
  }

  private func words(_ machine: BenchmarkMachine, _ address: UInt64, _ count: Int) -> [UInt64] {
    (0..<count).map { machine.word(address + UInt64($0) * 8) ?? 0 }
  }

  @Test(arguments: lengths) func copy(iterations: Int) throws {
    let kernel = try kernel("copy")
    let count = iterations * kernel.step
    let source = limbs(count, seed: 1)
    let machine = try run(kernel, iterations: iterations, source, [], passes: 2)
    #expect(words(machine, Kernel.target, count + 1) == source + [0])
  }

  @Test(arguments: lengths) func dot(iterations: Int) throws {
    let kernel = try kernel("dot")
    let count = iterations * kernel.step
    let (x, y) = (doubles(count, seed: 2), doubles(count, seed: 3))
    let machine = try run(kernel, iterations: iterations, x.map(\.bitPattern), y.map(\.bitPattern), passes: 2)
    let sum = machine.processor.state.f(8).value
    let expected = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    // The register holds sign, exponent and significand of the double.
    #expect(sum.signExponent == (expected.sign == .minus ? 0x20000 : 0) | UInt64(Int(expected.exponent) + 0xFFFF))
    #expect(sum.significand == 1 << 63 | expected.significandBitPattern << 11)
  }

  @Test(arguments: lengths) func daxpy(iterations: Int) throws {
    let kernel = try kernel("daxpy")
    let count = iterations * kernel.step
    let (x, y) = (doubles(count, seed: 4), doubles(count, seed: 5))
    // f1 is 1.0, so f6 is 3.0.
    let three = "fadd.d f6=f1,f1 ;;\nfadd.d f6=f6,f1 ;;"
    let machine = try run(kernel, iterations: iterations, x.map(\.bitPattern), y.map(\.bitPattern), multiplier: three)
    #expect(words(machine, Kernel.second, count + 1).map { Double(bitPattern: $0) } == zip(x, y).map { 3 * $0 + $1 } + [0])
  }

  @Test(arguments: lengths) func addN(iterations: Int) throws {
    let kernel = try kernel("add_n")
    let count = iterations * kernel.step
    let (u, v) = (limbs(count, seed: 6), limbs(count, seed: 7))
    var (sum, carry) = ([UInt64](), false)
    for (a, b) in zip(u, v) {
      let (partial, first) = a.addingReportingOverflow(b)
      let (whole, second) = partial.addingReportingOverflow(carry ? 1 : 0)
      sum.append(whole)
      carry = first || second
    }
    let machine = try run(kernel, iterations: iterations, u, v, passes: 2)
    #expect(words(machine, Kernel.target, count + 1) == sum + [0])
    #expect(machine.processor.state.gr[8] == (carry ? 1 : 0))
  }

  @Test(arguments: ["mul_1", "addmul_1"], lengths) func multiply(name: String, iterations: Int) throws {
    let kernel = try kernel(name)
    let adds = name == "addmul_1"
    let (u, old) = (limbs(iterations, seed: 8), limbs(iterations, seed: 9))
    let factor: UInt64 = 0xFEDC_BA98_7654_3211
    var (result, high) = ([UInt64](), UInt64(0))
    for (limb, addend) in zip(u, old) {
      let product = limb.multipliedFullWidth(by: factor)
      var (low, next) = (product.low, product.high)
      for more in [high, adds ? addend : 0] {
        let (sum, carry) = low.addingReportingOverflow(more)
        low = sum
        next += carry ? 1 : 0
      }
      result.append(low)
      high = next
    }
    let multiplier = "movl r3=0x\(String(factor, radix: 16)) ;;\nsetf.sig f6=r3 ;;"
    let machine = try run(kernel, iterations: iterations, u, old, multiplier: multiplier)
    #expect(words(machine, adds ? Kernel.second : Kernel.target, iterations + 1) == result + [0])
    #expect(machine.processor.state.gr[8] == high)
  }
}
