import Devices
import HostResources
import Platform
import Testing

/// Console, entropy source and balloon (sections 5.3 to 5.5).
@Suite struct VirtioSmallTests {
  private final class Peer: VirtioConsolePeer {
    var text: [UInt8] = []
    func transmit(_ bytes: [UInt8]) { text += bytes }
  }

  @Test(arguments: VirtioBench.Driver.allCases) func console(_ driver: VirtioBench.Driver) throws {
    let bench = try VirtioBench { VirtioConsole(events: $0, clock: $1) }
    let console = try #require(bench.pci.device as? VirtioConsole)
    let peer = Peer()
    console.peer = peer
    bench.start(driver, features: 1, queues: 2)
    // SIZE and EMERG_WRITE; columns, rows, ports.
    #expect(bench.offered & 0xFF_FFFF == 1 | 1 << 2)
    #expect(bench.field(0, 2) == 80 && bench.field(2, 2) == 25 && bench.field(4, 4) == 1)
    bench.memory.write(0x8000, Array("hello".utf8))
    #expect(bench.request(1, [.read(0x8000, 5)]) == 0)
    bench.setField(8, 4, 0x21)
    #expect(peer.text == Array("hello!".utf8))
    // Input waits for buffers.
    #expect(console.receive(Array("abcdef".utf8)) == 6)
    bench.settle()
    #expect(bench.request(0, [.write(0x9000, 4)]) == 4)
    #expect(bench.request(0, [.write(0x9004, 4)]) == 2)
    #expect(bench.bytes(0x9000, 6) == Array("abcdef".utf8))
    #expect(console.receive([UInt8](repeating: 1, count: 10_000)) == 4096)
    _ = bench.isr()
    console.resize(columns: 132, rows: 43)
    #expect(bench.isr() == 2)
    #expect(bench.field(0, 2) == 132 && bench.field(2, 2) == 43)
  }

  /// SplitMix64's first numbers from seed 1234567, as its authors' reference implementation prints them.
  @Test func entropy() throws {
    let numbers: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
    ]
    let bench = try VirtioBench { VirtioEntropy(seed: 1_234_567, events: $0, clock: $1) }
    bench.start(queues: 1)
    #expect(bench.request(0, [.write(0x8000, 12), .write(0x9000, 20)]) == 32)
    #expect(bench.bytes(0x8000, 12) + bench.bytes(0x9000, 20) == numbers.flatMap { little(($0, 8)) })
  }

  private final class Host: BalloonHost {
    var gone: Set<UInt32> = []
    var resets = 0
    func inflated(_ pages: [UInt32]) { gone.formUnion(pages) }
    func deflated(_ pages: [UInt32]) { gone.subtract(pages) }
    func reset() { resets += 1 }
  }

  /// Queues 0 and 1 carry page numbers of 32 bits; num_pages and actual are in the configuration.
  @Test(arguments: VirtioBench.Driver.allCases) func balloon(_ driver: VirtioBench.Driver) throws {
    let bench = try VirtioBench { VirtioBalloon(events: $0, clock: $1) }
    let balloon = try #require(bench.pci.device as? VirtioBalloon)
    let host = Host()
    balloon.host = host
    bench.start(driver, features: 1 << 1, queues: 3)
    // MUST_TELL_HOST, STATS_VQ, DEFLATE_ON_OOM.
    #expect(bench.offered & 0xFF_FFFF == 7)
    #expect(bench.field(0, 4) == 0)
    balloon.setTarget(pages: 512)
    #expect(bench.isr() == 2)
    #expect(bench.field(0, 4) == 512)
    bench.memory.write(0x8000, little((100, 4), (101, 4), (4_000_000_000, 4)))
    #expect(bench.request(0, [.read(0x8000, 12)]) == 0)
    #expect(host.gone == [100, 101, 4_000_000_000])
    bench.setField(4, 4, 3)
    #expect(bench.field(4, 4) == 3)
    #expect(bench.request(1, [.read(0x8004, 8)]) == 0)
    #expect(host.gone == [100])
    // Statistics: tag of 16 bits, value of 64. The driver gives a buffer; giving it back is the question for new ones.
    bench.memory.write(0x9000, little((4, 2), (111, 8), (5, 2), (222, 8), (77, 2), (9, 8)))
    bench.post(2, [.read(0x9000, 30)])
    bench.notify(2)
    bench.settle()
    #expect(bench.collect(2).isEmpty)
    #expect(balloon.guestStatistics == [.freeMemory: 111, .totalMemory: 222])
    #expect(balloon.requestStatistics())
    #expect(bench.collect(2).count == 1)
    #expect(!balloon.requestStatistics())
    let before = host.resets
    bench.setStatus(0)
    #expect(host.resets == before + 1)
    #expect(bench.field(0, 4) == 512 && bench.field(4, 4) == 0)
  }
}
