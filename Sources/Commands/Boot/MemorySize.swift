import ArgumentParser

/// A size such as `512M` or `4G`; a plain number is in MiB, as QEMU has it.
struct MemorySize: ExpressibleByArgument, Sendable, Equatable {
  var bytes: UInt64

  init(bytes: UInt64) { self.bytes = bytes }

  init?(argument: String) {
    let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
    var digits = Substring(argument)
    var unit: UInt64 = 1 << 20
    if let last = digits.last, let found = units[Character(last.uppercased())] {
      unit = found
      digits.removeLast()
    }
    guard let number = UInt64(digits) else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
    if overflow { return nil }
    self.bytes = bytes
  }

  var defaultValueDescription: String { description }
  var description: String {
    bytes % (1 << 30) == 0 ? "\(bytes >> 30)G" : bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : "\(bytes >> 10)K"
  }
}
