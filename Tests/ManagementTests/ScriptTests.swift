import Management
import Testing

/// The part of Python that configuration files use. Expected values are those of the Python reference, version 2.
@Suite struct ScriptTests {
  private func settings(_ text: String) throws -> [String: ConfigurationValue] {
    let script = try ConfigurationScript(Array(text.utf8), file: "guest")
    return Dictionary(uniqueKeysWithValues: script.settings.map { ($0.name, $0.value) })
  }

  private func value(_ expression: String) throws -> ConfigurationValue? { try settings("x = \(expression)")["x"] }

  private func failure(_ text: String) -> String? {
    do {
      _ = try settings(text)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("42", 42), ("0x1F", 31), ("0XfF", 255), ("017", 15), ("0o17", 15), ("0b101", 5), ("12L", 12), ("00", 0),
      ("0xFFFFFFFFFFFFFFFF", Int128(UInt64.max)), ("-5", -5), ("- -5", 5), ("~0", -1), ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9),
      ("7 / 2", 3), ("-7 / 2", -4), ("7 // -2", -4), ("-7 % 3", 2), ("7 % -3", -2), ("1 << 63", Int128(1) << 63), ("255 >> 4", 15),
      ("6 & 3 | 8 ^ 1", 11), ("True + True", 2), ("len('abc')", 3), ("len([1, 2])", 2), ("int('12')", 12), ("int(3.9)", 3),
      ("int(-3.9)", -3),
      ("[1, 2, 3][-1]", 3), ("{'a': 1, 'b': 2}['b']", 2), ("5 if '' else 6", 6), ("0 or 7", 7), ("3 and 4", 4), ("10 - 2 - 3", 5),
      ("2 * 3 % 4", 2), ("100 / 7 / 2", 7),
    ] as [(String, Int128)]) func integers(_ text: String, _ expected: Int128) throws
  {
    #expect(try value(text) == .integer(expected))
  }

  @Test(
    arguments: [
      ("1.5", 1.5), (".5", 0.5), ("1e3", 1000), ("5.", 5), ("1E-2", 0.01), ("7 / 2.0", 3.5), ("7.5 // 2", 3), ("-7.5 % 2", 0.5),
      ("08.5", 8.5),
    ] as [(String, Double)]) func fractions(_ text: String, _ expected: Double) throws
  {
    #expect(try value(text) == .float(expected))
  }

  @Test(arguments: [
    ("'a' \"b\" '''c'''", "abc"), (#"'it\'s'"#, "it's"), (#"'a\tb\n'"#, "a\tb\n"), (#"r'a\tb'"#, #"a\tb"#), (#"'\101\x41'"#, "AA"),
    (#"'\q'"#, #"\q"#), (#"u'\u00e9'"#, "é"), (#"'C:\users'"#, #"C:\users"#), ("'a' + 'b' * 3", "abbb"),
    ("'%s-%d' % ('vm', 7)", "vm-7"),
    ("'%05.1f|%-4s|%+d' % (2.25, 'ab', 3)", "002.2|ab  |+3"), ("'%(a)s%%' % {'a': 1}", "1%"),
    ("'%x %X %o %#x' % (255, 255, 8, 16)", "ff FF 10 0x10"),
    ("'%s %s %s' % (None, True, 1.5)", "None True 1.5"), ("'abc'[1]", "b"), ("'abcdef'[1:-1]", "bcde"), ("'abc'[:2]", "ab"),
    ("str(5) + str(True)", "5True"), ("str(1e16) + str(1e15)", "1e+161000000000000000.0"),
    ("str(0.0001) + str(0.00001)", "0.00011e-05"), ("'a' if 1 < 2 <= 2 else 'b'", "a"),
    ("'/usr/' + 'lib' + '/xen/bin/qemu-dm'", "/usr/lib/xen/bin/qemu-dm"),
    ("' a '.strip()", "a"), ("'Ab'.lower() + 'Ab'.upper()", "abAB"),
    ("os.path.join('/a', 'b') + os.path.basename('/x/y')", "/a/by"),
    ("os.uname()[4]", "ia64"), ("os.uname()[0]", "Linux"), ("'''a\nb'''", "a\nb"), ("'a\\\nb'", "ab"), ("\"\"", ""),
    ("(\"a\"\n  \"b\")", "ab"),
  ]) func strings(_ text: String, _ expected: String) throws {
    #expect(try value(text) == .string(expected))
  }

  @Test(arguments: [
    ("not 0", true), ("not not 'a'", true), ("1 == 1.0", true), ("True == 1", true), ("'a' < 'b'", true), ("'b' in 'abc'", true),
    ("3 in [1, 2]", false), ("3 not in (1, 2)", true), ("'k' in {'k': 0}", true), ("1 <> 2", true),
    ("9007199254740993 == 9007199254740992.0", false), ("9007199254740993 > 9007199254740992.0", true),
    ("1e308 * 10 - 1e308 * 10 <= 1", false), ("1e300 > 1", true), ("-1 > -1.5", true), ("None is None", true),
    ("[1, 'a'] == [1, 'a']", true), ("(1,) == [1]", false), ("'ia64'.startswith('ia')", true), ("'ia64'.endswith('32')", false),
  ]) func truths(_ text: String, _ expected: Bool) throws {
    #expect(try value(text) == .boolean(expected))
  }

  @Test func containers() throws {
    #expect(try value("[1, 'a', [2],]") == .list([.integer(1), .string("a"), .list([.integer(2)])]))
    #expect(try value("()") == .tuple([]))
    #expect(try value("(1,)") == .tuple([.integer(1)]))
    #expect(try value("1, 2") == .tuple([.integer(1), .integer(2)]))
    #expect(try value("[1] + [2] * 2") == .list([.integer(1), .integer(2), .integer(2)]))
    #expect(try value("{'a': 1, 'a': 2}") == .dictionary([.init(key: .string("a"), value: .integer(2))]))
    #expect(try value("[1, 2, 3][1:]") == .list([.integer(2), .integer(3)]))
  }

  @Test func statements() throws {
    let values = try settings(
      """
      # comment
      '''A text
      by itself.'''
      import os, re; import os.path as path
      a = b = 1; c = 'x' \\
        'y'   # a continued line
      disk = [ 'one',   # comments in brackets
               "two",
             ]
      a += 2; disk += ['three']
      if a == 4:
          d = 'wrong'
          d = undefined + 1
      elif a == 3 and re.search('64', os.uname()[4]):
      \td = 'right'
      \tif d: e = 1; f = 2
      else:
          d = 'wrong'
      if 0: pass
      else: g = None
      """)
    #expect(values["a"] == .integer(3) && values["b"] == .integer(1) && values["c"] == .string("xy"))
    #expect(values["disk"] == .list([.string("one"), .string("two"), .string("three")]))
    #expect(
      values["d"] == .string("right") && values["e"] == .integer(1) && values["f"] == .integer(2)
        && values["g"] == ConfigurationValue.none)
    #expect(values["os"] == nil && values["path"] == nil)
  }

  @Test func linesEndAsTheyLike() throws {
    #expect(
      try settings("\u{FEFF}a = 1\r\nb = '''x\r\ny'''\r\nif a:\r\n  c = 2") == [
        "a": .integer(1), "b": .string("x\ny"), "c": .integer(2),
      ])
    #expect(try settings("") == [:])
    #expect(try settings("\n\n  # only a comment") == [:])
    #expect(try settings("# größer\na = 'größer'") == ["a": .string("größer")])
  }

  @Test func patterns() throws {
    #expect(try value("1 if re.search('64$', 'ia64') else 2") == .integer(1))
    #expect(try value("1 if re.match('64', 'ia64') else 2") == .integer(2))
    #expect(try value("1 if re.search('^ia', 'ia64') else 2") == .integer(1))
    #expect(
      failure("x = re.search('(a+)+$', 'aaaa')")
        == "guest:1: of regular expressions, only plain text is understood, perhaps with ^ before or $ behind it")
  }

  /// What is refused is refused in one line that says where.
  @Test(arguments: [
    (
      "a = 1\nfor i in range(3): pass",
      "guest:2: 'for' is not understood: a configuration has assignments, import os, re or sys, and if"
    ),
    ("def vmid_check(var, val):\n    return val", "guest:1: 'def' is not understood"),
    ("print 'hello'", "guest:1: 'print' is not understood"),
    ("import subprocess", "guest:1: there is no module 'subprocess' here, only os, re and sys"),
    ("from os import uname", "guest:1: 'from' is not understood"),
    ("x = os.system('reboot')", "guest:1: 'os.system' is not understood"),
    ("x = open('/etc/passwd')", "guest:1: nothing named 'open' is known here"),
    ("x = [i for i in 'abc']", "guest:1: 'for' is not understood; write the elements out"),
    ("x = lambda: 1", "guest:1: 'lambda' is not understood"),
    ("a = 1\n\nb = c", "guest:3: nothing named 'c' is known here"),
    ("disk = [ 'a',\n 'b' 1 ]", "guest:2: expected ',' or ']', found the number 1"),
    ("disk = [ 'a',\n 'b'", "guest:1: the bracket '[' is never closed"),
    ("x = )", "guest:1: ')' closes no bracket"),
    ("x = [)", "guest:1: ')' closes no bracket"),
    ("x = 'abc\ny = 1", "guest:1: the string has no end"),
    ("x = 1\ny = '''abc\n\n", "guest:2: the string has no end"),
    ("x = 08", "guest:1: 08 is not a number (0 before the digits makes it octal)"),
    ("x = 12abc", "guest:1: 12abc is not a number"),
    ("x = 1 +", "guest:1: expected a value, found the end of the line"),
    ("x = 1 2", "guest:1: expected the end of the statement, found the number 2"),
    ("  x = 1", "guest:1: this line is indented, and no block begins here"),
    ("if 1:\n    x = 1\n  y = 2", "guest:3: the indentation fits no line above"),
    ("if 1:\nx = 1", "guest:2: expected an indented block"),
    ("if 1\n  x = 1", "guest:1: expected ':', found the end of the line"),
    ("x = 'a' + 1", "guest:1: '+' between a string and an integer is impossible"),
    ("x = 1 / 0", "guest:1: a division by zero"),
    ("x = 'a' % 1", "guest:1: not all values are used by the string before '%'"),
    ("x = '%d' % 'a'", "guest:1: %d of 'a' is impossible"),
    ("x = '%s %s' % 'a'", "guest:1: there are fewer values than the string before '%' needs"),
    ("x = [1][1]", "guest:1: the index 1 is outside of a list of 1"),
    ("'a'.foo = 1", "guest:1: only a plain name can be assigned to"),
    ("x[0] = 1", "guest:1: only a plain name can be assigned to"),
    ("xm_vars.check()", "guest:1: a statement that assigns nothing"),
    ("True = 0", "guest:1: only a plain name can be assigned to"),
    ("x = 2 ** 100", "guest:1: '**' is not understood"),
    ("x = a\\b", "guest:1: a backslash that does not end its line"),
    ("x = 1 << 200", "guest:1: the number is too large"),
    ("x = 170141183460469231731687303715884105727 + 1", "guest:1: the number is too large"),
    ("x = ?", "guest:1: the character '?' means nothing here"),
    ("größe = 1", "guest:1: the byte 0xc3 means nothing here"),
    ("<vm/>", "guest:1: this is XML"),
    ("(vm (name a))", "guest:1: this is an SXP file"),
    ("a = 1\u{0}", "guest:1: this is a binary file, not a configuration"),
  ]) func refusals(_ text: String, _ expected: String) {
    let message = failure(text)
    #expect(message?.hasPrefix(expected) == true, "\(message ?? "accepted")")
    #expect(message?.contains("\n") == false)
  }

  /// A hostile file ends in a message, soon, and without filling the memory.
  @Test(
    .ends(withinMinutes: 1),
    arguments: [
      "x = " + String(repeating: "[", count: 100_000),
      "x = " + String(repeating: "(", count: 40) + "1",
      "x = " + String(repeating: "not ", count: 100_000) + "!",
      "x = " + String(repeating: "-", count: 100_000),
      "x = " + String(repeating: "1 if 1 else ", count: 10_000) + "1",
      (0..<200).map { String(repeating: " ", count: $0) + "if 1:\n" }.joined(),
      "x = 'a' * 10000000000000",
      "x = [0] * 10000000000000",
      "x = 'a'\n" + String(repeating: "x = x + x\n", count: 100),
      "x = [1]\n" + String(repeating: "x = [x, x]\n", count: 100),
      "x = [1]\n" + String(repeating: "x = [x]\n", count: 100_000),
      "x = 'a' * 1000000\n" + String(repeating: "y = x[0:1]\n", count: 50_000),
      "x = 'a' * 1000000\n" + String(repeating: "y = x[0]\n", count: 50_000),
      "x = 'a' * 1000000\n" + String(repeating: "y = x == x\n", count: 50_000),
      "x = 'a' * 1000000\n" + String(repeating: "y = 'b' in x\n", count: 50_000),
      "x = '%%' * 500000\n" + String(repeating: "y = x % ()\n", count: 50_000),
      "x = '%(a)s' * 100000\nd = {'a': ''}\n" + String(repeating: "y = x % d\n", count: 50_000),
      "x = 'a' * 1000000\n" + String(repeating: "y = x.lower()\n", count: 50_000),
      "x = [0] * 1000000\n" + String(repeating: "y = x[0]\n", count: 50_000),
      "x = '%1000000000d' % 1",
      "x = '%.1000000000f' % 1",
      "x = " + String(repeating: "9", count: 500_000),
      "x = {" + (0..<50_000).map { "\($0): 0," }.joined() + "}",
      "x = {'a': 1}\ny = x == x",
      "x = '" + String(repeating: "a", count: 1 << 20) + "'",
    ]) func hostile(_ text: String)
  {
    let message = failure(text)
    #expect(message != nil)
    #expect((message?.utf8.count ?? 0) < 300)
  }

  @Test(.ends(withinMinutes: 1)) func longButHonest() throws {
    #expect(try value("1" + String(repeating: " + 1", count: 100_000)) == .integer(100_001))
    #expect(try settings(String(repeating: "x = 1\n", count: 150_000))["x"] == .integer(1))
    #expect(try value("[" + String(repeating: "1,", count: 200_000) + "]") != nil)
  }
}
