/// Page sizes and memory attributes for people.
enum PageWords {
  /// Of 2^`shift` bytes: `4K`, `16M`.
  static func size(_ shift: UInt64) -> String {
    let units = ["", "K", "M", "G", "T", "P"]
    let unit = min(Int(shift / 10), units.count - 1)
    return "\(UInt64(1) << (shift - UInt64(unit) * 10 & 63))\(units[unit])"
  }

  /// Volume 2, table 4-10; three values are reserved.
  static func attribute(_ number: UInt8) -> String { ["WB", "1", "2", "3", "UC", "UCE", "WC", "NaTPage"][Int(number & 7)] }
}
