import Devices
import Foundation
import HostResources
import Platform
import Testing

/// A device that is saved in the middle of its requests goes on somewhere else as if nothing had happened.
@Suite struct VirtioStateTests {
  private func copy<T: Codable>(_ value: T) throws -> T { try JSONDecoder().decode(T.self, from: JSONEncoder().encode(value)) }

  /// Brings everything but the device's own state to another bench.
  private func carry(_ old: VirtioBench, to new: VirtioBench) throws {
    new.driver = old.driver
    new.rings = old.rings
    new.clock.now = old.clock.now
    new.pci.state = try copy(old.pci.state)
    new.pci.function.configuration = try copy(old.pci.function.configuration)
    for event in old.events.pending { new.events.schedule(event.handler, tag: event.tag, at: event.cycle) }
  }

  @Test(arguments: VirtioBench.Driver.allCases) func block(_ driver: VirtioBench.Driver) throws {
    let storage = FaultyStorage(sectors: 16)
    let first = try VirtioBench { VirtioBlock(storage: storage, serial: "S", events: $0, clock: $1) }
    first.start(driver, features: 1 << 9, queues: 1)
    first.memory.write(0x4000, little((0, 4), (0, 4), (3, 8)))
    for n in 0..<3 { first.post(0, [.read(0x4000, 16), .write(0x8000 + 0x400 * UInt64(n), 512), .write(0x4100, 1)]) }
    first.notify(0)
    first.run(nanoseconds: 2_000)
    let second = try VirtioBench(memory: first.memory) { VirtioBlock(storage: storage, serial: "S", events: $0, clock: $1) }
    try carry(first, to: second)
    let (from, to) = try (#require(first.pci.device as? VirtioBlock), #require(second.pci.device as? VirtioBlock))
    to.state = try copy(from.state)
    #expect(to.state == from.state && second.pci.state == first.pci.state)
    second.settle()
    #expect(second.collect(0).map(\.written) == [513, 513, 513])
    #expect(second.bytes(0x8800, 512) == storage.sector(3))
    second.memory.write(0x4000, little((8, 4), (0, 4), (0, 8)))
    #expect(second.request(0, [.read(0x4000, 16), .write(0x8000, 20), .write(0x4100, 1)]) == 21)
  }

  /// A large segment of which some frames are out, and one that waits for buffers.
  @Test func net() throws {
    let port = TestPort()
    func make(_ memory: IDEBench.Memory) throws -> VirtioBench {
      try VirtioBench(memory: memory) {
        VirtioNet(address: MACAddress(value: 0x0016_3E00_0001), port: port, events: $0, clock: $1)
      }
    }
    let first = try make(IDEBench.Memory())
    first.start(features: 1 | 1 << 11 | 1 << 15, queues: 3)
    let headers: [UInt8] =
      [0, 0x16, 0x3E, 0, 0, 1, 2, 0, 0, 0, 0, 1, 8, 0] + [0x45, 0, 0, 0, 0, 7, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
      + [0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0]
    let payload = (0..<4000).map { UInt8(truncatingIfNeeded: $0) }
    first.memory.write(0x2_8000, little((1, 1), (1, 1), (54, 2), (1000, 2), (34, 2), (16, 2), (0, 2)) + headers + payload)
    first.post(1, [.read(0x2_8000, 12 + headers.count + payload.count)])
    first.notify(1)
    port.deliver(headers + [UInt8](repeating: 9, count: 100))
    first.run(nanoseconds: 20_000)
    #expect(1..<4 ~= port.sent.count)
    let second = try make(first.memory)
    try carry(first, to: second)
    let (from, to) = try (#require(first.pci.device as? VirtioNet), #require(second.pci.device as? VirtioNet))
    to.state = try copy(from.state)
    second.settle()
    #expect(port.sent.flatMap { $0.frame[54...] } == payload)
    #expect(second.collect(1).count == 1)
    second.post(0, [.write(0x3_0000, 2048)])
    second.notify(0)
    second.settle()
    #expect(second.collect(0).map(\.written) == [12 + 154])
  }

  @Test func others() throws {
    let entropy = try VirtioBench { VirtioEntropy(seed: 3, events: $0, clock: $1) }
    entropy.start(queues: 1)
    _ = entropy.request(0, [.write(0x8000, 8)])
    let second = try VirtioBench(memory: entropy.memory) { VirtioEntropy(seed: 4, events: $0, clock: $1) }
    try carry(entropy, to: second)
    let (from, to) = try (#require(entropy.pci.device as? VirtioEntropy), #require(second.pci.device as? VirtioEntropy))
    to.state = try copy(from.state)
    _ = second.request(0, [.write(0x9000, 8)])
    let straight = try VirtioBench { VirtioEntropy(seed: 3, events: $0, clock: $1) }
    straight.start(queues: 1)
    _ = straight.request(0, [.write(0x8000, 16)])
    #expect(second.bytes(0x8000, 8) + second.bytes(0x9000, 8) == straight.bytes(0x8000, 16))

    let scsi = try VirtioBench { VirtioSCSI(events: $0, clock: $1) }
    let storage = MemoryStorage(blocks: 8)
    (scsi.pci.device as? VirtioSCSI)?.attach(SCSIDisk(storage: storage), target: 0)
    scsi.start(queues: 3)
    scsi.memory.write(0x4000, [1, 0, 0x40, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 43))
    scsi.post(2, [.read(0x4000, 51), .write(0x4200, 108)])
    scsi.notify(2)
    scsi.run(nanoseconds: 2_000)
    let other = try VirtioBench(memory: scsi.memory) { VirtioSCSI(events: $0, clock: $1) }
    let host = try #require(other.pci.device as? VirtioSCSI)
    host.attach(SCSIDisk(storage: storage), target: 0)
    try carry(scsi, to: other)
    host.state = try copy(#require(scsi.pci.device as? VirtioSCSI).state)
    other.settle()
    // TEST UNIT READY met the unit attention of power-on.
    #expect(other.collect(2).count == 1)
    #expect(other.bytes(0x4200 + 10, 2) == [2, 0])
  }
}
