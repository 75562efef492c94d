import Foundation
import Glibc

/// Unix sockets at a path.
enum ControlSocket {
  /// `$EPICURE_SOCKET`, `$XDG_RUNTIME_DIR/epicure/control`, or `~/.epicure/control`.
  static var standardPath: String {
    let environment = ProcessInfo.processInfo.environment
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let path = value("EPICURE_SOCKET") { return path }
    if let runtime = value("XDG_RUNTIME_DIR") { return runtime + "/epicure/control" }
    return (value("HOME") ?? "/tmp/epicure-\(geteuid())") + "/.epicure/control"
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
    var number: Int32 = 0
    static func last(_ what: String) -> Failure {
      Failure(description: "\(what): \(String(cString: strerror(errno)))", number: errno)
    }
  }

  private static func withAddress<T>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) throws(Failure) -> T {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room, !bytes.isEmpty, !bytes.contains(0) else {
      throw Failure(
        description: "the socket's path has \(bytes.count) bytes, and the host allows \(room - 1): \(path)", number: ENAMETOOLONG)
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  private static func make() throws(Failure) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .last("no socket") }
    return descriptor
  }

  static func connect(to path: String) throws(Failure) -> Int32 {
    let descriptor = try make()
    let result: Int32
    do throws(Failure) { result = try withAddress(path) { Glibc.connect(descriptor, $0, $1) } } catch {
      close(descriptor)
      throw error
    }
    guard result == 0 else {
      let failure = Failure.last(path)
      close(descriptor)
      throw failure
    }
    return descriptor
  }

  /// A socket that only this user can connect to. What a server has left that was killed is replaced; a living one is not.
  static func listen(at path: String) throws(Failure) -> (socket: Int32, lock: Int32) {
    let folder = (path as NSString).deletingLastPathComponent
    if !folder.isEmpty {
      try? FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
    // The lock says who lives: it goes with the process.
    let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw .last("\(path).lock") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw Failure(description: "another server is listening at \(path)", number: EADDRINUSE)
    }
    do throws(Failure) { return (try bind(at: path), lock) } catch {
      close(lock)
      throw error
    }
  }

  private static func bind(at path: String) throws(Failure) -> Int32 {
    var information = stat()
    if lstat(path, &information) == 0 {
      guard information.st_mode & S_IFMT == S_IFSOCK else {
        throw Failure(description: "\(path) exists and is no socket", number: EEXIST)
      }
      unlink(path)
    }
    let descriptor = try make()
    let mask = umask(0o177)
    let result = Result { () throws(Failure) in try withAddress(path) { Glibc.bind(descriptor, $0, $1) } }
    umask(mask)
    do throws(Failure) {
      guard try result.get() == 0, Glibc.listen(descriptor, 16) == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
        throw .last(path)
      }
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }
}
