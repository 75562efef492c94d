import ArgumentParser
import Processor

/// `--vac`: accelerations by the manual's names.
struct AccelerationSet: ExpressibleByArgument, Equatable {
  typealias Accelerations = VirtualProcessorDescriptor.Accelerations
  var accelerations: Accelerations

  init(_ accelerations: Accelerations) { self.accelerations = accelerations }

  /// `all`, `none`, names separated by commas; names behind a minus are taken from what was said so far, or from all.
  init?(argument: String) {
    var set: Accelerations?
    for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
      switch word {
      case "all": set = .implemented
      case "none": set = []
      default:
        let isLess = word.hasPrefix("-")
        guard let one = Accelerations.names.first(where: { $0.0 == word.drop { $0 == "-" } })?.1 else { return nil }
        set = isLess ? (set ?? .implemented).subtracting(one) : (set ?? []).union(one)
      }
    }
    guard let set else { return nil }
    accelerations = set
  }

  /// As it is read.
  var text: String {
    if accelerations == .implemented { return "all" }
    let names = Accelerations.names.filter { accelerations.contains($0.1) }.map(\.0)
    return names.isEmpty ? "none" : names.joined(separator: ",")
  }
}
