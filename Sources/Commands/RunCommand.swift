import ArgumentParser
import Foundation
import LinuxUser
import Logging

/// `epicure run`: a static Linux/ia64 program on a bare processor; the host serves its system calls.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a static Linux/ia64 program; the host serves its system calls.",
    discussion: """
      The program's exit status is passed through. A program that a signal ends gives 128 plus the signal's number; \
      a program that cannot be started gives 2.
      """)

  @Argument(help: "The program: a static ELF executable for IA-64.", completion: .file())
  var program: String

  @Argument(parsing: .captureForPassthrough, help: "The program's own arguments.")
  var arguments: [String] = []

  func run() throws {
    let process: UserProcess
    do {
      process = try UserProcess(
        path: program, arguments: arguments, environment: ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }.sorted(),
        logger: Logger(label: "epicure.run"))
    } catch {
      Self.report("\(error)")
      throw ExitCode(2)
    }
    switch process.run() {
    case .exited(let status): throw ExitCode(status)
    case .killed(let signal, let explanation):
      Self.report("\(program): \(explanation)")
      throw ExitCode(128 + signal)
    }
  }

  /// The program shares the descriptor and may have closed it: then nobody can be told, and nothing else may happen.
  private static func report(_ message: String) {
    let line = Array("epicure: \(message)\n".utf8)
    var sent = 0
    while sent < line.count {
      let n = line.withUnsafeBytes { $0.baseAddress.map { write(STDERR_FILENO, $0 + sent, line.count - sent) } ?? -1 }
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { return }
      sent += n
    }
  }
}
