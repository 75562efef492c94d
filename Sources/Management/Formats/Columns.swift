/// Fields of a table, as C and Python pad them.
enum Columns {
  /// `%-Ns`
  static func left(_ text: String, _ width: Int) -> String { text + padding(text, width) }
  /// `%Ns`
  static func right(_ text: String, _ width: Int) -> String { padding(text, width) + text }
  /// `%02d` of a number that is not negative.
  static func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

  private static func padding(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
  }
}
