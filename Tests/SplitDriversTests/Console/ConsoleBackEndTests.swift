import Hypervisor
import SplitDrivers
import Testing

/// Expected values: xen/include/public/io/console.h.
@Suite("Paravirtualized consoles") struct ConsoleBackEndTests {
  let fixture: DriverFixture
  let domain: FrontDomain
  let page: UInt64
  let port: UInt32
  let console: ConsoleBackEnd

  init() throws {
    fixture = try DriverFixture()
    domain = try FrontDomain(5, fixture)
    page = domain.page()
    port = try domain.port()
    console = try ConsoleBackEnd(host: fixture.host, domain: 5, frame: page / FrontDomain.frame, port: port)
  }

  private func word(_ offset: UInt64) -> UInt32 { domain.memory.load(page + offset) ?? 0 }
  private func write(_ bytes: [UInt8]) throws {
    let producer = word(0xC0C)
    for (index, byte) in bytes.enumerated() { domain.memory.store(page + 0x400 + UInt64((producer &+ UInt32(index)) & 2047), byte) }
    domain.memory.store(page + 0xC0C, producer &+ UInt32(bytes.count))
    try fixture.events.send(port, from: 5)
  }

  @Test func outputComesInOrderAroundTheRing() throws {
    var seen: [UInt8] = []
    console.output = { seen += $0 }
    let bytes = (0..<9000).map { UInt8(truncatingIfNeeded: $0) }
    for start in stride(from: 0, to: 9000, by: 900) { try write([UInt8](bytes[start..<start + 900])) }
    #expect(seen == bytes && word(0xC08) == 9000 && console.bytesWritten == 9000 && domain.takeEvent(port))
  }

  @Test func inputWaitsForRoom() throws {
    let bytes = (0..<3000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    console.type(bytes)
    #expect(word(0xC04) == 1024 && domain.takeEvent(port))
    var seen: [UInt8] = []
    while word(0xC00) != word(0xC04) {
      for index in word(0xC00)..<word(0xC04) { seen.append(domain.memory.load(page + UInt64(index & 1023)) ?? 0) }
      domain.memory.store(page + 0xC00, word(0xC04))
      try fixture.events.send(port, from: 5)
    }
    #expect(seen == bytes)
  }

  @Test(arguments: [0xC0C, 0xC00] as [UInt64]) func indicesThatCannotBeEndTheConnection(field: UInt64) throws {
    domain.memory.store(page + field, 5000 as UInt32)
    console.type([1])
    #expect(!console.isConnected && fixture.reports.count == 1)
    console.type([2])
    #expect(word(0xC04) == 0)
    // Its page is its own again.
    #expect(throws: XenError.invalid) { try ConsoleBackEnd(host: fixture.host, domain: 5, frame: 5000, port: port) }
  }
}
