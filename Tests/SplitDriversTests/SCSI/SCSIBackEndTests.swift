import Devices
import Hypervisor
import SplitDrivers
import Testing

/// Expected values: xen/include/public/io/vscsiif.h, scsiback, and SPC-3.
@Suite("Virtual SCSI") struct SCSIBackEndTests {
  let fixture: DriverFixture
  let domain: FrontDomain
  let ring: FrontRing
  let port: UInt32
  let backEnd: SCSIBackEnd
  let disk = MemoryDisk(sectors: 128)

  init() throws {
    fixture = try DriverFixture()
    domain = try FrontDomain(5, fixture)
    ring = FrontRing(domain, entry: 0xFC)
    port = try domain.port()
    backEnd = SCSIBackEnd(host: fixture.host, domain: 5, device: 0)
    backEnd.add(SCSIDisk(storage: disk), physical: "1:0:0:0", at: .init(target: 1, unit: 2))
    try fixture.host.plug(backEnd, name: "guest")
    let (path, reference, port) = (backEnd.frontPath, ring.reference, port)
    try fixture.store.transaction {
      $0.write(path + "/ring-ref", String(reference))
      $0.write(path + "/event-channel", String(port))
      $0.write(path + "/state", "3")
    }
    try setState(4)
  }

  private func setState(_ state: Int) throws { try fixture.store.write(backEnd.frontPath + "/state", String(state)) }
  private func key(_ name: String) -> String? { try? fixture.store.read(backEnd.path + "/" + name) }

  private func request(
    _ command: [UInt8], target: UInt16 = 1, unit: UInt16 = 2, action: UInt8 = 1, _ segments: [(UInt32, UInt16, UInt16)] = []
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 0xFC)
    bytes.setField(0, 7 as UInt16)
    bytes[2] = action
    bytes[3] = UInt8(command.count)
    bytes.replaceSubrange(4..<4 + min(command.count, 16), with: command.prefix(16))
    bytes.setField(0x18, target)
    bytes.setField(0x1A, unit)
    bytes[0x1F] = UInt8(segments.count)
    for (index, segment) in segments.prefix(26).enumerated() {
      bytes.setField(0x20 + index * 8, segment.0)
      bytes.setField(0x24 + index * 8, segment.1)
      bytes.setField(0x26 + index * 8, segment.2)
    }
    return bytes
  }

  private func perform(_ request: [UInt8]) throws -> (result: Int32, sense: UInt8, residual: UInt32, bytes: [UInt8]) {
    ring.put(request)
    if ring.push() { try fixture.events.send(port, from: 5) }
    fixture.run()
    let answers = ring.take(0xFC)
    let bytes = try #require(answers.first)
    #expect(answers.count == 1 && bytes[0] == 7)
    return (bytes.field(0x64), bytes[3], bytes.field(0x68), bytes)
  }

  private static let testUnitReady: [UInt8] = [0, 0, 0, 0, 0, 0]

  @Test func handshakeAndUnits() throws {
    #expect(key("state") == "4" && key("vscsi-devs/dev-0/state") == "3" && key("vscsi-devs/dev-0/v-dev") == "0:0:1:2")
    #expect(key("feature-host") == "0" && key("vscsi-devs/dev-0/p-dev") == "1:0:0:0")
    backEnd.add(SCSIDisk(storage: disk), physical: "1:0:1:0", at: .init(target: 1, unit: 3))
    #expect(key("state") == "7" && key("vscsi-devs/dev-1/state") == "1")
    #expect(try perform(request(Self.testUnitReady, unit: 3)).result == 0x10000)
    try setState(7)
    #expect(key("state") == "8" && key("vscsi-devs/dev-1/state") == "3")
    try setState(4)
    #expect(key("state") == "4")
    // REPORT LUNS tells of both.
    let page = domain.page()
    let report = try perform(request([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], [(domain.grant(page), 0, 64)]))
    #expect(report.result == 0 && report.residual == 40)
    #expect(domain.memory.read(page, count: 24) == [0, 0, 0, 16, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0])
    backEnd.remove(.init(target: 1, unit: 3))
    #expect(key("state") == "7" && key("vscsi-devs/dev-1/state") == "5")
    try setState(7)
    #expect(key("vscsi-devs/dev-1/state") == "6")
    try setState(4)
    #expect(try perform(request(Self.testUnitReady, unit: 3)).result == 0x10000)
  }

  @Test func commandsMoveData() throws {
    // The first command meets the unit attention of power-on: sense data.
    let first = try perform(request(Self.testUnitReady))
    #expect(first.result == 0x0800_0002 && first.sense == 96 && first.bytes[4] & 0x7F == 0x70 && first.bytes[6] & 0xF == 6)
    let (one, two) = (domain.page(), domain.page())
    let segments = [(domain.grant(one), 0x3E00, 0x200), (domain.grant(two), 0, 0x400)] as [(UInt32, UInt16, UInt16)]
    let read = try perform(request([0x28, 0, 0, 0, 0, 5, 0, 0, 2, 0], segments))
    #expect(read.result == 0 && read.sense == 0 && read.residual == 0x200)
    #expect(domain.memory.load(one + 0x3E00, as: UInt8.self) == 5 && domain.memory.load(two, as: UInt8.self) == 6)
    domain.memory.store(two, 0x77 as UInt8)
    #expect(try perform(request([0x2A, 0, 0, 0, 0, 9, 0, 0, 2, 0], [segments[1]])).result == 0)
    #expect(disk.bytes[9 * 512] == 0x77 && domain.flags(segments[0].0) == 1)
    #expect(try perform(request([], action: 3)).result == 0x2002)
    #expect(try perform(request([], action: 2)).result == 0x2003)
  }

  @Test func badParametersAreDriverErrors() throws {
    _ = try perform(request(Self.testUnitReady))
    let good = domain.grant(domain.page())
    let foreign = domain.grant(domain.page(), to: 9)
    let read: [UInt8] = [0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0]
    for bad in [
      request([]), request([UInt8](repeating: 0, count: 17)), request(read, [(good, 0x3FFF, 2)]),
      request(read, [(foreign, 0, 1024)]),
      request(read, [(good, 0, 1023)]), request(read), request(read, action: 9, [(good, 0, 1024)]),
      request(read, [(UInt32, UInt16, UInt16)](repeating: (good, 0, 1024), count: 27)),
    ] { #expect(try perform(bad).result == 0x0400_0000) }
    #expect(try perform(request(Self.testUnitReady, target: 9)).result == 0x10000)
    #expect(disk.log.isEmpty && backEnd.statistics.refusals == 8 && domain.flags(good) == 1)
    // A broken ring.
    domain.memory.store(ring.page, ring.produced &+ 65)
    try fixture.events.send(port, from: 5)
    #expect(key("state") == "5" && domain.flags(ring.reference) == 1)
  }
}
