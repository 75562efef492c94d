import Foundation
import Management
import TestSupport
import Testing

/// Random expressions, evaluated here and by Python 3 where the two Pythons agree: no octal numbers, no `/` of two integers.
/// EPICURE_FUZZ_CASES: how many; EPICURE_FUZZ_SEED: another beginning.
@Suite struct PythonOracleTests {
  private static let python: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/python3" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// Prints each expression's value in a form that has only one spelling; "error" where there is none within our bounds.
  private static let program = #"""
    import json, struct, sys
    def form(v):
        if v is None: return "none"
        if v is True or v is False: return "bool " + str(v)
        if isinstance(v, int):
            if not -2**127 <= v < 2**127: raise OverflowError
            return "int " + str(v)
        if isinstance(v, float):
            return "float nan" if v != v else "float " + struct.pack(">d", v).hex()
        if isinstance(v, str): return "str " + v.encode("utf-8").hex()
        if isinstance(v, list): return "list(" + ";".join(map(form, v)) + ")"
        if isinstance(v, tuple): return "tuple(" + ";".join(map(form, v)) + ")"
        return "dict(" + ";".join(form(k) + "=" + form(x) for k, x in v.items()) + ")"
    answers = []
    for text in json.load(sys.stdin):
        try: answers.append(form(eval(text, {})))
        except Exception: answers.append("error")
    json.dump(answers, sys.stdout)
    """#

  private func form(_ value: ConfigurationValue) -> String {
    switch value {
    case .none: "none"
    case .boolean(let flag): "bool " + (flag ? "True" : "False")
    case .integer(let number): "int \(number)"
    case .float(let number):
      "float " + (number.isNaN ? "nan" : hex((0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> UInt64(56 - 8 * $0)) }))
    case .string(let text): "str " + hex(Array(text.utf8))
    case .list(let elements): "list(" + elements.map(form).joined(separator: ";") + ")"
    case .tuple(let elements): "tuple(" + elements.map(form).joined(separator: ";") + ")"
    case .dictionary(let entries): "dict(" + entries.map { form($0.key) + "=" + form($0.value) }.joined(separator: ";") + ")"
    }
  }

  private func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  /// Nil: a number in between does not fit; Python's integers have no limit.
  private func ours(_ text: String) -> String? {
    do {
      let script = try ConfigurationScript(Array("x = (\(text))".utf8), file: "x")
      return script.settings.first.map { form($0.value) }
    } catch {
      return error.message == "the number is too large" ? nil : "error"
    }
  }

  private func answers(_ python: String, _ expressions: [String]) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-W", "ignore", "-c", Self.program]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    let questions = try JSONEncoder().encode(expressions)
    // Python reads everything before it writes.
    try input.fileHandleForWriting.write(contentsOf: questions)
    try input.fileHandleForWriting.close()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try JSONDecoder().decode([String].self, from: data)
  }

  @Test(.enabled(if: PythonOracleTests.python != nil, "python3 is not in PATH"), .ends(withinMinutes: 5)) func randomExpressions()
    throws
  {
    let python = try #require(Self.python)
    let (seed, cases) = (FuzzSettings.seed(0x9C), FuzzSettings.cases(4000))
    print("Python oracle: EPICURE_FUZZ_SEED=\(seed), \(cases) expressions")
    var generator = ExpressionGenerator(random: SeededRandom(seed: seed))
    let expressions = (0..<cases).map { _ in generator.expression(4) }
    let answers = try answers(python, expressions)
    #expect(answers.count == cases)
    var values = 0
    for (text, answer) in zip(expressions, answers) {
      guard let mine = ours(text) else { continue }
      #expect(mine == answer, "seed \(seed): \(text)")
      if answer != "error" { values += 1 }
    }
    print("Python oracle: \(values) of them have a value")
    #expect(values > cases / 4)
  }
}

/// Expressions of any kind, mostly such that the operands fit.
struct ExpressionGenerator {
  var random: SeededRandom

  private mutating func pick<T>(_ choices: [T]) -> T { choices[Int(random.next() % UInt64(choices.count))] }

  mutating func expression(_ depth: Int) -> String {
    switch random.next() % 6 {
    case 0, 1: number(depth)
    case 2, 3: string(depth)
    case 4: container(depth)
    default: truth(depth)
    }
  }

  private mutating func number(_ depth: Int) -> String {
    guard depth > 0 else {
      return pick([
        "0", "1", "7", "42", "-3", "0x1f", "0o17", "0b101", "1.5", ".25", "1e3", "2.5e-7", "1e16", "123456789012345680.0", "True",
        "9223372036854775807",
      ])
    }
    switch random.next() % 9 {
    case 0: return number(0)
    case 1: return "(\(number(depth - 1)) \(pick(["+", "-", "*"])) \(number(depth - 1)))"
    case 2:
      return
        "\(number(depth - 1)) \(pick(["+", "-", "*", "//", "%", "+", "*"])) \(number(depth - 1)) \(pick(["+", "-", "*"])) \(number(depth - 1))"
    case 3: return "(\(number(depth - 1)) / \(pick(["2.0", "-0.5", "3.0"])))"
    case 4: return "(\(number(depth - 1)) \(pick(["|", "&", "^", ">>", "<<"])) \(pick(["1", "5", "12", "31"])))"
    case 5: return "\(pick(["-", "+", "~", "- "]))\(number(depth - 1))"
    case 6: return "len(\(pick([string(depth - 1), container(depth - 1)])))"
    case 7: return "(\(number(depth - 1)) if \(truth(depth - 1)) else \(number(depth - 1)))"
    default: return "int(\(number(depth - 1)))"
    }
  }

  private mutating func string(_ depth: Int) -> String {
    guard depth > 0 else {
      return pick([
        "''", "'a'", "\"b'c\"", "'''x\ny'''", "r'a\\n'", "'\\x41\\101\\t'", "'%d'", "'é'", "'a' 'b'", "'\\q\\''",
        "\"\"\"q\"r\"\"\"", "'%5.2f|'",
        "u'z'", "'lib64'", "'0'", "' 12 '",
      ])
    }
    switch random.next() % 8 {
    case 0: return string(0)
    case 1: return "(\(string(depth - 1)) + \(string(depth - 1)))"
    case 2: return "\(string(depth - 1)) * \(pick(["0", "1", "2", "-1"]))"
    case 3: return "(\(string(depth - 1)))[\(pick(["", "-1", "1", "0", "-2"])):\(pick(["", "2", "-1", "5"]))]"
    case 4:
      let flags = pick(["", "-", "+", "0", " ", "#", "0-", "+0"]), width = pick(["", "1", "6", "12"]),
        precision = pick(["", ".0", ".3"])
      return
        "'<%\(flags)\(width)\(precision)\(pick(["d", "i", "x", "X", "o", "f", "e", "g", "s", "E", "G"]))>' % (\(number(depth - 1)),)"
    case 5: return "'%s/%s' % (\(string(depth - 1)), \(number(depth - 1)))"
    case 6: return "(\(string(depth - 1)) if \(truth(depth - 1)) else \(string(depth - 1)))"
    default: return "str(\(pick([number(depth - 1), string(depth - 1), "None"])))"
    }
  }

  private mutating func container(_ depth: Int) -> String {
    guard depth > 0 else { return pick(["[]", "()", "{}", "[1]", "(1,)", "{'a': 1}", "['x', 'y',]", "None"]) }
    switch random.next() % 6 {
    case 0: return "[\(expression(depth - 1)), \(expression(depth - 1))]"
    case 1: return "(\(expression(depth - 1)), \(expression(depth - 1)),)"
    case 2: return "{\(string(depth - 1)): \(expression(depth - 1)), \(number(depth - 1)): \(expression(depth - 1))}"
    case 3: return "([\(expression(depth - 1))] + [\(expression(depth - 1))])"
    case 4: return "[\(number(depth - 1))] * \(pick(["0", "2", "-1", "3"]))"
    default: return "(\(expression(depth - 1)), 2, 'x')[\(pick(["0", "-1", "1:", ":-1", "5", "1"]))]"
    }
  }

  private mutating func truth(_ depth: Int) -> String {
    guard depth > 0 else { return pick(["True", "False", "1", "0", "''", "'a'", "None", "[]"]) }
    let comparison = pick(["==", "!=", "<", "<=", ">", ">="])
    switch random.next() % 7 {
    case 0: return "not \(number(depth - 1))"
    case 1: return "(\(number(depth - 1)) \(comparison) \(number(depth - 1)))"
    case 2: return "(\(string(depth - 1)) \(comparison) \(string(depth - 1)))"
    case 3: return "(\(truth(depth - 1)) \(pick(["and", "or"])) \(truth(depth - 1)))"
    case 4: return "(\(number(depth - 1)) \(pick(["in", "not in"])) [\(number(depth - 1)), \(string(depth - 1))])"
    case 5: return "(\(string(depth - 1)) in \(string(depth - 1)))"
    default: return "(1 < \(number(depth - 1)) <= 100 == 100)"
    }
  }
}
