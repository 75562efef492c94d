import Platform
import Testing

/// The disk that all paths lead to: 60 µs to the medium, 200 MB/s there, 14 µs (16.2 for a write) and 80 MB/s on the link.
@Suite("Timing of the medium") struct MediumTimingTests {
  private func cycles(_ microseconds: Double) -> UInt64 { UInt64((microseconds * Double(Cycles.perSecond) / 1_000_000).rounded()) }

  private func isClose(_ value: UInt64, _ microseconds: Double) -> Bool {
    let wanted = cycles(microseconds)
    return value + 4 >= wanted && value <= wanted + 4
  }

  @Test func oneRequest() {
    // 8000 bytes: 40 µs of the medium, 100 µs of the link.
    #expect(isClose(MediumTiming().request(8000, isWrite: false, now: 0), 60 + 40 + 14 + 100))
    #expect(isClose(MediumTiming().access(8000, isWrite: false, now: 0), 60 + 40))
  }

  /// A write begins when its data begin to come: the longer of the two ways, behind what the bus needs first.
  @Test func writesOverlap() {
    #expect(isClose(MediumTiming().request(8000, isWrite: true, now: 0), 16.2 + 100))
    #expect(isClose(MediumTiming().request(800, isWrite: true, now: 0), 16.2 + 60 + 4))
  }

  /// One is on the medium while another one's data are on the link: whoever asks.
  @Test func requestsShare() {
    let timing = MediumTiming()
    #expect(isClose(timing.request(8000, isWrite: false, now: 0), 214))
    // The medium is done at 200 µs, the link is free at 214.
    #expect(isClose(timing.request(8000, isWrite: false, now: 0), 214 + 114))
    // Small ones wait for the medium: 300 µs and the access, then their own way.
    #expect(isClose(timing.request(800, isWrite: false, now: cycles(200)), 328 + 14 + 10))
  }

  /// However long the queue is, nothing gets faster: 100 requests of 1,000,000 bytes need 100 times 12.5 ms and 14 µs on the link.
  @Test func longQueues() {
    let timing = MediumTiming()
    var end: UInt64 = 0
    for _ in 0..<100 { end = timing.request(1_000_000, isWrite: false, now: 0) }
    let wanted = cycles(60 + 5000 + 100 * (14 + 12_500))
    #expect(end + 200 >= wanted && end <= wanted + 200)
  }

  /// A controller of a domain: its write is on the link with its data, not behind the medium. 1,000,000 bytes: 12.5 ms there, 5 on the medium.
  @Test func writesOfAnEmulatedBus() {
    let timing = MediumTiming()
    timing.host = HostProcessor(HostProcessor.Costs(request: 0, page: 0, notification: 0))
    #expect(isClose(timing.access(1_000_000, isWrite: true, now: 0), 60 + 5000))
    #expect(isClose(timing.request(8000, isWrite: false, now: cycles(15_000)), 15_000 + 214))
  }

  @Test func theHostIsOnTheWay() {
    let timing = MediumTiming()
    let host = HostProcessor(HostProcessor.Costs(request: 1000, page: 100, notification: 10))
    timing.host = host
    // 20,000 bytes are two pages of 16 KB; there is a notification each way.
    let direct = MediumTiming().request(20_000, isWrite: false, now: 0)
    #expect(timing.request(20_000, isWrite: false, now: 0) == direct + 1220)
    #expect(host.cycles == 1220)
    _ = timing.request(20_000, isWrite: false, now: 0)
    #expect(host.cycles == 2440)
  }
}
