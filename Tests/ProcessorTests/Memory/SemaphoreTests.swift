import Processor
import Testing

/// Semaphores: Volume 3, xchg, cmpxchg, fetchadd.
@Suite("Semaphores")
struct SemaphoreTests {
  static let word: UInt64 = 0x8182_8384_8586_8788

  @Test(arguments: [false, true]) func exchange(_ bigEndian: Bool) throws {
    for size in [1, 2, 4, 8] {
      let machine = try TestMachine("xchg\(size) r4=[r5],r6 ;;", psr: PSR.ic | (bigEndian ? PSR.be : 0))
      machine.store(TestMachine.data, Self.word)
      machine[gr: 5] = TestMachine.data
      machine[gr: 6] = 0x0102_0304_0506_0708
      #expect(machine.run() == .done)
      let mask: UInt64 = size == 8 ? UInt64.max : 1 << UInt64(8 * size) - 1
      let shift = UInt64(64 - 8 * size)
      #expect(machine[gr: 4] == (bigEndian ? Self.word.byteSwapped >> shift : Self.word & mask))
      let stored = bigEndian ? (0x0102_0304_0506_0708 << shift as UInt64).byteSwapped : 0x0102_0304_0506_0708 & mask
      #expect(machine.load(TestMachine.data) == Self.word & ~mask | stored)
    }
  }

  /// The value in memory is zero-extended and compared with all 64 bits of CCV.
  @Test(arguments: ["acq", "rel"]) func compareExchange(_ order: String) throws {
    for size in [1, 2, 4, 8] {
      let machine = try TestMachine("cmpxchg\(size).\(order) r4=[r5],r6,ar.ccv ;;")
      let mask: UInt64 = size == 8 ? UInt64.max : 1 << UInt64(8 * size) - 1
      machine[gr: 5] = TestMachine.data
      machine[gr: 6] = 0x0102_0304_0506_0708
      for (ccv, equal) in [(Self.word & mask, true), (Self.word & mask ^ 1, false)]
        + (size == 8 ? [] : [(Self.word & mask | mask + 1, false)])
      {
        machine.store(TestMachine.data, Self.word)
        machine[ar: AR.ccv] = ccv
        machine.restart(psr: PSR.ic)
        #expect(machine.run() == .done)
        #expect(machine[gr: 4] == Self.word & mask)
        #expect(machine.load(TestMachine.data) == (equal ? Self.word & ~mask | machine[gr: 6] & mask : Self.word))
      }
    }
  }

  /// The comparison is with the 8 bytes at the address, the store of 16 with bit 3 of it ignored: GR, then CSD, in either byte order.
  @Test(arguments: [false, true]) func compareExchange16(_ bigEndian: Bool) throws {
    let swap = { (value: UInt64) in bigEndian ? value.byteSwapped : value }
    for half in [0, 8] as [UInt64] {
      for equal in [false, true] {
        let machine = try TestMachine("cmp8xchg16.acq r4=[r5],r6,ar.csd,ar.ccv ;;", psr: PSR.ic | (bigEndian ? PSR.be : 0))
        machine.store(TestMachine.data, swap(0xAAAA))
        machine.store(TestMachine.data + 8, swap(0xBBBB))
        machine[gr: 5] = TestMachine.data + half
        machine[gr: 6] = 0x66
        machine[ar: AR.csd] = 0x77
        machine[ar: AR.ccv] = equal ? (half == 0 ? 0xAAAA : 0xBBBB) : 1
        #expect(machine.run() == .done)
        #expect(machine[gr: 4] == (half == 0 ? 0xAAAA : 0xBBBB))
        #expect(machine.load(TestMachine.data) == swap(equal ? 0x66 : 0xAAAA))
        #expect(machine.load(TestMachine.data + 8) == swap(equal ? 0x77 : 0xBBBB))
      }
    }
  }

  @Test func fetchAdd() throws {
    for increment in [-16, -8, -4, -1, 1, 4, 8, 16] {
      for size in [4, 8] {
        for order in ["acq", "rel"] {
          let machine = try TestMachine("fetchadd\(size).\(order) r4=[r5],\(increment) ;;")
          machine.store(TestMachine.data, UInt64(3))
          machine.store(TestMachine.data + 8, UInt64(9))
          machine[gr: 5] = TestMachine.data
          #expect(machine.run() == .done)
          #expect(machine[gr: 4] == 3)
          let sum = UInt64(bitPattern: Int64(3 + increment))
          #expect(machine.load(TestMachine.data) == (size == 8 ? sum : sum & 0xFFFF_FFFF))
          #expect(machine.load(TestMachine.data + 8) == 9)
        }
      }
    }
  }

  /// Write access is needed and the dirty bit is checked even if the comparison will fail.
  @Test func checksForWriting() throws {
    let machine = try TestMachine("cmpxchg8.acq r4=[r5],r6,ar.ccv ;;", psr: TestMachine.virtual)
    machine.separateRegions()
    machine.mapMemory()
    machine[gr: 5] = TestMachine.region(1)
    machine[ar: AR.ccv] = 1
    try machine.insertData { $0.rights = 0 }
    #expect(machine.run() == .interruption(.dataAccessRights))
    try machine.insertData { $0.dirty = false }
    machine.restart(psr: TestMachine.virtual)
    #expect(machine.run() == .interruption(.dirtyBit))
    #expect(machine.interruption.isr == ISR.r | ISR.w)
  }
}
