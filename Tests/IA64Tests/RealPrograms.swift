import Foundation
import IA64
import Loading
import TestSupport
import Testing

/// Real programs for ia64, in the folder that EPICURE_GUEST_CACHE names.
enum Guests {
  static let missing: Comment = "no guests; `make guests` and EPICURE_GUEST_CACHE=FOLDER make this run"

  static let folder = ProcessInfo.processInfo.environment["EPICURE_GUEST_CACHE"]

  /// Everything, instead of a sample that takes seconds.
  static let isComplete = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1"

  /// Executable segments of a guest.
  static func code(_ name: String) throws -> [ELFProgram.Segment] {
    guard let folder else { throw GNUTools.Failure(text: "\(missing)") }
    let path = "\(folder)/\(name)"
    var bytes = try HostFile.read(path, limit: 1 << 30)
    if GzipReader.isGzip(bytes) { bytes = try GzipReader.decompress(bytes, limit: 1 << 30, file: path) }
    return try ELFProgram(bytes, file: path).segments.filter(\.isExecutable)
  }
}

/// With CI=true nothing is skipped: what is missing makes the test fail.
private let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

extension Trait where Self == ConditionTrait {
  static var needsBinutils: Self { .enabled(if: mustRun || GNUTools.objdump != nil, GNUTools.missing) }
  static var needsGuests: Self { .enabled(if: mustRun || Guests.folder != nil, Guests.missing) }
}

/// Deterministic random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// EPICURE_SEED, or a fixed seed so that a run can be repeated.
let randomSeed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 0x1a64_2001
