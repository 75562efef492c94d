import Foundation

/// EPICURE_SEED, or what is always tried.
func readSeed() -> UInt64 { ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 895 }

/// Long campaigns are asked for.
var isCompleteRun: Bool { ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" }
