import ArgumentParser
import Processor

/// How the engine runs, and what it did.
struct EngineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Translate without this specialisation of the engine (repeatable): \(Specialisations.named.map(\.name).joined(separator: ", ")).",
      valueName: "name"))
  var without: [String] = []
  @Option(
    help: ArgumentHelp(
      "Write what the engine itself did: frequent micro-operations, pairs and blocks, translations, caches; as JSON if the name ends in .json. The run takes six times as long.",
      valueName: "file"), completion: .file())
  var engineProfile: String?

  func validate() throws {
    for name in without where !Specialisations.named.contains(where: { $0.name == name }) {
      throw ValidationError("--without \(name): there is no such specialisation.")
    }
  }

  /// Of one machine whose blocks run alone; partitions make theirs later.
  func check(isLockstep: Bool, hasPartitions: Bool = false) throws {
    if hasPartitions && (engineProfile != nil || !without.isEmpty) {
      throw ValidationError("--engine-profile and --without are for one machine: not with --machine.")
    }
    if isLockstep && engineProfile != nil { throw ValidationError("--engine-profile would count both sides of --lockstep.") }
  }

  /// Before anything is translated, and before processors are made.
  func begin() { if engineProfile != nil { EngineProfile.begin() } }

  /// Before they run.
  func apply(to processors: [LogicalProcessor]) {
    let left = Specialisations.named.filter { without.contains($0.name) }
    guard !left.isEmpty else { return }
    for processor in processors { left.forEach { processor.specialisations.subtract($0.value) } }
  }

  func finish(_ processors: [LogicalProcessor]) throws(CommandFailure) {
    guard let engineProfile else { return }
    let report = EngineProfileReport(profile: EngineProfile(processors), residentBytes: EngineProfileReport.residentBytes())
    if engineProfile.hasSuffix(".json") {
      try StatisticsFile.write(report, to: engineProfile)
    } else {
      try TextFile.write(report.text, to: engineProfile)
    }
  }
}
