import ArgumentParser
import Platform

/// On how many threads of the host the engine runs.
struct ThreadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run processors and domains at the same time on so many threads of the host (1 to 64). With more than one, no run is like another: nothing can be recorded, traced, debugged or counted in cycles.",
      valueName: "n"))
  var threads = 1

  func validate() throws {
    guard 1...HostThreads.largestCount ~= threads else {
      throw ValidationError("--threads must be from 1 to \(HostThreads.largestCount).")
    }
    // The guest's acquires and releases are the host's plain loads and stores: right only where these stay in order.
    #if !arch(x86_64)
      if threads > 1 { throw ValidationError("--threads needs a host of the x86-64 kind, which keeps loads and stores in order.") }
    #endif
  }

  /// What cannot be had together with several threads: whether it is asked for, and its name.
  func check(_ others: (isGiven: Bool, name: String)...) throws {
    guard threads > 1, let other = others.first(where: \.isGiven) else { return }
    throw ValidationError("\(other.name) needs a run that can be repeated: not with --threads \(threads).")
  }

  /// Nil: one thread is enough.
  func make() -> HostThreads? { threads > 1 ? HostThreads(threads) : nil }
}
