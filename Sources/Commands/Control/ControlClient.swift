import ArgumentParser
import Foundation
import Glibc
import Management

/// The commands' side of the control socket.
final class ControlClient {
  let descriptor: Int32
  private let path: String
  private var buffer: [UInt8] = []

  init(path: String) throws(CommandFailure) {
    self.path = path
    signal(SIGPIPE, SIG_IGN)
    do throws(ControlSocket.Failure) { descriptor = try ControlSocket.connect(to: path) } catch {
      guard error.number == ENOENT || error.number == ECONNREFUSED else {
        throw CommandFailure(CommandFailure.badInput, error.description)
      }
      throw CommandFailure(CommandFailure.badInput, "no server is running at \(path): start one with `epicure serve`")
    }
  }

  deinit { Glibc.close(descriptor) }

  /// Sends a request and waits for its result.
  func ask(_ command: ControlRequest.Command) throws -> ControlReply.Result {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    try write(Array(encoder.encode(ControlRequest(command: command))) + [0x0A])
    let line = try readLine()
    let decoder = JSONDecoder()
    guard let reply = try? decoder.decode(ControlReply.self, from: Data(line)) else {
      throw CommandFailure(CommandFailure.badInput, "what answers at \(path) is not a server of this version")
    }
    if let error = reply.error { throw CommandFailure(CommandFailure.badInput, error) }
    guard let result = reply.result else {
      throw CommandFailure(CommandFailure.badInput, "the server at \(path) has given no answer")
    }
    return result
  }

  func write(_ bytes: [UInt8]) throws(CommandFailure) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw gone }
      done += count
    }
  }

  private var gone: CommandFailure { CommandFailure(CommandFailure.guestFailed, "the server at \(path) has gone away") }

  private func readLine() throws(CommandFailure) -> [UInt8] {
    var searched = 0
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        defer { buffer.removeFirst(end + 1) }
        return Array(buffer[..<end])
      }
      searched = buffer.count
      guard buffer.count <= ControlProtocol.largestReply, let bytes = read() else { throw gone }
      buffer += bytes
    }
  }

  /// What has come, at least a byte; nil at the end.
  func read() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(descriptor, &bytes, bytes.count, 0)
      if count < 0 && errno == EINTR { continue }
      return count > 0 ? Array(bytes[..<count]) : nil
    }
  }

  /// What came behind the last answer.
  func takeRest() -> [UInt8] {
    defer { buffer = [] }
    return buffer
  }
}

/// What all commands that speak to the server have.
struct ControlOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The server's control socket. Without this option $EPICURE_SOCKET, $XDG_RUNTIME_DIR/epicure/control or ~/.epicure/control.",
      valueName: "path"))
  var socket: String?
  @Flag(help: "Print JSON.")
  var json = false

  var path: String { socket ?? ControlSocket.standardPath }

  func ask(_ command: ControlRequest.Command) throws -> ControlReply.Result { try ControlClient(path: path).ask(command) }

  /// Asks for something to be done to a domain; with --json the domain is printed.
  func act(_ command: ControlRequest.Command) throws {
    guard case .domains(let records) = try ask(command) else { throw Self.misunderstanding }
    if json { try print(records.map(\.summary)) { "" } }
  }

  /// Prints a result as the user wants it.
  func print(_ value: some Encodable, text: () -> String) throws {
    var output = StandardOutput()
    try output.write(json ? ManagementJSON.text(value) : text())
    try output.flush()
  }

  static var misunderstanding: CommandFailure { CommandFailure(CommandFailure.badInput, "the server has answered something else") }
}
