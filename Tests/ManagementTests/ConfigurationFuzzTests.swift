import Management
import TestSupport
import Testing

/// Damaged and invented configurations, by the thousand: each is read or refused with one line, and nothing crashes or hangs.
/// EPICURE_FUZZ_CASES: how many; EPICURE_FUZZ_SEED: another beginning.
@Suite(.ends(withinMinutes: 5)) struct ConfigurationFuzzTests {
  /// Pieces that lead somewhere.
  private static let pieces = [
    "[", "]", "(", ")", "{", "}", "'", "\"", "'''", "\\", "\n", "\n    ", "\t", "\r\n", "\0", "\u{FEFF}", "=", "+=", "%", "%s",
    "%(a)s", "%9999d", "%.99f",
    "*", "<<", "//", "-", "~", "not ", " in ", " if ", " else ", "if 1:\n", "elif x:\n", "else:\n", "import os\n", "os.uname()",
    "re.search('', '')", ",", ":", ";",
    ".", "#", "0x", "0777", "1e308", "99999999999999999999999999999999999999999", "L", "None", "True", "x = x", "x = x + x\n",
    "[x, x]", "x[-1:]", "'a' * 100000",
    "disk = ['phy:,,,']\n", "vif = ['=']\n", "cpus = '^'\n", "pci = [':.']\n", "vscsi = [',']\n", "vcpu_avail = -1\n", "é",
    "\u{1F600}", "vfb=['=,=']\n", "d1p2", "name = 'é'\n",
  ]

  private static func damage(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.next() % 6 {
      let position = Int(random.next() % UInt64(bytes.count + 1))
      switch random.next() % 7 {
      case 0 where position < bytes.count: bytes[position] = UInt8(truncatingIfNeeded: random.next())
      case 1 where position < bytes.count: bytes.removeSubrange(position..<min(bytes.count, position + 1 + Int(random.next() % 30)))
      case 2 where position < bytes.count:
        let part = Array(bytes[position..<min(bytes.count, position + Int(random.next() % 60))])
        bytes.insert(contentsOf: part, at: Int(random.next() % UInt64(bytes.count)))
      case 3: bytes.removeLast(min(bytes.count, Int(random.next() % 200)))
      default: bytes.insert(contentsOf: Array(pieces[Int(random.next() % UInt64(pieces.count))].utf8), at: position)
      }
    }
    return bytes
  }

  @Test func damagedFiles() throws {
    let (seed, cases) = (FuzzSettings.seed(0xD0_3A), FuzzSettings.cases(8000))
    print("Damaged configurations: EPICURE_FUZZ_SEED=\(seed), \(cases) files")
    var random = SeededRandom(seed: seed)
    let files = [ExampleFiles.hardware, ExampleFiles.paravirtual].map { Array($0.utf8) }
    var accepted = 0
    var slowest = Duration.zero
    for number in 0..<cases {
      let bytes = Self.damage(files[number % 2], &random)
      let start = ContinuousClock.now
      do {
        let file = try DomainConfigurationFile(bytes, file: "guest")
        accepted += 1
        check(file.configuration, "seed \(seed), file \(number)")
        // What is accepted survives JSON.
        if number % 50 == 0 {
          #expect(
            try ManagementJSON.value(DomainConfiguration.self, from: try ManagementJSON.text(file.configuration))
              == file.configuration)
        }
      } catch let error as ConfigurationError {
        #expect(!error.description.contains { $0.isNewline }, "seed \(seed), file \(number)")
        #expect(error.description.hasPrefix("guest"), "seed \(seed), file \(number)")
      }
      slowest = max(slowest, start.duration(to: .now))
    }
    print("Damaged configurations: \(accepted) accepted, the slowest took \(slowest)")
    #expect(accepted > cases / 50 && slowest < .seconds(30))
  }

  /// What must hold of everything that is accepted.
  private func check(_ domain: DomainConfiguration, _ name: @autoclosure () -> String) {
    #expect(throws: Never.self, "\(name())") { try domain.validate() }
    #expect(domain.affinity.count == domain.virtualProcessors && !domain.name.contains("/"), "\(name())")
  }

  @Test func inventedFiles() {
    let (seed, cases) = (FuzzSettings.seed(0x1E7), FuzzSettings.cases(8000))
    print("Invented configurations: EPICURE_FUZZ_SEED=\(seed), \(cases) files")
    var random = SeededRandom(seed: seed)
    let keys = DomainConfiguration.knownKeys
    for number in 0..<cases {
      var text = ""
      for _ in 0..<(1 + random.next() % 12) {
        if random.next() % 2 == 0 { text += keys[Int(random.next() % UInt64(keys.count))] + " = " }
        text += Self.pieces[Int(random.next() % UInt64(Self.pieces.count))]
        if random.next() % 3 == 0 { text += "\n" }
      }
      let start = ContinuousClock.now
      _ = try? DomainConfigurationFile(Array(text.utf8), file: "guest")
      _ = try? DomainConfigurationFile([], file: "guest", overrides: [text])
      #expect(start.duration(to: .now) < .seconds(30), "seed \(seed), file \(number)")
    }
  }

  /// Expressions that are correct Python, with every value that they may have for every key.
  @Test func anyValueForAnyKey() {
    let (seed, cases) = (FuzzSettings.seed(0xA11), FuzzSettings.cases(8000))
    print("Any value for any key: EPICURE_FUZZ_SEED=\(seed), \(cases) files")
    var generator = ExpressionGenerator(random: SeededRandom(seed: seed))
    let keys = DomainConfiguration.knownKeys.filter { !$0.contains("-") }
    for number in 0..<cases {
      let key = keys[number % keys.count]
      let expression = generator.expression(3)
      do {
        let file = try read("builder = 'hvm'\n\(key) = (\(expression))")
        check(file.configuration, "seed \(seed): \(key) = \(expression)")
      } catch {
        #expect("\(error)".hasPrefix("/etc/xen/guest:") || "\(error)".hasPrefix("/etc/xen/guest: "), "\(error)")
        #expect(!"\(error)".contains { $0.isNewline })
      }
    }
  }
}
