import ArgumentParser
import Glibc
import HostResources

/// `epicure debug`: boots as `epicure boot` does, with a debugger in front of it.
struct DebugCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debug",
    abstract: "Boot a guest under a debugger of its own: registers, code, calls, breakpoints.",
    discussion: """
      Takes the options of epicure boot. The machine stands before its first instruction; "help" lists the commands. On a terminal \
      there is a screen, which shows the guest's console as well; otherwise commands are read line by line, and the guest's console is on \
      standard output. The guest's own console has no input.

      Example: epicure debug --kernel vmlinux.gz --symbols System.map.gz
      """)

  @OptionGroup var boot: BootCommand

  /// One without a name, which goes with the process.
  private static func temporaryFile() throws(CommandFailure) -> Int32 {
    guard let stream = tmpfile() else {
      throw CommandFailure(
        CommandFailure.badInput, "no room for the guest's console in a temporary file: \(String(cString: strerror(errno)))")
    }
    return fileno(stream)
  }

  func run() throws {
    guard boot.lockstep == nil, boot.machine == nil, boot.gdb == nil else {
      throw CommandFailure(CommandFailure.badInput, "debug does not go with --lockstep, --machine or --gdb")
    }
    let guestOutput = DebugTerminal.isTerminal ? try Self.temporaryFile() : nil
    try boot.run(
      BootCommand.Watching(
        console: HostConsole(input: -1, output: guestOutput ?? STDOUT_FILENO, raw: false),
        frontEnd: { DebugTerminal($0, $1, guestOutput: guestOutput) }))
  }
}
