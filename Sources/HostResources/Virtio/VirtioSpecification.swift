/// What `--virtio` says: a virtio device that is neither a disk nor a network adapter.
public struct VirtioSpecification: Sendable, Equatable {
  public enum Device: Sendable, Equatable {
    /// Random bytes from this seed.
    case rng(seed: UInt64)
    /// Asks the guest for so many MiB.
    case balloon(take: UInt32)
    /// What the guest writes goes to this file.
    case console(file: String)
  }

  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  public private(set) var device: Device
  public private(set) var interface = VirtioInterface.transitional

  /// The seed of a generator that nobody has given one.
  public static let standardSeed: UInt64 = 0x4550_4943_5552_4521
  /// MiB that can be asked for: page numbers of 4096 bytes have 32 bits.
  private static let largestBalloon: UInt32 = 1 << 24 - 1

  /// The same device, but what the guest writes is not kept.
  public var withoutFile: VirtioSpecification {
    var copy = self
    if case .console = device { copy.device = .console(file: "/dev/null") }
    return copy
  }

  /// Parses `rng,seed=1`, `balloon,take=256`, `console=FILE`, each with `transport=`.
  public init(parsing text: String) throws(Failure) {
    var words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let first = Self.split(words.removeFirst())
    switch (first.key, first.value) {
    case ("rng", nil): device = .rng(seed: Self.standardSeed)
    case ("balloon", nil): device = .balloon(take: 0)
    case ("console", let file?) where !file.isEmpty: device = .console(file: file)
    case ("console", _): throw Failure(description: "console needs a file: console=FILE")
    default: throw Failure(description: "\"\(text)\" is not rng, balloon or console=FILE")
    }
    var seen: Set<String> = []
    for word in words {
      let (key, value) = Self.split(word)
      guard seen.insert(key).inserted else { throw Failure(description: "\(key) is given twice") }
      try set(key, value ?? "")
    }
  }

  private static func split(_ word: String) -> (key: String, value: String?) {
    guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<equals]), String(word[word.index(after: equals)...]))
  }

  private mutating func set(_ key: String, _ value: String) throws(Failure) {
    switch (key, device) {
    case ("transport", _):
      guard let known = VirtioInterface.named(value) else { throw Failure(description: VirtioInterface.choices) }
      interface = known
    case ("seed", .rng):
      guard let seed = UInt64(value) else { throw Failure(description: "seed=\(value): a seed is a number below 2^64") }
      device = .rng(seed: seed)
    case ("take", .balloon):
      guard let mebibytes = UInt32(value), mebibytes <= Self.largestBalloon else {
        throw Failure(description: "take=\(value) is not a number of MiB")
      }
      device = .balloon(take: mebibytes)
    default: throw Failure(description: "\"\(key)\" is not an option of \(name): there are \(options)")
    }
  }

  /// As the option names it.
  public var name: String {
    switch device {
    case .rng: "rng"
    case .balloon: "balloon"
    case .console: "console"
    }
  }
  private var options: String {
    switch device {
    case .rng: "seed and transport"
    case .balloon: "take and transport"
    case .console: "transport"
    }
  }
}
