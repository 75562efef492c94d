import Foundation
import Glibc
import Testing

/// `epicure` on a terminal of its own, as a person uses it: what is typed goes in at one side, what is seen comes out there.
final class PseudoTerminal {
  private let master: Int32
  /// Keeps the terminal alive, and its settings visible, when the process has ended.
  private let slave: Int32
  private let process: pid_t
  private var ended: (status: Int32, usage: rusage)?
  /// Everything that has appeared, and how much of it ``expect(_:seconds:)`` has consumed.
  private(set) var output: [UInt8] = []
  private var consumed = 0
  let settingsBefore: termios

  /// TIOCSPTLCK and TIOCGPTN: what unlockpt and ptsname are made of.
  private static let setLock: UInt = 0x4004_5431
  private static let getNumber: UInt = 0x8004_5430

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Starts `epicure` in a session of its own with this terminal.
  init(_ arguments: [String]) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var unlocked: Int32 = 0
    var number: UInt32 = 0
    guard master >= 0, ioctl(master, Self.setLock, &unlocked) == 0, ioctl(master, Self.getNumber, &number) == 0 else {
      throw Failure(description: "no pseudo-terminal: \(String(cString: strerror(errno)))")
    }
    let path = "/dev/pts/\(number)"
    slave = open(path, O_RDWR | O_NOCTTY)
    _ = fcntl(master, F_SETFL, O_NONBLOCK)
    _ = fcntl(master, F_SETFD, FD_CLOEXEC)
    _ = fcntl(slave, F_SETFD, FD_CLOEXEC)
    var settings = termios()
    tcgetattr(slave, &settings)
    settingsBefore = settings

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A test may run in a thread that blocks or ignores signals; the program must not inherit that.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    // POSIX_SPAWN_SETSID: the terminal becomes the session's. POSIX_SPAWN_SETSIGMASK and _SETSIGDEF.
    posix_spawnattr_setflags(&attributes, 0x80 | 0x08 | 0x04)
    var words: [UnsafeMutablePointer<CChar>?] = ([Epicure.executable.path] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var identifier: pid_t = 0
    let result = posix_spawn(&identifier, Epicure.executable.path, &actions, &attributes, &words, environ)
    process = identifier
    guard result == 0 else { throw Failure(description: "cannot start epicure: \(String(cString: strerror(result)))") }
  }

  deinit {
    if ended == nil {
      kill(process, SIGKILL)
      var status: Int32 = 0
      waitpid(process, &status, 0)
    }
    close(slave)
    close(master)
  }

  /// The terminal's settings now.
  var settings: termios {
    var settings = termios()
    tcgetattr(slave, &settings)
    return settings
  }

  /// Local and input modes: what raw mode changes.
  static func same(_ a: termios, _ b: termios) -> Bool {
    a.c_lflag == b.c_lflag && a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag
  }

  // MARK: What appears

  private func collect(milliseconds: Int32) {
    var descriptor = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, milliseconds) > 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(master, &buffer, buffer.count)
    if count > 0 { output += buffer[0..<count] }
  }

  /// Waits until `text` appears behind what has been consumed; returns everything up to its end.
  @discardableResult
  func expect(_ text: String, seconds: Double = 60) throws -> String {
    let wanted = Array(text.utf8)
    let deadline = Date().addingTimeInterval(seconds)
    var from = consumed
    while true {
      if let end = Self.find(wanted, in: output, from: from) {
        defer { consumed = end }
        return String(decoding: output[consumed..<end], as: UTF8.self)
      }
      from = max(consumed, output.count - wanted.count + 1)
      guard Date() < deadline else {
        let seen = String(decoding: output[max(consumed, output.count - 500)...], as: UTF8.self)
        throw Failure(description: "\"\(text)\" did not appear in \(seconds) s; the last that did: \(seen.debugDescription)")
      }
      collect(milliseconds: 50)
    }
  }

  private static func find(_ wanted: [UInt8], in bytes: [UInt8], from: Int) -> Int? {
    guard let first = wanted.first, bytes.count >= wanted.count else { return nil }
    var position = from
    while position + wanted.count <= bytes.count {
      if bytes[position] == first, bytes[position..<position + wanted.count].elementsEqual(wanted) {
        return position + wanted.count
      }
      position += 1
    }
    return nil
  }

  // MARK: What is typed

  func type(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    let deadline = Date().addingTimeInterval(60)
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(master, $0.baseAddress, min($0.count, 512)) }
      if count > 0 { rest = rest.dropFirst(count) }
      // What comes back must be taken, or both sides wait for each other.
      collect(milliseconds: count > 0 ? 0 : 10)
      guard Date() < deadline else { throw Failure(description: "nobody takes what is typed") }
    }
  }

  /// A command and the marker behind its output.
  func run(_ command: String, seconds: Double = 60) throws -> String {
    try type("\(command); echo done-$((1+1))\r")
    let text = try expect("done-2", seconds: seconds)
    _ = try expect("# ", seconds: seconds)
    return text
  }

  // MARK: The process

  func signal(_ number: Int32) { kill(process, number) }

  /// The exit status; 128 and the signal's number if a signal ended it.
  func wait(seconds: Double = 60) throws -> Int32 {
    let deadline = Date().addingTimeInterval(seconds)
    while ended == nil {
      collect(milliseconds: 10)
      var status: Int32 = 0
      var usage = rusage()
      if wait4(process, &status, WNOHANG, &usage) == process {
        ended = (status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F, usage)
      } else if Date() > deadline {
        throw Failure(description: "epicure does not end")
      }
    }
    collect(milliseconds: 0)
    return ended?.status ?? -1
  }
}
