import Foundation
import Glibc
import TestSupport
import Testing

/// `epicure debug`: with lines, and on a terminal of its own.
@Suite("epicure debug", .serialized, .ends(withinMinutes: 5)) struct DebugTests {
  private func debug(_ options: [String], _ commands: [String]) throws -> Epicure.Result {
    try Epicure.run(["debug"] + options, input: Array((commands.joined(separator: "\n") + "\n").utf8))
  }

  /// The self-test guest, to its end.
  @Test(arguments: ["none", "hvm"]) func lines(_ mode: String) throws {
    let result = try debug(
      ["--virtualization", mode], ["registers ip psr", "step", "step 3", "bt", "tlb", "breakpoints", "continue"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.contains("the machine is about to start"))
    #expect(result.text.contains("(epicure) step 3"))
    #expect(result.text.contains("instruction TLB"))
    #expect(result.text.contains("there are none"))
    #expect(result.text.split(whereSeparator: \.isNewline).last == "EPICURE SELFTEST PASSED 147 tests")
  }

  /// The end of the input is the end of the machine; mistakes are answered.
  @Test func mistakes() throws {
    let result = try debug(
      [],
      [
        "nonsense", "break nowhere", "x", "step -1", "x 0 99999999", "watch 0 0", "break 3", "processor 7", "view walls",
        "view tlb",
      ])
    #expect(result.status == 0, "\(result.errors)")
    for text in [
      "There is no command \"nonsense\"", "\"nowhere\" is no place", "step takes a number", "x shows 1 to", "is no number of bytes",
      "plus its slot", "processors are 0 to 0", "view takes exits or tlb",
    ] { #expect(result.text.contains(text), "\(text): \(result.text)") }
    #expect(!result.text.contains("PASSED"))
    for options in [["--gdb", "0"], ["--lockstep", "1", "--virtualization", "none"]] {
      #expect(try debug(options, []).status == 2)
    }
  }

  /// Names of a System.map; a function's argument; what it is called by; a variable.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func linux() throws {
    let result = try debug(
      [
        "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", Guests.file("linux-6.1/initramfs.cpio.gz").path,
        "--until",
        "EPICURE GUEST READY", "--symbols", Guests.file("linux-6.1/System.map.gz").path,
      ], ["until run_init_process", "x $r32 8", "bt", "next", "watch jiffies_64", "continue", "delete", "exits 4", "continue"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.contains("breakpoint at a000000100fa5e20.0 <run_init_process>"), "\(result.text.suffix(3000))")
    // "/init"
    #expect(result.text.contains("2f 69 6e 69 74 00"))
    #expect(result.text.contains("<kernel_init"))
    #expect(result.text.contains("written at a0000001014abd80"))
    #expect(result.text.contains("the last ones, oldest first"))
    #expect(result.text.contains("EPICURE GUEST READY"))
  }

  /// The screen: registers, code with groups and stops, calls, the guest's console.
  @Test func screen() throws {
    let terminal = try PseudoTerminal(["debug"])
    try terminal.expect("HVM domain, processor 0 of 1")
    try terminal.expect("code")
    try terminal.expect("calls")
    try terminal.expect("(epicure) ")
    try terminal.type("step\r")
    try terminal.expect("stepped")
    try terminal.expect("(epicure) ")
    try terminal.type("help\r")
    try terminal.expect("-- Return")
    try terminal.type("q\r")
    try terminal.expect("(epicure) ")
    try terminal.type("continue\r")
    try terminal.expect("EPICURE SELFTEST PASSED")
    #expect(try terminal.wait() == 0)
    #expect(PseudoTerminal.same(terminal.settings, terminal.settingsBefore))
  }

  /// Ctrl-C stops a guest that runs; `quit` ends it.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func interrupts() throws {
    let terminal = try PseudoTerminal([
      "debug", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", Guests.file("linux-6.1/initramfs.cpio.gz").path,
    ])
    try terminal.expect("(epicure) ")
    try terminal.type("continue\r")
    try terminal.expect("running; Ctrl-C stops it")
    usleep(1_500_000)
    try terminal.type("\u{3}")
    try terminal.expect("interrupted")
    try terminal.expect("(epicure) ")
    try terminal.type("quit\r")
    #expect(try terminal.wait() == 0)
  }
}
