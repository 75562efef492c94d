import ArgumentParser
import CProcess
import Loading

#if canImport(Glibc)
  import Glibc
#endif

/// `epicure`: the front door. Each subcommand has a file of its own.
public struct EpicureCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "epicure",
    abstract: "An Itanium (IA-64) server in software.",
    discussion: """
      epicure boot --kernel vmlinux.gz --initrd initramfs.cpio.gz   boots Linux; Ctrl-A x switches the machine off
      epicure boot                                                 boots the built-in self-test guest
      epicure run program                                          runs a static Linux/ia64 program
      epicure serve                                                keeps several domains on one server

      Exit status: 0 done; 1 the guest failed; 2 bad usage, configuration or input file; 3 a limit was reached.
      """,
    version: "epicure 0.1.0",
    subcommands: [
      BootCommand.self, DebugCommand.self, ReplayCommand.self, RunCommand.self, DisassembleCommand.self, BenchCommand.self,
      TraceCommand.self, ExplainCommand.self, AdviseCommand.self, ProfileCommand.self, VNCScreenCommand.self,
    ],
    groupedSubcommands: [
      CommandGroup(
        name: "Domains",
        subcommands: [
          ServeCommand.self, CreateCommand.self, ListCommand.self, ConsoleCommand.self, PauseCommand.self, UnpauseCommand.self,
          ShutdownCommand.self, RebootCommand.self, DestroyCommand.self, SchedCreditCommand.self, VCPUListCommand.self,
          VCPUPinCommand.self,
          MemSetCommand.self, BlockAttachCommand.self, BlockDetachCommand.self, BlockListCommand.self,
          NetworkAttachCommand.self, NetworkDetachCommand.self, NetworkListCommand.self, InfoCommand.self, UptimeCommand.self,
          TopCommand.self, CrashReportCommand.self,
          ScreenshotCommand.self,
        ])
    ])

  public init() {}

  /// The command that `arguments` name. The parser, from the root on, looks at the options of all commands: some 4 million host instructions
  /// that a short program would feel. So a command that is named in the first place parses the rest; whatever it refuses, help included, is
  /// the root's, whose messages name the whole command line.
  private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
    if let name = arguments.first,
      let type = configuration.subcommands.first(where: { $0.configuration.commandName == name }),
      type.configuration.subcommands.isEmpty,
      let command = try? type.parse(Array(arguments.dropFirst()))
    {
      return command
    }
    return try parseAsRoot(arguments)
  }

  /// Parses the process's arguments, runs the command, and exits with the status of the contract above.
  public static func start() -> Never {
    // Files are read as a whole and given back. By itself the C library would keep ever larger ones in its heap.
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    do {
      var command = try parsed(Array(CommandLine.arguments.dropFirst()))
      try command.run()
      Glibc.exit(0)
    } catch let failure as CommandFailure {
      failure.report()
      Glibc.exit(failure.status)
    } catch let error as ImageError {
      CommandFailure(CommandFailure.badInput, "\(error)").report()
      Glibc.exit(CommandFailure.badInput)
    } catch let code as ExitCode {
      // The status of a program that was run, whatever it is.
      Glibc.exit(code.rawValue)
    } catch {
      let code = exitCode(for: error)
      if code == .success { exit(withError: error) }
      StandardError.write(fullMessage(for: error))
      // The parser's own EX_USAGE is 2 here.
      Glibc.exit(code == .validationFailure ? CommandFailure.badInput : code.rawValue)
    }
  }
}

/// Why a command ends with a status other than 0: one line for standard error, or none if all has been said.
struct CommandFailure: Error {
  static let guestFailed: Int32 = 1
  static let badInput: Int32 = 2
  static let limitReached: Int32 = 3

  var status: Int32
  var message: String?

  init(_ status: Int32, _ message: String? = nil) {
    self.status = status
    self.message = message
  }

  func report() {
    if let message { StandardError.write("epicure: \(message)") }
  }
}

/// Lines for the user beside the command's result.
enum StandardError {
  static func write(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
