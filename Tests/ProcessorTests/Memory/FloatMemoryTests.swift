import Arithmetic
import Processor
import Testing

/// Floating-point loads and stores in both byte orders: Volume 1, section 5.3 and figures 5-4 to 5-10; Volume 3, ldf, ldfp, stf.
@Suite("Floating-point loads and stores")
struct FloatMemoryTests {
  /// -1.5 in each format, as bytes at ascending addresses in little-endian order.
  static let formats: [(load: String, store: String, bytes: [UInt8])] = [
    ("ldfs", "stfs", [0x00, 0x00, 0xC0, 0xBF]), ("ldfd", "stfd", [0, 0, 0, 0, 0, 0, 0xF8, 0xBF]),
    ("ldfe", "stfe", [0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xBF]), ("ldf8", "stf8", [1, 2, 3, 4, 5, 6, 7, 8]),
    // Register format: significand, then exponent 0xFFFF and the sign in bit 17 of the upper half.
    ("ldf.fill", "stf.spill", [0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF, 0x02, 0, 0, 0, 0, 0]),
  ]

  @Test(arguments: [false, true]) func formatsAndByteOrder(_ bigEndian: Bool) throws {
    for format in Self.formats {
      let machine = try TestMachine(
        "\(format.load) f6=[r5],32 ;;\n\(format.store) [r6]=f6,-64 ;;", psr: PSR.ic | (bigEndian ? PSR.be : 0))
      let bytes = bigEndian ? format.bytes.reversed() : format.bytes
      for (i, byte) in bytes.enumerated() { machine.store(TestMachine.data + UInt64(i), byte) }
      machine[gr: 5] = TestMachine.data
      machine[gr: 6] = TestMachine.data + 0x100
      for i in 0..<4 as Range<UInt64> { machine.store(TestMachine.data + 0x100 + 8 * i, UInt64.max) }
      #expect(machine.run() == .done)
      let expected =
        format.load == "ldf8"
        ? FloatRegister(significand: 0x0807_0605_0403_0201, signExponent: 0x1003E)
        : FloatRegister(significand: 0xC000_0000_0000_0000, signExponent: 0x2FFFF)
      #expect(machine[fr: 6] == expected, "\(format.load)")
      for i in 0..<32 {
        let stored = UInt8(truncatingIfNeeded: machine.load(TestMachine.data + 0x100 + UInt64(i)))
        #expect(stored == (i < bytes.count ? Array(bytes)[i] : 0xFF), "\(format.store), byte \(i)")
      }
      #expect(machine[gr: 5] == TestMachine.data + 32)
      #expect(machine[gr: 6] == TestMachine.data + 0x100 - 64)
      #expect(machine.psr & PSR.mfl != 0)
    }
  }

  /// A pair: the first register from the lower address (Volume 3, ldfp).
  @Test(arguments: [false, true]) func pairs(_ bigEndian: Bool) throws {
    for (text, size) in [("ldfps", 4), ("ldfpd", 8), ("ldfp8", 8)] as [(String, UInt64)] {
      let machine = try TestMachine("\(text) f6,f33=[r5],\(2 * size) ;;", psr: PSR.ic | (bigEndian ? PSR.be : 0))
      let values: [UInt64] = text == "ldfps" ? [0x3F80_0000, 0x4000_0000] : [0x3FF0_0000_0000_0000, 0x4000_0000_0000_0000]
      for (i, value) in values.enumerated() {
        let address = TestMachine.data + UInt64(i) * size
        if size == 4 {
          let word = UInt32(value)
          machine.store(address, bigEndian ? word.byteSwapped : word)
        } else {
          machine.store(address, bigEndian ? value.byteSwapped : value)
        }
      }
      machine[gr: 5] = TestMachine.data
      #expect(machine.run() == .done)
      if text == "ldfp8" {
        #expect(machine[fr: 6] == FloatRegister(significand: values[0], signExponent: 0x1003E))
        #expect(machine[fr: 33] == FloatRegister(significand: values[1], signExponent: 0x1003E))
      } else {
        #expect(machine[fr: 6] == .one)
        #expect(machine[fr: 33] == FloatRegister(significand: 1 << 63, signExponent: 0x10000))
      }
      #expect(machine[gr: 5] == TestMachine.data + 2 * size)
      #expect(machine.psr & (PSR.mfl | PSR.mfh) == PSR.mfl | PSR.mfh)
    }
  }

  /// NaTVal: spilled and filled like any value, a fault in every other store (Volume 3, stf).
  @Test func naTVal() throws {
    let machine = try TestMachine("stf.spill [r5]=f6 ;;\nldf.fill f7=[r5] ;;")
    machine[fr: 6] = .natVal
    machine[gr: 5] = TestMachine.data
    #expect(machine.run() == .done)
    #expect(machine[fr: 7].isNaTVal)
    for text in ["stfs", "stfd", "stfe", "stf8"] {
      let store = try TestMachine("\(text) [r5]=f6 ;;")
      store[fr: 6] = .natVal
      store[gr: 5] = TestMachine.data
      #expect(store.run() == .interruption(.natConsumption))
      #expect(store.interruption.isr == ISR.w | 0x10)
    }
  }
}
