import HostResources
import Testing

@Suite("Console output") struct OutputMatcherTests {
  /// Which of the lines match.
  private func matches(_ matcher: OutputMatcher, _ text: String) -> [String] {
    var matcher = matcher
    var found: [String] = []
    for byte in text.utf8 where matcher.append(byte) { found.append(matcher.matchedLine) }
    return found
  }

  @Test func expressions() throws {
    let matcher = try OutputMatcher("GUEST (READY|EXIT [0-9]+)$")
    #expect(
      matches(matcher, "x\r\nEPICURE GUEST READY\r\nGUEST EXIT 12\nGUEST READY.\n") == ["EPICURE GUEST READY", "GUEST EXIT 12"])
  }

  @Test func partialLines() throws {
    var matcher = try OutputMatcher("login: $")
    let finished = "host login: ".utf8.map { matcher.append($0) }
    #expect(!finished.contains(true))
    // Once: nothing has changed since.
    let tries = [matcher.matchesPartialLine(), matcher.matchesPartialLine()]
    #expect(tries == [true, false])
  }

  @Test func longLines() throws {
    let matcher = try OutputMatcher("needle")
    #expect(matches(matcher, "needle" + String(repeating: "x", count: 10_000)).count == 1)
  }

  @Test func nonsense() {
    #expect(throws: OutputMatcher.BadPattern.self) { try OutputMatcher("(") }
    #expect(throws: OutputMatcher.BadPattern.self) { try OutputMatcher("[a") }
  }

  /// Lines as Linux prints them with and without `printk.time` and CONFIG_PRINTK_CALLER.
  @Test func lineStarts() {
    let matcher = OutputMatcher(lineStart: "Kernel panic - not syncing")
    let panics = [
      "Kernel panic - not syncing: Attempted to kill init!", "[    0.272688] Kernel panic - not syncing: VFS",
      "[    0.272688][    T1] Kernel panic - not syncing: VFS", "[12345.678901] [ C0] Kernel panic - not syncing: x",
    ]
    #expect(matches(matcher, panics.joined(separator: "\r\n") + "\r\n") == panics)
    let others = [
      "# echo Kernel panic - not syncing", "[    0.1] ---[ end Kernel panic - not syncing: VFS ]---", "[", "[]", "[    0.1", "",
      "[    0.1] Kernel panic",
    ]
    #expect(matches(matcher, others.joined(separator: "\n") + "\n").isEmpty)
  }
}
