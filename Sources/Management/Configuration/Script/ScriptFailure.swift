/// A configuration script that cannot be used: which line, and why. `ConfigurationError` adds the file.
struct ScriptFailure: Error, Equatable {
  var line: Int
  var message: String
}
