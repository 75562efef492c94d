import CHostAtomics

#if canImport(Glibc)
  import Glibc
#endif

/// A thread that waits for another one, which is expected to be done at once.
public struct HostWait {
  public private(set) var rounds = 0

  public init() {}

  /// A moment of waiting.
  public mutating func pause() {
    epicure_relax()
    rounds += 1
    // The host may have taken the other one's processor away.
    if rounds % 128 == 0 { sched_yield() }
  }
}
