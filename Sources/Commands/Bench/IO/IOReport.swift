import Foundation
import Platform
import Processor

/// What `epicure bench io` has found.
struct IOReport: Encodable {
  /// Cycles, and what else goes with requests, per request.
  struct Costs: Encodable {
    var guestCycles: Double
    var hypervisorCycles: Double
    var hostCycles: Double
    var exits: Double
    var notifications: Double
    var bytesCopied: Double
  }
  /// Microseconds.
  struct Latency: Encodable {
    var median: Double
    var p90: Double
    var p99: Double
    var longest: Double
  }
  struct Entry: Encodable {
    var method: String
    var category: IOMethod.Category
    var device: IOMethod.Device
    var job: IOJob
    /// Megabytes (10^6) a second of guest time.
    var throughput: Double
    /// Of the bare machine's throughput, 1 being the same; nil: it was not measured.
    var ofNative: Double?
    var latency: Latency
    var perRequest: Costs
  }
  /// Domains that do the same on one disk at once.
  struct Sharing: Encodable {
    var method: String
    var category: IOMethod.Category
    var job: IOJob
    /// Of each domain.
    var throughputs: [Double]
    var total: Double
    /// The largest distance from the mean, as a part of it.
    var unevenness: Double

    init(method: IOMethod, job: IOJob, throughputs: [Double]) {
      (self.method, category, self.job, self.throughputs) = (method.name, method.category, job, throughputs)
      total = throughputs.reduce(0, +)
      let mean = total / Double(max(throughputs.count, 1))
      unevenness = throughputs.map { abs($0 - mean) / mean }.max() ?? 0
    }
  }
  /// A line of what is to be reached.
  struct Goal: Encodable {
    var text: String
    var value: Double
    /// Nil: nothing is wanted.
    var limit: Double?
    var isAtLeast: Bool
    var isReached: Bool? { limit.map { isAtLeast ? value >= $0 : value <= $0 } }
  }

  /// functional, or the name of the processor's description.
  var timing: String
  var hostCosts: [String: UInt64]
  var entries: [Entry] = []
  var sharing: [Sharing] = []
  private(set) var goals: [Goal] = []

  private static func rate(_ measurement: IOMeasurement) -> Double {
    let seconds = Cycles.seconds(measurement.ticks * LogicalProcessor.cyclesPerITCTick)
    return seconds == 0 ? 0 : Double(measurement.bytes) / 1_000_000 / seconds
  }

  /// Adds a job's figures. The bare machine's jobs have to come first. `frameCost`: cycles of the host for a frame.
  mutating func add(_ method: IOMethod, _ job: IOJob, _ m: IOMeasurement, frameCost: UInt64) {
    func microseconds(_ ticks: UInt64) -> Double { Cycles.seconds(ticks * LogicalProcessor.cyclesPerITCTick) * 1_000_000 }
    func each(_ count: UInt64) -> Double { Double(count) / Double(max(m.requests, 1)) }
    let throughput = Self.rate(m)
    let native = entries.first { $0.category == .native && $0.job == job }
    let host = m.counters.host + (method.usesHost ? m.counters.frames * frameCost : 0)
    entries.append(
      Entry(
        method: method.name, category: method.category, device: method.device, job: job, throughput: throughput,
        ofNative: native.map { throughput / $0.throughput } ?? (method.category == .native ? 1 : nil),
        latency: Latency(
          median: microseconds(m.latencies[0]), p90: microseconds(m.latencies[1]), p99: microseconds(m.latencies[2]),
          longest: microseconds(m.latencies[3])),
        perRequest: Costs(
          guestCycles: each(m.counters.guest), hypervisorCycles: each(m.counters.hypervisor), hostCycles: each(host),
          exits: each(m.counters.exits), notifications: each(m.notifications), bytesCopied: each(m.counters.copied))))
  }

  mutating func add(sharing method: IOMethod, _ job: IOJob, _ measurements: [IOMeasurement]) {
    sharing.append(Sharing(method: method, job: job, throughputs: measurements.map(Self.rate)))
  }

  // MARK: Goals

  /// What throughput is about: every request of a disk, and streams of frames that are full. What is asked and answered one by one, and
  /// messages smaller than a frame, is about latency.
  private static func isBulk(_ job: IOJob) -> Bool { job.device == .block || job.kind == .stream && job.bytes >= fullFrame }
  private static let fullFrame = 1514

  /// A method's throughput as a part of the bare machine's: the mean over jobs of a device, each job being worth the same.
  func meanOfNative(_ method: String, _ device: IOMethod.Device, bulk: Bool) -> Double? {
    let parts = entries.filter { $0.method == method && $0.device == device && Self.isBulk($0.job) == bulk }.compactMap(\.ofNative)
    return parts.isEmpty ? nil : exp(parts.reduce(0) { $0 + log(max($1, 1e-9)) } / Double(parts.count))
  }

  /// To be called when all is there.
  mutating func conclude() {
    goals = []
    for device in [IOMethod.Device.block, .network] {
      var seen: Set<String> = []
      for entry in entries where entry.device == device && entry.category != .native && seen.insert(entry.method).inserted {
        // What emulation reaches stands beside the goals of the others.
        let limit: Double? =
          switch entry.category {
          case .paravirtual: 0.9
          case .direct: 0.98
          case .native, .emulated: nil
          }
        let name = "\(device == .block ? "disk" : "network") by \(entry.method)"
        if let value = meanOfNative(entry.method, device, bulk: true) {
          goals.append(
            Goal(text: name + (device == .block ? "" : ", streams of full frames"), value: value, limit: limit, isAtLeast: true))
        }
        if let value = meanOfNative(entry.method, device, bulk: false) {
          goals.append(Goal(text: name + ", small messages and request/response", value: value, limit: nil, isAtLeast: true))
        }
      }
    }
    for share in sharing where share.throughputs.count == 8 {
      goals.append(
        Goal(
          text: "8 domains on one disk by \(share.method), largest distance from the mean", value: share.unevenness, limit: 0.05,
          isAtLeast: false))
    }
  }
}
