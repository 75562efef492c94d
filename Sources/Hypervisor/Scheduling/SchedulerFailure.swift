extension CreditScheduler {
  /// What a caller can ask for that does not exist, or that makes no sense. The description is one line.
  public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
    case processors(Int)
    case frequency(UInt64)
    case weight(Int)
    case cap(Int)
    case affinity(ProcessorMask, processors: Int)
    case domainExists(Int)
    case unknownDomain(Int)
    case unknownVirtualProcessor
    case tooManyVirtualProcessors
    case notPaused
    case savedState(String)

    public var description: String {
      switch self {
      case .processors(let n): "\(n) physical processors: must be 1 to 64"
      case .frequency(let f): "\(f) cycles per second: must be 1 MHz to 1 THz"
      case .weight(let w): "weight \(w) is out of range: must be \(weightRange.lowerBound) to \(weightRange.upperBound)"
      case .cap(let c): "cap \(c) is out of range: must be \(capRange.lowerBound) (no cap) to \(capRange.upperBound) percent"
      case .affinity(let mask, let n):
        "affinity 0x\(String(mask, radix: 16)) contains no existing processor: there are 0 to \(n - 1)"
      case .domainExists(let id): "domain \(id) exists already"
      case .unknownDomain(let id): "there is no domain \(id)"
      case .unknownVirtualProcessor: "the virtual processor does not exist any more"
      case .tooManyVirtualProcessors: "no more than \(maximumVirtualProcessors) virtual processors can be scheduled"
      case .notPaused: "it is not paused"
      case .savedState(let what): "the saved scheduler is damaged: \(what)"
      }
    }
  }
}
