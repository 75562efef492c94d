/// Amounts of memory on the command line of `mem-set` and `mem-max`: MiB, or a number with K, M or G (xm's `int_unit`).
public struct MemoryAmount: Sendable, Hashable, Codable {
  public var mebibytes: Int

  public init(parsing text: String) throws(SettingProblem) {
    let kibibytes: [Character: Int] = ["k": 1, "m": 1 << 10, "g": 1 << 20]
    let unit = text.last.flatMap { kibibytes[Character($0.lowercased())] }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard 1...15 ~= digits.utf8.count, digits.utf8.allSatisfy(ScriptLexer.isDigit), let number = Int(digits) else {
      throw SettingProblem("expected MiB, or a number with K, M or G, found '\(text.prefix(80))'")
    }
    let (amount, overflow) = number.multipliedReportingOverflow(by: unit ?? 1 << 10)
    // xm rounds down.
    mebibytes = amount >> 10
    guard !overflow, DomainConfiguration.memoryRange ~= mebibytes else {
      throw SettingProblem("expected from 1 to \(DomainConfiguration.memoryRange.upperBound) MiB, found '\(text)'")
    }
  }
}
