import Foundation
import Management

/// SplitMix64: the same numbers from the same seed on every machine.
struct SeededRandom {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

enum FuzzSettings {
  private static func setting(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }
  static func seed(_ otherwise: UInt64) -> UInt64 { setting("EPICURE_FUZZ_SEED") ?? otherwise }
  static func cases(_ otherwise: Int) -> Int { setting("EPICURE_FUZZ_CASES").map { Int(clamping: $0) } ?? otherwise }
}

/// Reads a configuration; `file` is its name.
func read(_ text: String, file: String = "/etc/xen/guest", _ overrides: String...) throws -> DomainConfigurationFile {
  try DomainConfigurationFile(Array(text.utf8), file: file, overrides: overrides)
}

/// The message with which a configuration is refused.
func refusal(_ text: String, file: String = "/etc/xen/guest", _ overrides: String...) -> String? {
  do {
    _ = try DomainConfigurationFile(Array(text.utf8), file: file, overrides: overrides)
    return nil
  } catch {
    return "\(error)"
  }
}

enum Documentation {
  static func text(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent("Documentation/\(name)"), encoding: .utf8)
  }
}
