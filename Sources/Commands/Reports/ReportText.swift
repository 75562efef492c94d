/// Numbers and columns of reports on a terminal.
enum ReportText {
  static func right(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }

  /// Followed by at least one blank.
  static func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(1, width - text.count)) }

  /// Digits by threes.
  static func grouped(_ number: UInt64) -> String {
    let digits = Array(String(number))
    return String(
      digits.enumerated().flatMap { index, digit in
        index > 0 && (digits.count - index) % 3 == 0 ? [",", digit] : [digit]
      })
  }

  static func decimal(_ value: Double, _ places: Int) -> String {
    var scale: UInt64 = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = UInt64(max(0, min(1e15, (value * Double(scale)).rounded())))
    let fraction = String(scaled % scale)
    return "\(scaled / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }

  static func percent(_ part: UInt64, _ whole: UInt64) -> String {
    decimal(whole == 0 ? 0 : Double(part) / Double(whole) * 100, 1)
  }
}
