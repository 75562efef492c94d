import Processor
import Testing

/// Plain loads and stores: Volume 3, ld and st; Volume 1, sections 3.2.3 (byte order) and 4.4.
@Suite("Loads and stores")
struct LoadStoreTests {
  static let word: UInt64 = 0xF1E2_D3C4_B5A6_9788
  static let sizes = [1, 2, 4, 8]

  /// What a load of `size` bytes at the address of `word` gives.
  static func loaded(_ size: Int, bigEndian: Bool) -> UInt64 {
    let mask: UInt64 = size == 8 ? UInt64.max : 1 << UInt64(8 * size) - 1
    return bigEndian ? word.byteSwapped >> UInt64(64 - 8 * size) : word & mask
  }

  /// Every size and completer: zero extension, byte order, and the base behind each kind of update.
  @Test(arguments: [false, true], ["", ".bias", ".acq", ".s", ".a", ".sa", ".c.nc", ".c.clr", ".c.clr.acq"])
  func loads(_ bigEndian: Bool, _ type: String) throws {
    for size in Self.sizes {
      let machine = try TestMachine(
        """
        ld\(size)\(type) r14=[r5] ;;
        ld\(size)\(type) r15=[r6],-256 ;;
        ld\(size)\(type) r16=[r7],r8 ;;
        """, psr: PSR.ic | (bigEndian ? PSR.be : 0))
      machine.store(TestMachine.data, Self.word)
      for n in [5, 6, 7] { machine[gr: n] = TestMachine.data }
      machine[gr: 8] = 0x1234_5678_9ABC
      #expect(machine.run() == .done)
      for n in [14, 15, 16] { #expect(machine[gr: n] == Self.loaded(size, bigEndian: bigEndian), "r\(n), \(size) bytes") }
      #expect(machine[gr: 5] == TestMachine.data)
      #expect(machine[gr: 6] == TestMachine.data - 256)
      #expect(machine[gr: 7] == TestMachine.data + 0x1234_5678_9ABC)
    }
  }

  @Test(arguments: [false, true], ["", ".rel"]) func stores(_ bigEndian: Bool, _ type: String) throws {
    for size in Self.sizes {
      let machine = try TestMachine(
        "st\(size)\(type) [r5]=r4 ;;\nst\(size)\(type) [r6]=r4,255 ;;", psr: PSR.ic | (bigEndian ? PSR.be : 0))
      machine[gr: 4] = Self.word
      machine[gr: 5] = TestMachine.data + 8
      machine[gr: 6] = TestMachine.data + 24
      for i in 0..<6 as Range<UInt64> { machine.store(TestMachine.data + 8 * i, 0x1111_1111_1111_1111 as UInt64) }
      #expect(machine.run() == .done)
      let kept: UInt64 = size == 8 ? 0 : UInt64.max << UInt64(8 * size)
      let stored = bigEndian ? Self.word.byteSwapped >> UInt64(64 - 8 * size) : Self.word & ~kept
      // Big-endian: the low bytes of the register, most significant first.
      let low = bigEndian ? (Self.word << UInt64(64 - 8 * size)).byteSwapped : stored
      for i in 0..<6 as Range<UInt64> {
        let expected = i == 1 || i == 3 ? 0x1111_1111_1111_1111 & kept | low : 0x1111_1111_1111_1111
        #expect(machine.load(TestMachine.data + 8 * i) == expected)
      }
      #expect(machine[gr: 6] == TestMachine.data + 24 + 255)
    }
  }

  /// ld16 and st16: the general register is the lower address in both byte orders, AR.CSD the higher (Volume 3, ld).
  @Test(arguments: [false, true]) func sixteenBytes(_ bigEndian: Bool) throws {
    let machine = try TestMachine(
      "ld16 r4,ar.csd=[r5] ;;\nmov r6=ar.csd ;;\nmov ar.csd=r7 ;;\nst16 [r8]=r9,ar.csd ;;", psr: PSR.ic | (bigEndian ? PSR.be : 0))
    let swap = { (value: UInt64) in bigEndian ? value.byteSwapped : value }
    machine.store(TestMachine.data, Self.word)
    machine.store(TestMachine.data + 8, ~Self.word)
    machine[gr: 5] = TestMachine.data
    machine[gr: 7] = 0x77
    machine[gr: 8] = TestMachine.data + 32
    machine[gr: 9] = 0x99
    #expect(machine.run() == .done)
    #expect(machine[gr: 4] == swap(Self.word))
    #expect(machine[gr: 6] == swap(~Self.word))
    #expect(machine.load(TestMachine.data + 32) == swap(0x99))
    #expect(machine.load(TestMachine.data + 40) == swap(0x77))
  }

  /// A fault leaves target, base and memory as they were.
  @Test(arguments: [
    "ld8 r4=[r5],8", "ld8 r4=[r5],r6", "ld8.fill r4=[r5],8", "ld4.acq r4=[r5],8", "ld8.a r4=[r5],8", "ld1.c.nc r4=[r5],8",
    "st8 [r5]=r4,8",
    "st8.spill [r5]=r4,8", "st2.rel [r5]=r4,8", "ldfd f6=[r5],8", "ldfe f6=[r5],16", "ldf.fill f6=[r5],16", "ldfp8 f6,f7=[r5],16",
    "stfd [r5]=f6,8", "stf.spill [r5]=f6,16", "lfetch.fault [r5],8", "xchg8 r4=[r5],r6", "fetchadd8.acq r4=[r5],1",
  ]) func faultsLeaveNoTrace(_ text: String) throws {
    let machine = try TestMachine("\(text) ;;", psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    machine[gr: 4] = 44
    machine[gr: 5] = TestMachine.region(1)
    machine[gr: 6] = 66
    machine[ar: AR.unat] = 0x5555
    let f6 = machine[fr: 6]
    #expect(machine.run() == .interruption(.alternateDataTLB))
    #expect([4, 5, 6].map { machine[gr: $0] } == [44, TestMachine.region(1), 66])
    #expect(machine[ar: AR.unat] == 0x5555)
    #expect(machine[fr: 6] == f6)
  }

  /// Targets: r0 and registers outside the frame are illegal, and so is one register as target and updated base (Volume 3, ld).
  @Test(arguments: [
    "ld8 r0=[r5]", "ld8 r5=[r5],8", "ld8 r4=[r0],8", "ld8 r60=[r5]", "ld8 r4=[r60],8", "st8 [r60]=r4,8", "st8 [r0]=r4,8",
    "ldfd f0=[r5]",
    "ldfd f1=[r5]", "ldfpd f6,f8=[r5]", "ldfpd f7,f5=[r5]", "ldfd f6=[r60],8", "lfetch [r60],8", "xchg8 r0=[r5],r6",
    "fetchadd4.acq r60=[r5],1",
  ]) func illegalTargets(_ text: String) throws {
    let machine = try TestMachine("nop.m 0 ;;", psr: PSR.ic)
    guard (try? machine.place("\(text) ;;", at: TestMachine.code)) != nil else { return }
    machine[gr: 5] = TestMachine.data
    machine.restart(psr: PSR.ic)
    #expect(machine.run() == .interruption(.generalException))
    #expect(machine.interruption.code == 0)
  }
}
