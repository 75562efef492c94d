import Devices
import Platform
import Testing

/// Queues as hostile drivers make them: the device asks for its reset (section 2.1.2), and works again after it.
@Suite struct VirtqueueTests {
  private func bench() throws -> VirtioBench { try VirtioBench { VirtioEntropy(seed: 7, events: $0, clock: $1) } }

  /// What is wrong with a queue.
  enum Mistake: CaseIterable, Sendable {
    case indexJumps, headOutside, nextOutside, loop, longLoop, readAfterWrite, indirectUnasked, outsideMemory, wraps, tooMuch
    case ringOutside, indirectInIndirect, indirectWithNext, indirectUneven, indirectEmpty, indirectOutside
  }

  private func make(_ mistake: Mistake, _ bench: VirtioBench) {
    let write: UInt16 = 2
    let next: UInt16 = 1
    func one(_ address: UInt64, _ length: UInt32, _ flags: UInt16, _ following: UInt16 = 0) {
      bench.setDescriptor(0, 0, address: address, length: length, flags: flags, next: following)
    }
    switch mistake {
    case .indexJumps:
      bench.memory.store(bench.rings[0].available + 2, UInt16(0x4000))
      return
    case .headOutside: return bench.expose(0, 8)
    case .nextOutside: one(0x8000, 8, write | next, 8)
    case .loop: one(0x8000, 8, write | next, 0)
    case .longLoop:
      for n in 0..<8 {
        bench.setDescriptor(0, UInt64(n), address: 0x8000, length: 1, flags: write | next, next: UInt16((n + 1) % 8))
      }
    case .readAfterWrite:
      one(0x8000, 8, write | next, 1)
      bench.setDescriptor(0, 1, address: 0x9000, length: 8, flags: 0)
    case .indirectUnasked, .indirectUneven: one(0x9000, mistake == .indirectUnasked ? 16 : 17, 4)
    case .indirectEmpty: one(0x9000, 0, 4)
    case .indirectOutside: one(0xFFFF_FFFF_0000, 16, 4)
    case .indirectWithNext: one(0x9000, 16, 4 | next, 1)
    case .indirectInIndirect:
      bench.store(0x9000, address: 0xA000, length: 16, flags: 4)
      bench.store(0xA000, address: 0x8000, length: 8, flags: write)
      one(0x9000, 16, 4)
    case .outsideMemory: one(0xF_FFFF_0000, 64, write)
    case .wraps: one(.max - 3, 64, write)
    case .tooMuch: one(0, .max, write)
    case .ringOutside: break
    }
    bench.expose(0, 0)
  }

  @Test(arguments: Mistake.allCases, VirtioBench.Driver.allCases)
  func mistakes(_ mistake: Mistake, _ driver: VirtioBench.Driver) throws {
    let bench = try bench()
    let isIndirect = "\(mistake)".hasPrefix("indirect") && mistake != .indirectUnasked
    bench.start(driver, features: isIndirect ? VirtioBench.indirect : 0, queues: 1)
    if mistake == .ringOutside {
      if driver == .legacy {
        bench.setLegacy(8, 4, 0)
        bench.setLegacy(8, 4, 0xFFFF_FFF0)
      } else {
        bench.setStatus(0)
        bench.setStatus(3)
        bench.setCommon(8, 4, 1)
        bench.setCommon(12, 4, 1)
        bench.setStatus(0xB)
        bench.setCommon(22, 2, 0)
        bench.setCommon(40, 8, 0xFFFF_0000_0000)
        bench.setCommon(28, 2, 1)
        bench.setStatus(0xF)
      }
    } else {
      make(mistake, bench)
    }
    bench.notify(0)
    #expect(bench.settle(limit: 1000))
    #expect(bench.pci.statistics.faults == 1)
    // A modern driver is told, by the configuration's interrupt; there is no such bit in the legacy interface.
    #expect(bench.status & 64 == (driver == .modern ? 64 : 0))
    #expect(bench.isr() == (driver == .modern ? 2 : 0))
    // Nothing more happens...
    bench.notify(0)
    #expect(bench.settle(limit: 1000))
    #expect(bench.collect(0).isEmpty)
    // ... until the reset.
    bench.start(driver, queues: 1)
    #expect(bench.request(0, [.write(0x8000, 8)]) == 8)
    #expect(bench.pci.statistics.faults == 1)
  }

  /// Section 2.7.5.3: descriptors in a table of their own.
  @Test(arguments: VirtioBench.Driver.allCases) func indirect(_ driver: VirtioBench.Driver) throws {
    let bench = try bench()
    bench.start(driver, features: VirtioBench.indirect, queues: 1)
    let parts = (0..<8).map { VirtioBench.Part.write(0x8000 + 0x100 * UInt64($0), 4) }
    bench.post(0, parts, table: 0x9000)
    bench.notify(0)
    #expect(bench.settle())
    #expect(bench.collect(0).map(\.written) == [32])
    let direct = try self.bench()
    direct.start(driver, queues: 1)
    #expect(direct.request(0, [.write(0x8000, 32)]) == 32)
    let pieces = (0..<8).flatMap { bench.bytes(0x8000 + 0x100 * UInt64($0), 4) }
    #expect(pieces == direct.bytes(0x8000, 32))
  }

  /// The ring and both indices go round many times.
  @Test(arguments: VirtioBench.Driver.allCases) func wrapsAround(_ driver: VirtioBench.Driver) throws {
    let bench = try bench()
    bench.start(driver, queues: 1)
    for round in 0..<33000 {
      let heads = (0..<2).map { _ in bench.post(0, [.write(0x8000, 1)]) }
      bench.notify(0)
      bench.settle()
      let done = bench.collect(0)
      guard done.map(\.head) == heads.map(UInt32.init) else {
        Issue.record("round \(round): \(done)")
        return
      }
    }
    #expect(bench.pci.statistics.requests == 66000)
    #expect(bench.pci.statistics.faults == 0)
  }
}
