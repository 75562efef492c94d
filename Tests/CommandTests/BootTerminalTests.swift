import Foundation
import Glibc
import TestSupport
import Testing

/// Linux's console on a real terminal.
@Suite("epicure boot, on a terminal", .enabled(if: Guests.shouldRun, Guests.advice), .serialized, .ends(withinMinutes: 10))
struct BootTerminalTests {
  private func linux(_ options: [String] = []) throws -> [String] {
    try ["boot", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", Guests.file("linux-6.1/initramfs.cpio.gz").path]
      + options
  }

  private static let controlA = "\u{1}"
  private static let controlC = "\u{3}"
  private static let controlD = "\u{4}"
  private static let controlU = "\u{15}"
  private static let delete = "\u{7F}"
  private static let up = "\u{1B}[A"

  @Test func session() throws {
    let folder = try TemporaryFolder()
    let stats = folder.url.appendingPathComponent("stats.json")
    let terminal = try PseudoTerminal(linux(["--stats", stats.path]))
    try terminal.expect("EPICURE GUEST READY")
    try terminal.expect("epicure-guest:/# ")
    // Keys arrive one by one, unechoed, and none of them is a signal.
    #expect(terminal.settings.c_lflag & tcflag_t(ICANON | ECHO | ISIG) == 0)

    // The kernel's own messages ("random: crng init done") would come in the middle of lines.
    _ = try terminal.run("dmesg -n 1")
    #expect(try terminal.run("uname -a").contains("Linux epicure-guest 6.1"))
    try editing(terminal)
    try interrupting(terminal)
    try pasting(terminal)
    try output(terminal)

    // Ctrl-A: help, and Ctrl-A itself: the start of the line in the shell.
    try terminal.type(Self.controlA + "h")
    try terminal.expect("Ctrl-A x")
    try terminal.type("cho a$((3+4))" + Self.controlA + Self.controlA + "e\r")
    try terminal.expect("a7")

    try terminal.type("reboot -f\r")
    try terminal.expect("Linux version")
    try terminal.expect("EPICURE GUEST READY")
    try terminal.expect("epicure-guest:/# ")
    #expect(try terminal.run("echo again").contains("again"))
    try terminal.type("poweroff -f\r")
    #expect(try terminal.wait() == 0)
    #expect(PseudoTerminal.same(terminal.settings, terminal.settingsBefore))
    let text = try String(contentsOf: stats, encoding: .utf8)
    #expect(text.contains("\"resets\" : 1"))
    #expect(text.contains("\"outcome\" : \"powered-off\""))
  }

  private func editing(_ terminal: PseudoTerminal) throws {
    try terminal.type("echo r$((6*7))xx" + Self.delete + Self.delete + "\r")
    try terminal.expect("r42\r")
    try terminal.type("nonsense" + Self.controlU + "echo k$((2+3))\r")
    try terminal.expect("k5\r")
    // The last command again.
    try terminal.type(Self.up + "\r")
    try terminal.expect("k5\r")
    try terminal.expect("# ")
  }

  /// Ctrl-C is the guest's: it ends what runs there, and nothing here.
  private func interrupting(_ terminal: PseudoTerminal) throws {
    for command in ["sleep 1000", "cat", "while :; do :; done"] {
      try terminal.type(command + "\r")
      try terminal.expect(command)
      usleep(300_000)
      try terminal.type(Self.controlC)
      try terminal.expect("# ")
      try terminal.type("echo status $?\r")
      try terminal.expect("status 130\r")
      try terminal.expect("# ")
    }
  }

  /// Several kilobytes at once arrive complete.
  private func pasting(_ terminal: PseudoTerminal) throws {
    let lines = (0..<128).map { "\($0): the quick brown fox jumps over the lazy dog, again and again \($0 * 7919)" }
    let text = lines.joined(separator: "\n") + "\n"
    #expect(text.utf8.count > 8000)
    try terminal.type("cat > /tmp/pasted\r")
    try terminal.expect("pasted")
    usleep(200_000)
    try terminal.type(text.replacingOccurrences(of: "\n", with: "\r") + Self.controlD)
    try terminal.expect("# ")
    let folder = try TemporaryFolder()
    let sum = String(decoding: try Host.run("md5sum", [folder.write("pasted", Array(text.utf8))]), as: UTF8.self).prefix(32)
    #expect(try terminal.run("md5sum /tmp/pasted").contains(sum))
  }

  /// A hundred kilobytes come out complete.
  private func output(_ terminal: PseudoTerminal) throws {
    let text = try terminal.run("seq 1 20000")
    let numbers = text.split(whereSeparator: \.isNewline).compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    let lost = Set(1...20000).subtracting(numbers).sorted()
    let broken = text.split(whereSeparator: \.isNewline).filter { Int($0.trimmingCharacters(in: .whitespaces)) == nil }
    #expect(numbers == Array(1...20000), "not there: \(lost); lines that are no numbers: \(broken)")
  }

  @Test func controlAX() throws {
    let terminal = try PseudoTerminal(linux())
    try terminal.expect("Linux version")
    try terminal.type(Self.controlA + "x")
    #expect(try terminal.wait() == 0)
    #expect(PseudoTerminal.same(terminal.settings, terminal.settingsBefore))
  }

  /// The power button reaches the kernel through the SCI: its interrupt count goes up.
  @Test func powerButton() throws {
    let terminal = try PseudoTerminal(linux())
    try terminal.expect("epicure-guest:/# ")
    let before = try terminal.run("grep acpi /proc/interrupts")
    try terminal.type(Self.controlA + "p")
    let after = try terminal.run("grep acpi /proc/interrupts")
    func count(_ text: String) -> Int? {
      let line = text.split(whereSeparator: \.isNewline).first { $0.contains("IO-SAPIC-level") }
      return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
    #expect(count(before) == 0, "\(before)")
    #expect(count(after) == 1, "\(after)")
    try terminal.type(Self.controlA + "q")
    #expect(try terminal.wait() == 0)
  }

  /// Whatever ends the process, the user finds the terminal as it was.
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT]) func signals(_ number: Int32) throws {
    let terminal = try PseudoTerminal(linux())
    try terminal.expect("Linux version")
    #expect(!PseudoTerminal.same(terminal.settings, terminal.settingsBefore))
    terminal.signal(number)
    #expect(try terminal.wait() == 128 + number)
    #expect(PseudoTerminal.same(terminal.settings, terminal.settingsBefore))
  }

  @Test func failureRestoresTheTerminal() throws {
    let terminal = try PseudoTerminal(["boot", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path])
    #expect(try terminal.wait() == 1)
    #expect(PseudoTerminal.same(terminal.settings, terminal.settingsBefore))
    #expect(String(decoding: terminal.output, as: UTF8.self).contains("epicure: the guest failed: "))
  }
}
