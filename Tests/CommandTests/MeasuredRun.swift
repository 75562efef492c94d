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
    /// Processor time, which does not depend on how busy the host is.
    var seconds: Double
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  /// The largest resident set that a process has had so far, in bytes; 0 if it has ended.
  private static func residentSet(_ process: pid_t) -> Int {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return 0 }
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }) else { return 0 }
    return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 } ?? 0
  }

  /// Runs `epicure` through the shell, so that `redirections` may close or redirect what they like; standard input is empty.
  /// What goes to standard output and standard error is collected unless the redirections say otherwise.
  static func measured(_ arguments: [String], redirections: String = "", seconds: Double = 300) throws -> Measured {
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
    var resident = 0
    while wait4(process, &status, WNOHANG, &usage) == 0 {
      if Date().timeIntervalSince(start) > seconds && !killed {
        kill(process, SIGKILL)
        killed = true
      }
      // rusage would count what this process had when it forked.
      resident = max(resident, residentSet(process))
      usleep(2000)
    }
    func text(_ path: String) -> String {
      (try? Data(contentsOf: URL(fileURLWithPath: path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    return Measured(
      status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F, output: text(output), errors: text(errors),
      memory: resident, seconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime))
  }
}
