extension ConfigurationValue {
  /// `self[index]`; negative indices count from the end.
  func element(at index: ConfigurationValue) throws(ScriptProblem) -> ConfigurationValue {
    if case .dictionary(let entries) = self {
      guard let entry = entries.first(where: { $0.key.equals(index) }) else {
        throw ScriptProblem("the dictionary has no \(index.mention)")
      }
      return entry.value
    }
    guard case .integer(let number)? = index.number else { throw ScriptProblem("\(index.kind) is no index") }
    func position(_ count: Int) throws(ScriptProblem) -> Int {
      let position = Int(clamping: number < 0 ? number + Int128(count) : number)
      guard (0..<count).contains(position) else { throw ScriptProblem("the index \(number) is outside of \(kind) of \(count)") }
      return position
    }
    switch self {
    case .list(let elements), .tuple(let elements): return elements[try position(elements.count)]
    case .string(let text):
      let scalars = Array(text.unicodeScalars)
      return .string(String(scalars[try position(scalars.count)]))
    default: throw ScriptProblem("\(kind) has no elements")
    }
  }

  /// `self[from:to]`; None stands for an end.
  func slice(from: ConfigurationValue, to: ConfigurationValue) throws(ScriptProblem) -> ConfigurationValue {
    func bound(_ value: ConfigurationValue, _ count: Int, _ otherwise: Int) throws(ScriptProblem) -> Int {
      switch (value, value.number) {
      case (.none, _): return otherwise
      case (_, .integer(let number)?):
        let clamped = Int(clamping: max(-Int128(count), min(Int128(count), number)))
        return clamped < 0 ? clamped + count : clamped
      default: throw ScriptProblem("\(value.kind) is no index")
      }
    }
    func range(_ count: Int) throws(ScriptProblem) -> Range<Int> {
      let first = try bound(from, count, 0)
      return first..<max(first, try bound(to, count, count))
    }
    switch self {
    case .list(let elements): return .list(Array(elements[try range(elements.count)]))
    case .tuple(let elements): return .tuple(Array(elements[try range(elements.count)]))
    case .string(let text):
      let scalars = Array(text.unicodeScalars)
      var part = String.UnicodeScalarView()
      part.append(contentsOf: scalars[try range(scalars.count)])
      return .string(String(part))
    default: throw ScriptProblem("\(kind) has no elements")
    }
  }
}
