import FoundationEssentials

/// A report as a file.
enum TextFile {
  static func write(_ text: String, to path: String) throws(CommandFailure) {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    } catch {
      throw CommandFailure(CommandFailure.badInput, "cannot write \(path): \(error)")
    }
  }
}
