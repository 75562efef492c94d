import Inspection
import Processor

/// Where a guest is, again and again: a profile of runs without cycle timing. Of the processors that do not halt; in a domain, the guest's.
final class ProfileSampler {
  private struct Place: Hashable {
    var address: UInt64
    var slot: UInt8
    var isPhysical: Bool
  }
  private let server: Server
  private let interval: UInt64
  private let kernel: String?
  private let symbols: String?
  private let path: String
  private var samples: [Place: UInt64] = [:]
  /// A guest may run anywhere.
  private static let largest = 1 << 20

  init(_ server: Server, _ options: TimingOptions, kernel: String?) {
    (self.server, self.kernel, symbols) = (server, kernel, options.symbols)
    interval = options.profileInterval ?? TimingOptions.defaultInterval
    path = options.profile ?? ""
  }

  /// As ``Server/run(until:)``.
  func run(until limit: UInt64) throws -> Server.Outcome {
    while true {
      let now = server.machine.now
      let next = min(limit, now &+ (interval &- now % interval))
      let outcome = try server.run(until: next)
      guard outcome == .limit, next < limit else { return outcome }
      sample()
    }
  }

  private func sample() {
    for processor in server.processors where !processor.isWaiting {
      let s = processor.state.pointee
      let place = Place(address: s.ip, slot: UInt8(PSR.ri(s.psr)), isPhysical: s.psr & PSR.it == 0)
      guard samples[place] != nil || samples.count < Self.largest else { continue }
      samples[place, default: 0] += 1
    }
  }

  func finish() throws(CommandFailure) {
    let profile = ProfileDocument(
      timing: "functional", interval: interval, kernel: kernel, symbols: symbols, event: nil,
      entries: samples.map { .init(address: $0.key.address, slot: $0.key.slot, isPhysical: $0.key.isPhysical, count: $0.value) })
    try StatisticsFile.write(profile, to: path)
  }
}
