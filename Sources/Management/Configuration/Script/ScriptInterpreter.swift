/// Runs the statements of a script. There are no loops: the work is bounded by the script's length and by what it may make.
struct ScriptInterpreter {
  struct Variable {
    var object: ScriptObject
    var line: Int
    /// Whether the script has used it: then it may be a name of its own, and not a misspelt key.
    var isUsed = false
  }

  var variables: [String: Variable] = [:]
  /// What the operands and results of all operations weigh together: bytes of strings and elements of lists. No operation takes more
  /// time or memory than it weighs.
  private var work = 0
  private static let mostWork = 32 << 20
  /// Lists within lists.
  private static let deepestValue = 32

  mutating func run(_ statements: [ScriptStatement]) throws(ScriptFailure) {
    for statement in statements {
      switch statement.kind {
      case .imported(let module, let name): variables[name] = Variable(object: .module(module), line: statement.line)
      case .assignment(let targets, let expression):
        let object = try evaluate(expression, statement.line)
        for target in targets { assign(object, to: target, statement.line) }
      case .augmented(let target, let operation, let expression):
        let old = try weighed(try value(.name(target, line: statement.line), statement.line), statement.line)
        let operand = try weighed(try value(expression, statement.line), statement.line)
        let result = try located(statement.line) { () throws(ScriptProblem) in try operation.apply(old, operand) }
        assign(.value(try weighed(result, statement.line)), to: target, statement.line)
      case .branches(let branches, let otherwise):
        var taken = otherwise
        for branch in branches where try value(branch.condition, statement.line).isTrue {
          taken = branch.body
          break
        }
        try run(taken)
      }
    }
  }

  private mutating func assign(_ object: ScriptObject, to name: String, _ line: Int) {
    variables[name] = Variable(object: object, line: line, isUsed: variables[name]?.isUsed ?? false)
  }

  func located<Result>(_ line: Int, _ body: () throws(ScriptProblem) -> Result) throws(ScriptFailure) -> Result {
    do { return try body() } catch { throw ScriptFailure(line: line, message: error.message) }
  }

  mutating func value(_ expression: ScriptExpression, _ line: Int) throws(ScriptFailure) -> ConfigurationValue {
    guard case .value(let value) = try evaluate(expression, line) else {
      throw ScriptFailure(line: line, message: "a function is not a value")
    }
    return value
  }

  private mutating func values(_ expressions: [ScriptExpression], _ line: Int) throws(ScriptFailure) -> [ConfigurationValue] {
    var values: [ConfigurationValue] = []
    for expression in expressions { values.append(try weighed(try value(expression, line), line)) }
    return values
  }

  private mutating func evaluate(_ expression: ScriptExpression, _ line: Int) throws(ScriptFailure) -> ScriptObject {
    switch expression {
    case .literal(let value): return .value(value)
    case .name(let name, let line): return try lookUp(name, line)
    case .list(let elements): return .value(try weighed(.list(try values(elements, line)), line))
    case .tuple(let elements): return .value(try weighed(.tuple(try values(elements, line)), line))
    case .dictionary(let entries): return .value(try weighed(try dictionary(entries, line), line))
    case .arithmetic(let first, let rest):
      var result = try weighed(try value(first, line), line)
      for (operation, operand, line) in rest {
        let operand = try weighed(try value(operand, line), line)
        result = try weighed(try located(line) { () throws(ScriptProblem) in try operation.apply(result, operand) }, line)
      }
      return .value(result)
    case .comparison(let first, let rest):
      var left = try weighed(try value(first, line), line)
      for (comparison, operand, line) in rest {
        let right = try weighed(try value(operand, line), line)
        guard try located(line, { () throws(ScriptProblem) in try comparison.apply(left, right) }) else {
          return .value(.boolean(false))
        }
        left = right
      }
      return .value(.boolean(true))
    case .signs(let signs, let operand, let line):
      var result = try value(operand, line)
      for sign in signs.reversed() { result = try located(line) { () throws(ScriptProblem) in try Self.apply(sign, result) } }
      return .value(result)
    case .not(let operand): return .value(.boolean(!(try value(operand, line).isTrue)))
    case .and(let operands), .or(let operands):
      let ends = if case .or = expression { true } else { false }
      var result = ConfigurationValue.none
      for operand in operands {
        result = try value(operand, line)
        if result.isTrue == ends { break }
      }
      return .value(result)
    case .conditional(let condition, let then, let otherwise):
      return try evaluate(try value(condition, line).isTrue ? then : otherwise, line)
    case .trailers(let first, let trailers):
      var object = try evaluate(first, line)
      for (trailer, line) in trailers { object = try follow(trailer, object, line) }
      return object
    }
  }

  private mutating func lookUp(_ name: String, _ line: Int) throws(ScriptFailure) -> ScriptObject {
    if let variable = variables[name] {
      variables[name]?.isUsed = true
      return variable.object
    }
    // xm imports os and sys before it reads a file.
    if ScriptModule(rawValue: name) != nil { return .module(name) }
    if let function = ScriptFunction.builtins.first(where: { $0.rawValue == name }) { return .function(function) }
    throw ScriptFailure(line: line, message: "nothing named '\(name)' is known here")
  }

  private mutating func follow(_ trailer: ScriptTrailer, _ object: ScriptObject, _ line: Int) throws(ScriptFailure) -> ScriptObject
  {
    switch (trailer, object) {
    case (.attribute("path"), .module("os")): return .module("os.path")
    case (.attribute(let name), .module(let module)):
      guard let function = ScriptFunction(rawValue: "\(module).\(name)") else {
        throw ScriptFailure(line: line, message: "'\(module).\(name)' is not understood")
      }
      return .function(function)
    case (.attribute(let name), .value(.string(let text))):
      _ = try weighed(.string(text), line)
      guard let method = ScriptMethod(rawValue: name) else {
        throw ScriptFailure(line: line, message: "strings have no '\(name)' here")
      }
      return .method(text, method)
    case (.call(let arguments), .function(let function)):
      let values = try values(arguments, line)
      return .value(try weighed(try located(line) { () throws(ScriptProblem) in try function.call(values) }, line))
    case (.call(let arguments), .method(let text, let method)):
      let values = try values(arguments, line)
      return .value(try weighed(try located(line) { () throws(ScriptProblem) in try method.call(text, values) }, line))
    case (.index(let expression), .value(let container)):
      _ = try weighed(container, line)
      let index = try value(expression, line)
      return .value(try located(line) { () throws(ScriptProblem) in try container.element(at: index) })
    case (.slice(let from, let to), .value(let container)):
      _ = try weighed(container, line)
      let first = try from.map { expression throws(ScriptFailure) in try value(expression, line) } ?? .none
      let last = try to.map { expression throws(ScriptFailure) in try value(expression, line) } ?? .none
      return .value(try weighed(try located(line) { () throws(ScriptProblem) in try container.slice(from: first, to: last) }, line))
    case (.call, _): throw ScriptFailure(line: line, message: "this cannot be called")
    case (.attribute(let name), _): throw ScriptFailure(line: line, message: "there is no '\(name)' here")
    case (.index, _), (.slice, _): throw ScriptFailure(line: line, message: "a function has no elements")
    }
  }

  private static func apply(_ sign: ScriptSign, _ value: ConfigurationValue) throws(ScriptProblem) -> ConfigurationValue {
    switch (sign, value.number) {
    case (.plus, .integer(let number)?): return .integer(number)
    case (.plus, .float(let number)?): return .float(number)
    case (.minus, .integer(let number)?) where number != .min: return .integer(-number)
    case (.minus, .float(let number)?): return .float(-number)
    case (.invert, .integer(let number)?): return .integer(~number)
    case (_, .integer?): throw ScriptProblem("the number is too large")
    default: throw ScriptProblem("'\(sign.rawValue)' before \(value.kind) is impossible")
    }
  }

  private mutating func dictionary(
    _ entries: [(key: ScriptExpression, value: ScriptExpression)], _ line: Int
  ) throws(ScriptFailure) -> ConfigurationValue {
    // Equal keys are found one by one, which is enough for the few that a file has.
    guard entries.count <= 256 else { throw ScriptFailure(line: line, message: "the dictionary is too large") }
    var result: [ConfigurationValue.Entry] = []
    for (key, element) in entries {
      let key = try value(key, line)
      switch key {
      case .list, .tuple, .dictionary: throw ScriptFailure(line: line, message: "\(key.kind) as a key is not understood")
      default: break
      }
      let element = try value(element, line)
      if let known = result.firstIndex(where: { $0.key.equals(key) }) {
        result[known].value = element
      } else {
        result.append(.init(key: key, value: element))
      }
    }
    return .dictionary(result)
  }

  /// Counts a value as work. Shared parts count each time: whoever walks over the value meets them as often.
  private mutating func weighed(_ value: ConfigurationValue, _ line: Int) throws(ScriptFailure) -> ConfigurationValue {
    guard let weight = Self.weight(value, depth: 0), work + weight <= Self.mostWork else {
      throw ScriptFailure(line: line, message: "the values grow too large")
    }
    work += weight
    return value
  }

  /// Nil: too deep or too heavy.
  private static func weight(_ value: ConfigurationValue, depth: Int) -> Int? {
    guard depth <= deepestValue else { return nil }
    var weight = 1
    switch value {
    case .none, .boolean, .integer, .float: break
    case .string(let text): weight += text.utf8.count
    case .list(let elements), .tuple(let elements):
      for element in elements {
        guard let part = Self.weight(element, depth: depth + 1), weight + part <= ScriptOperator.largest else { return nil }
        weight += part
      }
    case .dictionary(let entries):
      for entry in entries {
        guard let key = Self.weight(entry.key, depth: depth + 1), let part = Self.weight(entry.value, depth: depth + 1),
          weight + key + part <= ScriptOperator.largest
        else { return nil }
        weight += key + part
      }
    }
    return weight
  }
}
