import Hypervisor
import SplitDrivers
import Testing

/// xen/include/public/io/ring.h.
@Suite("Rings") struct BackRingTests {
  @Test func slotsOfAFrame() {
    #expect(BackRing.slots(entrySize: 0x70) == 128 && BackRing.slots(entrySize: 12) == 1024)
    #expect(BackRing.slots(entrySize: 8) == 1024 && BackRing.slots(entrySize: 0xFC) == 64)
  }

  @Test func indicesGoAround() throws {
    let fixture = try DriverFixture()
    let domain = try FrontDomain(5, fixture)
    let front = FrontRing(domain, entry: 0xFC)
    var back = BackRing(page: try fixture.grants.mapForHost(front.reference, of: 5), requestSize: 0xFC, responseSize: 0xFC)
    for round in 0..<200 {
      for slot in 0..<64 { front.put([UInt8(round & 0xFF), UInt8(slot)] + [UInt8](repeating: 7, count: 250)) }
      _ = front.push()
      #expect(try back.waiting() == 64)
      while let request = try back.next() { back.put(request) }
      #expect(back.push())
      #expect(front.take(2).map { $0[1] } == (0..<64).map { UInt8($0) })
      #expect(try !back.awaitsMore())
    }
    // A full ring that gets one more.
    for _ in 0..<64 { front.put([UInt8](repeating: 0, count: 0xFC)) }
    _ = front.push()
    while try back.next() != nil {}
    front.put([1])
    _ = front.push()
    #expect(throws: ProtocolViolation.requests(65)) { try back.next() }
  }
}
