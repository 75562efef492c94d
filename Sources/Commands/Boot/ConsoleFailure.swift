import HostResources

/// How a guest says on its console that it has failed: `--fail-on`.
enum ConsoleFailure {
  /// How Linux has begun its last words since version 2.4; it then loops for ever, or resets.
  private static let panic = "Kernel panic - not syncing"

  /// `pattern` nil: Linux's panic; empty: nothing is a failure.
  static func matcher(_ pattern: String?) throws(CommandFailure) -> OutputMatcher? {
    switch pattern {
    case nil: OutputMatcher(lineStart: panic)
    case "": nil
    case .some(let pattern): try expression(pattern, "--fail-on")
    }
  }

  /// `option`: where the user has written it.
  static func expression(_ pattern: String, _ option: String) throws(CommandFailure) -> OutputMatcher {
    do throws(OutputMatcher.BadPattern) { return try OutputMatcher(pattern) } catch {
      throw CommandFailure(CommandFailure.badInput, "\(option): \(error)")
    }
  }
}
