import Foundation
import Glibc
import HostResources

/// The control socket: clients, and what is done for them.
final class ControlServer: OutsideSource {
  private let path: String
  private let listener: Int32
  private let lock: Int32
  private var connections: [ControlConnection] = []
  private var listenerIndex: Int?
  private var looks: UInt64 = 0
  private let handle: (ControlRequest.Command) -> ControlReply
  private let console: (String) throws -> DomainConsole

  private static let largestClientCount = 128

  /// `handle` does what a request asks for; `console` finds a domain's console.
  init(
    path: String, handle: @escaping (ControlRequest.Command) -> ControlReply, console: @escaping (String) throws -> DomainConsole
  ) throws {
    self.path = path
    self.handle = handle
    self.console = console
    do throws(ControlSocket.Failure) { (listener, lock) = try ControlSocket.listen(at: path) } catch {
      throw CommandFailure(CommandFailure.badInput, error.description)
    }
  }

  deinit {
    unlink(path)
    Glibc.close(listener)
    Glibc.close(lock)
  }

  // MARK: OutsideSource

  var mayDeliver: Bool { true }

  func prepare(_ set: inout PollSet) {
    listenerIndex = set.add(listener, .input)
    connections.removeAll { !$0.isOpen }
    for connection in connections { connection.prepare(&set) }
  }

  func collect(_ set: PollSet) -> Bool {
    looks += 1
    var found = false
    for connection in connections {
      found = connection.collect(set, look: looks) { serve($0, for: connection) } || found
    }
    if let listenerIndex, set.events(listenerIndex).contains(.input) {
      accept()
      found = true
    }
    return found
  }

  private func accept() {
    while true {
      let descriptor = Glibc.accept(listener, nil, nil)
      guard descriptor >= 0 else { return }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
      connections.removeAll { !$0.isOpen }
      if connections.count >= Self.largestClientCount {
        // Whoever has been silent for longest makes room.
        let idle = connections.filter { !$0.isConsole }.min { $0.lastRequest < $1.lastRequest }
        guard let idle else {
          Glibc.close(descriptor)
          continue
        }
        idle.close()
        connections.removeAll { $0 === idle }
      }
      connections.append(ControlConnection(descriptor))
    }
  }

  // MARK: Requests

  static func encode(_ reply: ControlReply) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = (try? encoder.encode(reply)) ?? Data(#"{"error":"the answer cannot be encoded","version":1}"#.utf8)
    return Array(data) + [0x0A]
  }

  private func serve(_ line: ArraySlice<UInt8>, for connection: ControlConnection) {
    let decoder = JSONDecoder()
    struct Version: Decodable { var version: Int }
    guard let version = try? decoder.decode(Version.self, from: Data(line)) else {
      return connection.send(Self.encode(ControlReply(error: "this is not a request: a JSON object with version and command")))
    }
    guard version.version == ControlProtocol.version else {
      let text = "protocol version \(version.version) is not known; this server speaks \(ControlProtocol.version)"
      return connection.send(Self.encode(ControlReply(error: text)))
    }
    guard let request = try? decoder.decode(ControlRequest.self, from: Data(line)) else {
      return connection.send(Self.encode(ControlReply(error: "this is not a command that the server knows")))
    }
    guard case .console(let name, let history) = request.command else {
      return connection.send(Self.encode(handle(request.command)))
    }
    do {
      let console = try console(name)
      connection.send(Self.encode(ControlReply(.console)))
      connection.attach(console, history: history)
    } catch { connection.send(Self.encode(ControlReply(error: ControlReply.line(error)))) }
  }
}

extension ControlReply {
  /// What an error says to the user.
  static func line(_ error: any Error) -> String { (error as? CommandFailure)?.message ?? "\(error)" }
}
