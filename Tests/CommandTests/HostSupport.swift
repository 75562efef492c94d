import Foundation
import Glibc
import TestSupport
import Testing

/// `epicure serve` in a folder of its own, and the commands that speak to it.
final class HostServer {
  let folder: TemporaryFolder
  let socket: String
  private let process = Process()
  private let errors: URL

  init(_ options: [String] = []) throws {
    folder = try TemporaryFolder()
    socket = folder.url.appendingPathComponent("control").path
    errors = folder.url.appendingPathComponent("errors")
    try Data().write(to: errors)
    process.executableURL = Epicure.executable
    process.arguments = ["serve", "--socket", socket, "--memory", "4G"] + options
    process.environment = ["PATH": "/usr/bin:/bin"]
    process.standardInput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    try wait("the server does not listen") { FileManager.default.fileExists(atPath: socket) }
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  var isRunning: Bool { process.isRunning }
  var messages: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

  /// The exit status after SIGTERM.
  func stop() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }

  /// Runs a command that must end well; its output.
  @discardableResult
  func run(_ arguments: String..., input: String = "", seconds: Double = 60, location: SourceLocation = #_sourceLocation) throws
    -> String
  {
    let result = try result(arguments, input: input, seconds: seconds)
    #expect(result.status == 0, "\(arguments): \(result.errors)", sourceLocation: location)
    return result.text
  }

  func result(_ arguments: [String], input: String = "", seconds: Double = 60) throws -> Epicure.Result {
    // Behind `--` options would be arguments.
    try Epicure.run(
      [arguments[0], "--socket", socket] + arguments.dropFirst(), input: Array(input.utf8), directory: folder.url, seconds: seconds)
  }

  /// One line for the user, and status 2.
  func expectRefusal(_ arguments: String..., saying text: String, location: SourceLocation = #_sourceLocation) throws {
    let result = try result(arguments)
    #expect(result.status == 2, "\(arguments): \(result.errors)", sourceLocation: location)
    #expect(result.errors.contains(text), "\(arguments): \(result.errors)", sourceLocation: location)
    #expect(result.errors.split(separator: "\n").count == 1, "\(arguments): \(result.errors)", sourceLocation: location)
  }

  func json(_ arguments: String...) throws -> [[String: Any]] {
    let result = try result(arguments + ["--json"])
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [[String: Any]], "\(result.errors)")
  }

  /// The line of `list` for a domain; nil if there is none.
  func domain(_ name: String) throws -> [String: Any]? { try json("list").first { $0["name"] as? String == name } }

  func configuration(_ name: String, _ text: String) throws -> String { try folder.write(name, Array(text.utf8)) }

  func wait(_ complaint: String, seconds: Double = 60, until condition: () throws -> Bool) throws {
    let deadline = Date().addingTimeInterval(seconds)
    while try !condition() {
      guard Date() < deadline else { throw Failure(description: "\(complaint): \(messages)") }
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  struct Failure: Error, CustomStringConvertible { var description: String }
}

/// The guest of `GuestImages/echo`: it answers on its console.
enum EchoGuest {
  static var canBeBuilt: Bool { GNUTools.assembler != nil && GNUTools.linker != nil }

  static func build(in folder: TemporaryFolder) throws -> String {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../GuestImages/echo")
      .standardized
    let object = folder.url.appendingPathComponent("echo.o").path
    let image = folder.url.appendingPathComponent("echo.elf").path
    _ = try GNUTools.run(GNUTools.assembler, ["-o", object, source.appendingPathComponent("echo.S").path])
    _ = try GNUTools.run(
      GNUTools.linker,
      [
        "-s", "-n", "-z", "max-page-size=0x40", "--build-id=none", "--no-warn-rwx-segments", "-T",
        source.appendingPathComponent("echo.ld").path, "-o", image, object,
      ])
    return image
  }
}

/// A client that keeps to no protocol.
final class RawClient {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    guard result == 0 else { throw HostServer.Failure(description: "cannot connect: \(String(cString: strerror(errno)))") }
  }
  deinit { close(descriptor) }

  /// As much as the server takes within a moment.
  func send(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      var set = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      guard poll(&set, 1, 500) > 0 else { return }
      let count = bytes[done...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      guard count > 0 else { return }
      done += count
    }
  }

  /// A line, or what has come before the end or `seconds`.
  func line(seconds: Double = 10) -> String {
    var bytes: [UInt8] = []
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      var set = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&set, 1, 100) > 0 else { continue }
      var byte: UInt8 = 0
      guard recv(descriptor, &byte, 1, 0) == 1, byte != 0x0A else { break }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
