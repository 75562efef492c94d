import Foundation
import Glibc

extension Epicure {
  /// What a run has cost, and how it ended.
  struct Measured {
    var status: Int32
    var output: String
    var errors: String
    /// Largest resident set, in bytes.
    var memory: Int
    var seconds: Double
  }

  /// Runs `epicure` through the shell, so that `redirections` may close or redirect what they like; standard input is empty.
  /// What goes to standard output and standard error is collected unless the redirections say otherwise.
  static func measured(_ arguments: [String], redirections: String = "", seconds: Double = 120) throws -> Measured {
    let folder = try TemporaryFolder()
    let output = folder.url.appendingPathComponent("output").path
    let errors = folder.url.appendingPathComponent("errors").path
    let script = "exec \"$0\" \"$@\" </dev/null >'\(output)' 2>'\(errors)' \(redirections)"
    var words: [UnsafeMutablePointer<CChar>?] = (["sh", "-c", script, executable.path] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var process: pid_t = 0
    let start = Date()
    let result = posix_spawn(&process, "/bin/sh", nil, nil, &words, environ)
    guard result == 0 else { throw PseudoTerminal.Failure(description: "cannot start a shell") }
    var status: Int32 = 0
    var usage = rusage()
    var killed = false
    while wait4(process, &status, WNOHANG, &usage) == 0 {
      if Date().timeIntervalSince(start) > seconds && !killed {
        kill(process, SIGKILL)
        killed = true
      }
      usleep(2000)
    }
    func text(_ path: String) -> String {
      (try? Data(contentsOf: URL(fileURLWithPath: path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    return Measured(
      status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F, output: text(output), errors: text(errors),
      memory: usage.ru_maxrss * 1024, seconds: Date().timeIntervalSince(start))
  }
}
