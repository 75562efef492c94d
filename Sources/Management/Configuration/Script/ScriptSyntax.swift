/// Syntax trees. A level of the tree is a level of the parser's recursion, which is bounded: operators of one precedence, trailers and
/// signs are rows, not towers.
indirect enum ScriptExpression {
  case literal(ConfigurationValue)
  case name(String, line: Int)
  case list([ScriptExpression])
  case tuple([ScriptExpression])
  case dictionary([(key: ScriptExpression, value: ScriptExpression)])
  /// Left to right.
  case arithmetic(ScriptExpression, [(operation: ScriptOperator, operand: ScriptExpression, line: Int)])
  case comparison(ScriptExpression, [(comparison: ScriptComparison, operand: ScriptExpression, line: Int)])
  /// The innermost sign last.
  case signs([ScriptSign], ScriptExpression, line: Int)
  case not(ScriptExpression)
  case and([ScriptExpression])
  case or([ScriptExpression])
  case conditional(condition: ScriptExpression, then: ScriptExpression, otherwise: ScriptExpression)
  case trailers(ScriptExpression, [(trailer: ScriptTrailer, line: Int)])
}

enum ScriptTrailer {
  case attribute(String)
  case index(ScriptExpression)
  case slice(from: ScriptExpression?, to: ScriptExpression?)
  case call([ScriptExpression])
}

enum ScriptOperator: String {
  case or = "|"
  case exclusiveOr = "^"
  case and = "&"
  case shiftLeft = "<<"
  case shiftRight = ">>"
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case divideFloor = "//"
  case remainder = "%"

  /// The Python reference's table "Operator precedence", from `|` on.
  var precedence: Int {
    switch self {
    case .or: 1
    case .exclusiveOr: 2
    case .and: 3
    case .shiftLeft, .shiftRight: 4
    case .add, .subtract: 5
    case .multiply, .divide, .divideFloor, .remainder: 6
    }
  }
}

enum ScriptComparison: Equatable {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case member(isNegated: Bool)
  case identical(isNegated: Bool)
}

enum ScriptSign: String { case plus = "+", minus = "-", invert = "~" }

struct ScriptStatement {
  enum Kind {
    case assignment(targets: [String], ScriptExpression)
    case augmented(target: String, ScriptOperator, ScriptExpression)
    case branches([(condition: ScriptExpression, body: [ScriptStatement])], otherwise: [ScriptStatement])
    case imported(module: String, name: String)
  }
  var kind: Kind
  var line: Int
}
