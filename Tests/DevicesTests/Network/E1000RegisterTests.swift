import Devices
import HostResources
import Platform
import Testing

/// Expected values: "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual", revision 4.0.
@Suite struct E1000RegisterTests {
  let bench: E1000Bench
  init() throws { bench = try E1000Bench() }

  private func configuration(_ register: UInt16, _ size: Int) -> UInt32 {
    bench.root.readConfiguration(bus: 0, device: 3, function: 0, register: register, size: size)
  }

  /// Section 4.1: identities of the 82540EM desktop adapter, and its list of capabilities.
  @Test func configurationSpace() {
    #expect(configuration(0x00, 4) == 0x100E_8086)
    #expect(configuration(0x09, 1) == 0 && configuration(0x0A, 2) == 0x0200)
    #expect(configuration(0x2C, 4) == 0x001E_8086)
    #expect(configuration(0x3D, 1) == 1)
    #expect(configuration(0x34, 1) == 0xDC)
    #expect(configuration(0xDC, 2) == 0xE401)
    #expect(configuration(0xE4, 2) == 0xF007)
    #expect(configuration(0xF0, 2) == 0x0005)
    bench.root.writeConfiguration(bus: 0, device: 3, function: 0, register: 0x10, size: 4, value: 0xFFFF_FFFF)
    #expect(configuration(0x10, 4) == 0xFFFE_0000)
    bench.root.writeConfiguration(bus: 0, device: 3, function: 0, register: 0x18, size: 4, value: 0xFFFF_FFFF)
    #expect(configuration(0x18, 4) == 0xFFFF_FFC1)
  }

  /// Section 5.6: the address in words 0 to 2, the sum of all 64 words is 0xBABA. Section 13.4.4: EERD.
  @Test func eepromThroughEERD() {
    var words: [UInt16] = []
    for n in 0..<64 {
      bench[0x14] = UInt32(n) << 8 | 1
      let value = bench[0x14]
      #expect(value & 0x10 != 0)
      words.append(UInt16(value >> 16))
    }
    #expect(words.reduce(0, &+) == 0xBABA)
    #expect(words[0] == 0x1600 && words[1] == 0x123E && words[2] == 0x5634)
    #expect(words[0x0B] == 0x001E && words[0x0D] == 0x100E && words[0x0E] == 0x8086)
    #expect(words[0x0A] >> 14 == 1)
  }

  /// The same part, bit by bit: start bit, opcode, six bits of address, a zero, sixteen bits.
  @Test func eepromThroughItsPins() {
    let pins = Microwire(bench: bench)
    bench[0x10] = 0x40
    #expect(bench[0x10] & 0x1C0 == 0x1C0)
    for n in [0, 1, 2, 0x3F] {
      bench[0x14] = UInt32(n) << 8 | 1
      #expect(UInt32(pins.read(n)) == bench[0x14] >> 16)
    }
    // Writing has to be enabled first.
    pins.write(0x30, 0x1234)
    #expect(pins.read(0x30) != 0x1234)
    pins.command(0b100_11_0000)
    pins.write(0x30, 0x1234)
    #expect(pins.read(0x30) == 0x1234)
    pins.command(0b100_00_0000)
    pins.write(0x30, 0x4321)
    #expect(pins.read(0x30) == 0x1234)
  }

  private struct Microwire {
    let bench: E1000Bench
    private func clock(_ bit: UInt32) {
      for level: UInt32 in [0, 1] { bench[0x10] = 0x42 | bit << 2 | level }
    }
    private func shift(_ value: UInt32, _ count: Int) { for n in (0..<count).reversed() { clock(value >> UInt32(n) & 1) } }
    private func end() { bench[0x10] = 0x40 }
    func command(_ bits: UInt32) {
      shift(bits, 9)
      end()
    }
    func read(_ address: Int) -> UInt16 {
      shift(0b110 << 6 | UInt32(address), 9)
      #expect(bench[0x10] & 8 == 0, "the dummy bit")
      var value: UInt16 = 0
      for _ in 0..<16 {
        clock(0)
        value = value << 1 | UInt16(bench[0x10] >> 3 & 1)
      }
      end()
      return value
    }
    func write(_ address: Int, _ value: UInt16) {
      shift(0b101 << 6 | UInt32(address), 9)
      shift(UInt32(value), 16)
      end()
    }
  }

  /// Section 13.5: receive address 0 is loaded from the EEPROM, and valid.
  @Test func stationAddress() {
    #expect(bench[0x5400] == 0x123E_1600)
    #expect(bench[0x5404] == 0x8000_5634)
    bench[0x5400] = 0
    bench[0x00] = 1 << 26
    #expect(bench[0x5400] == 0x123E_1600)
    #expect(bench[0x00] & 1 << 26 == 0)
  }

  /// The transceiver says who it is, and negotiates (section 8 and the registers of IEEE 802.3, clause 22).
  @Test func transceiver() {
    #expect(bench.phy(read: 2) == 0x0141)
    #expect(bench.phy(read: 3) == 0x0C20)
    #expect(bench.phy(read: 1) & 0x24 == 0)
    bench[0x00] = bench[0x00] & ~0x1800 | 0x40
    #expect(bench[0x08] & 2 == 0)
    bench.run(nanoseconds: 1_000_000_000)
    // A link that was lost is remembered until it is read.
    _ = bench.phy(read: 1)
    #expect(bench.phy(read: 1) & 0x24 == 0x24)
    #expect(bench[0x08] & 0xC3 == 0x83)
    #expect(bench[0xC0] & 4 != 0)
    #expect(bench.phy(read: 17) & 0xEC00 == 0xAC00)
    #expect(bench.phy(read: 10) & 0x3800 == 0x3800)
    // Only 100 Mb/s, half duplex.
    bench.phy(write: 9, 0)
    bench.phy(write: 4, 0x0081)
    bench.phy(write: 0, 0x1200)
    #expect(bench[0x08] & 2 == 0)
    bench.run(nanoseconds: 1_000_000_000)
    #expect(bench[0x08] & 0xC3 == 0x42)
    // Another address on the management interface: an error.
    bench[0x20] = 2 << 26 | 2 << 21
    #expect(bench[0x20] >> 28 & 5 == 5)
  }

  @Test func cable() {
    bench.start()
    bench.adapter.setConnected(false)
    #expect(bench[0x08] & 2 == 0)
    #expect(bench[0xC0] & 4 != 0)
    bench.adapter.setConnected(true)
    bench.run(nanoseconds: 1_000_000_000)
    #expect(bench[0x08] & 2 != 0)
  }

  /// Section 13.4.17 and on: reading ICR clears it, IMS and IMC set and clear bits, ICS sets causes; the pin is their product.
  @Test func interruptRegisters() {
    bench[0xC8] = 0x84
    #expect(!bench.interrupt)
    bench[0xD0] = 0x80
    #expect(bench.interrupt)
    bench[0xD0] = 0x04
    #expect(bench[0xD0] == 0x84)
    bench[0xD8] = 0x80
    #expect(bench[0xD0] == 0x04 && bench.interrupt)
    #expect(bench[0xC0] == 0x84)
    #expect(!bench.interrupt && bench[0xC0] == 0)
    bench[0xC8] = 0x84
    bench[0xC0] = 0x04
    #expect(!bench.interrupt)
    #expect(bench[0xC0] == 0x80)
  }

  /// Section 13.4.18: no two interrupts closer than ITR times 256 ns.
  @Test func throttling() {
    bench[0xC4] = 1000
    bench[0xD0] = 0x80
    bench[0xC8] = 0x80
    #expect(bench.interrupt)
    _ = bench[0xC0]
    bench[0xC8] = 0x80
    #expect(!bench.interrupt)
    bench.run(nanoseconds: 255_000)
    #expect(!bench.interrupt)
    bench.run(nanoseconds: 1_100)
    #expect(bench.interrupt)
  }

  /// Section 13.2.2: IOADDR and IODATA reach every register.
  @Test func throughPorts() {
    bench.adapter.write(bar: 2, offset: 0, size: 4, value: 0x5400)
    #expect(bench.adapter.read(bar: 2, offset: 4, size: 4) == 0x123E_1600)
    bench.adapter.write(bar: 2, offset: 4, size: 4, value: 0xCAFE)
    #expect(bench[0x5400] == 0xCAFE)
    bench.adapter.write(bar: 2, offset: 0, size: 4, value: 0x2_0000)
    #expect(bench.adapter.read(bar: 2, offset: 4, size: 4) == 0)
  }

  @Test func resetByTheBus() {
    bench.start()
    bench[0xD0] = 0x80
    bench[0xC8] = 0x80
    bench.root.reset()
    #expect(!bench.interrupt)
    #expect(bench[0xD0] == 0 && bench[0x100] == 0 && bench[0x3808] == 0)
  }
}
