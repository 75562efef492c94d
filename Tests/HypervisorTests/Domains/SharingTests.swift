import Hypervisor
import Platform
import Processor
import TestSupport
import Testing

/// Virtual processors that share physical ones: real guests under the scheduler.
@Suite("Sharing processors", .ends(withinMinutes: 5))
struct SharingTests {
  private static let busy = "again: add r4=1,r4 ;;\n br.cond.sptk.many again"

  private func shares(
    _ domains: [(weight: Int, cap: Int, processors: Int)], physical: Int, seconds: Double
  ) throws -> [Double] {
    let pool = try FramePool(size: 2 << 30, kept: 0)
    let hypervisor = try Hypervisor(processors: physical, cyclesPerSecond: LogicalProcessor.frequency)
    let guests = try domains.enumerated().map { index, settings in
      let guest = try GuestDomain(number: index + 1, pool: pool, processors: settings.processors)
      try guest.load(Self.busy)
      try hypervisor.add(guest, number: index + 1, weight: settings.weight, cap: settings.cap)
      return guest
    }
    let end = UInt64(seconds * Double(LogicalProcessor.frequency))
    hypervisor.advance(to: end)
    return guests.map { guest in
      let slots = guest.domain.processors.reduce(0) { $0 + $1.processor.state.pointee.instructions }
      return Double(slots) / Double(end)
    }
  }

  @Test func weights() throws {
    let shares = try shares([(256, 0, 1), (512, 0, 1)], physical: 1, seconds: 0.6)
    #expect(abs(shares[0] - 1.0 / 3) < 0.03, "\(shares)")
    #expect(abs(shares[1] - 2.0 / 3) < 0.03, "\(shares)")
  }

  @Test func capsLeaveProcessorsIdle() throws {
    let shares = try shares([(256, 25, 1), (256, 0, 1)], physical: 2, seconds: 0.6)
    #expect(abs(shares[0] - 0.25) < 0.02, "\(shares)")
    #expect(shares[1] > 0.99, "\(shares)")
  }

  @Test func fourVirtualOnTwoPhysical() throws {
    let shares = try shares([(256, 0, 2), (256, 0, 2)], physical: 2, seconds: 0.6)
    #expect(abs(shares[0] - 1) < 0.05 && abs(shares[1] - 1) < 0.05, "\(shares)")
  }

  @Test func pausedDomainsStandStill() throws {
    let pool = try FramePool(size: 256 << 20, kept: 0)
    let hypervisor = try Hypervisor(processors: 1, cyclesPerSecond: LogicalProcessor.frequency)
    let guest = try GuestDomain(number: 1, pool: pool)
    try guest.load(Self.busy)
    try hypervisor.add(guest, number: 1)
    hypervisor.advance(to: 1_000_000)
    let before = guest.fingerprint
    try hypervisor.pause(1)
    hypervisor.advance(to: 5_000_000)
    #expect(guest.fingerprint[0...1] == before[0...1])
    try hypervisor.unpause(1)
    hypervisor.advance(to: 6_000_000)
    #expect(guest.fingerprint[1] > before[1])
  }
}
