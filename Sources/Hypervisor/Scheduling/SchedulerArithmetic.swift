extension Int64 {
  /// Credit cannot overflow, whatever times a caller has made up.
  func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  func subtractingSaturated(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other < 0 ? .max : .min) : difference
  }
}

extension UInt64 {
  /// The sum, or the end of time.
  func addingSaturated(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// This number times `numerator` / `denominator`, rounded down; exact for any size of the product, `UInt64.max` if there is no quotient.
  func scaled(by numerator: UInt64, over denominator: UInt64) -> UInt64 {
    let product = multipliedFullWidth(by: numerator)
    guard product.high < denominator else { return .max }
    return denominator.dividingFullWidth(product).quotient
  }
}

/// The bits of a mask, lowest first.
struct ProcessorNumbers: Sequence, IteratorProtocol {
  var mask: UInt64

  init(_ mask: UInt64) { self.mask = mask }

  mutating func next() -> Int? {
    guard mask != 0 else { return nil }
    defer { mask &= mask &- 1 }
    return mask.trailingZeroBitCount
  }
}
