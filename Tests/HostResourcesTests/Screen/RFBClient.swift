import Foundation
import HostResources

/// A client of RFB 3.8 (RFC 6143), of a few lines, in the thread of the server's run loop.
final class RFBClient {
  struct Gone: Error {}
  private let descriptor: Int32
  private let world: OutsideWorld
  private(set) var width = 0
  private(set) var height = 0
  private(set) var name = ""
  private(set) var picture: [UInt32] = []

  init(port: Int, world: OutsideWorld) throws {
    self.world = world
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    if status != 0 { throw Gone() }
  }
  deinit { close(descriptor) }

  func write(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

  /// Waits for bytes from the server, which gets its turns meanwhile.
  func read(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<5000 {
      var buffer = [UInt8](repeating: 0, count: count - bytes.count)
      let n = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if n == 0 { throw Gone() }
      if n > 0 { bytes += buffer[0..<n] }
      if bytes.count == count { return bytes }
      world.look()
      usleep(1000)
    }
    throw Gone()
  }

  func number(_ size: Int) throws -> Int { try read(size).reduce(0) { $0 << 8 | Int($1) } }

  /// As far as the server's list of ways to log in.
  func begin() throws {
    _ = try read(12)
    write(Array("RFB 003.008\n".utf8))
  }
  func securityTypes() throws -> [UInt8] { try read(try number(1)) }

  /// What has come and has not been read.
  var pendingBytes: Int {
    var buffer = [UInt8](repeating: 0, count: 4096)
    return max(0, recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT | MSG_PEEK)))
  }

  /// `answer`: to a challenge; nil: there must be none.
  func shakeHands(version: String = "RFB 003.008\n", answer: (([UInt8]) -> [UInt8])? = nil) throws {
    _ = try read(12)
    write(Array(version.utf8))
    _ = try read(try number(1))
    write([answer == nil ? 1 : 2])
    if let answer { write(answer(try read(16))) }
    guard try number(4) == 0 else { throw Gone() }
    initialize()
    try serverInitialization()
  }

  func initialize() { write([1]) }
  func serverInitialization() throws {
    (width, height) = (try number(2), try number(2))
    _ = try read(16)
    name = String(decoding: try read(try number(4)), as: UTF8.self)
    picture = [UInt32](repeating: 0, count: width * height)
  }

  func setEncodings(_ list: [Int32]) {
    write([2, 0, 0, UInt8(list.count)] + list.flatMap { value in withUnsafeBytes(of: value.bigEndian) { Array($0) } })
  }

  func ask(incremental: Bool) {
    func word(_ n: Int) -> [UInt8] { [UInt8(n >> 8), UInt8(n & 0xFF)] }
    write([3, incremental ? 1 : 0, 0, 0, 0, 0] + word(width) + word(height))
  }

  /// 32 bits with red in the upper ones of 24, least significant byte first.
  func choosePixels() { write([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]) }

  /// Asks for updates until the picture is as it should be. The server looks at it from time to time.
  func expect(_ contents: [UInt32], attempts: Int = 100) throws {
    for attempt in 0..<attempts where picture != contents {
      ask(incremental: attempt > 0)
      try update()
    }
  }

  /// One update with raw pixels of the format above; rectangles that came.
  @discardableResult func update() throws -> [FrameRectangle] {
    guard try number(1) == 0 else { throw Gone() }
    _ = try read(1)
    var parts: [FrameRectangle] = []
    for _ in 0..<(try number(2)) {
      let part = FrameRectangle(x: try number(2), y: try number(2), width: try number(2), height: try number(2))
      let encoding = Int32(truncatingIfNeeded: try number(4))
      parts.append(part)
      if encoding == -223 {
        (width, height) = (part.width, part.height)
        picture = [UInt32](repeating: 0, count: width * height)
        continue
      }
      let bytes = try read(4 * part.width * part.height)
      for n in 0..<part.width * part.height {
        picture[(part.y + n / part.width) * width + part.x + n % part.width] =
          UInt32(bytes[4 * n]) | UInt32(bytes[4 * n + 1]) << 8 | UInt32(bytes[4 * n + 2]) << 16
      }
    }
    return parts
  }
}
