/// A piece of work for the guest: requests of one kind.
struct IOJob: Equatable, Hashable, Encodable {
  enum Kind: String, Encodable, CaseIterable {
    case sequentialRead = "sequential read"
    case sequentialWrite = "sequential write"
    case randomRead = "random read"
    case randomWrite = "random write"
    case stream
    case requestResponse = "request/response"

    var device: IOMethod.Device { self == .stream || self == .requestResponse ? .network : .block }
    var isRandom: Bool { self == .randomRead || self == .randomWrite }
    /// The guest's words for it.
    fileprivate var words: String {
      switch self {
      case .sequentialRead: "seq:read"
      case .sequentialWrite: "seq:write"
      case .randomRead: "random:read"
      case .randomWrite: "random:write"
      case .stream: "stream"
      case .requestResponse: "request"
      }
    }
  }

  let kind: Kind
  /// Of a request, or a message.
  let bytes: Int
  /// Requests, or messages, that are under way at once.
  let depth: Int
  let count: Int

  var device: IOMethod.Device { kind.device }

  func command(for driver: String) -> String {
    "\(device == .block ? "block" : "net"):\(driver):\(kind.words):\(bytes):\(depth):\(count)"
  }

  var name: String { "\(kind.rawValue), \(Self.size(bytes)), depth \(depth)" }

  static func size(_ bytes: Int) -> String {
    if bytes.isMultiple(of: 1 << 20) { return "\(bytes >> 20) MB" }
    return bytes.isMultiple(of: 1024) ? "\(bytes >> 10) KB" : "\(bytes) B"
  }
}

/// Which jobs there are.
struct IOPlan {
  var blockSizes: [Int]
  var depths: [Int]
  var networkSizes: [Int]
  var windows: [Int]
  /// Domains that share one device.
  var domains: [Int]
  /// What a job moves in all, within limits of requests.
  var budget: Int
  var mostRequests: Int

  static let quick = IOPlan(
    blockSizes: [4096, 65536], depths: [1, 8], networkSizes: [64, 1514], windows: [8], domains: [8], budget: 1 << 20,
    mostRequests: 50)
  static let standard = IOPlan(
    blockSizes: [512, 4096, 16384, 65536, 262_144, 1 << 20], depths: [1, 8, 32],
    networkSizes: [64, 256, 1514, 4096, 16384, 65536], windows: [8], domains: [1, 2, 4, 8], budget: 8 << 20, mostRequests: 300)
  static let full = IOPlan(
    blockSizes: (9...20).map { 1 << $0 }, depths: [1, 2, 4, 8, 16, 32], networkSizes: (6...16).map { 1 << $0 }, windows: [1, 4, 8],
    domains: [1, 2, 4, 8], budget: 16 << 20, mostRequests: 1000)

  private func count(_ bytes: Int, atLeast least: Int) -> Int { max(least, min(mostRequests, budget / bytes)) }

  var block: [IOJob] {
    IOJob.Kind.allCases.filter { $0.device == .block }.flatMap { kind in
      blockSizes.flatMap { bytes in
        depths.map { IOJob(kind: kind, bytes: bytes, depth: $0, count: count(bytes, atLeast: 2 * $0 + 8)) }
      }
    }
  }

  var network: [IOJob] {
    networkSizes.flatMap { bytes in
      windows.map { IOJob(kind: .stream, bytes: bytes, depth: $0, count: count(bytes, atLeast: 4 * $0)) }
        + [IOJob(kind: .requestResponse, bytes: bytes, depth: 1, count: count(bytes, atLeast: 16))]
    }
  }

  /// What domains that share a disk do.
  var shared: IOJob { IOJob(kind: .randomRead, bytes: 16384, depth: 4, count: max(100, min(mostRequests, 200))) }
}
