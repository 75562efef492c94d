#if canImport(Glibc)
  import Glibc
#endif

/// One client of a screen (RFC 6143, versions 3.3 to 3.8). Nothing here waits: what has come is kept until a message is complete, and
/// what does not fit into the socket until it does. A client that breaks the protocol is let go.
final class RFBConnection {
  let descriptor: Int32
  private let source: any FrameBufferSource
  private let name: String
  private let password: String?
  private var state = State.version
  private var minor = 8
  private(set) var isClosed = false
  /// Whether the client has been let in.
  var isReady: Bool {
    if case .ready = state { true } else { false }
  }

  private var input: [UInt8] = []
  /// Bytes of a text that nobody wants, yet to come.
  private var skipped = 0
  private var output: [UInt8] = []
  private var sent = 0

  private var format = RFBPixelFormat.native
  private var compressor: ZRLEStream?
  private var knowsSizes = false
  private var size: (width: Int, height: Int) = (0, 0)
  /// What the client has asked for and not got.
  private var request: FrameRectangle?
  private var damage = DamagedLines()

  var keyChanged: ((_ symbol: UInt32, _ isDown: Bool) -> Void)?
  var pointerMoved: ((_ x: Int, _ y: Int, _ buttons: UInt8) -> Void)?

  private enum State {
    case version, security, response([UInt8]), initialization, ready
  }
  private enum Encoding {
    static let raw: Int32 = 0
    static let zrle: Int32 = 16
    static let desktopSize: Int32 = -223
  }
  private static let longestMessage = 1 << 17

  init(adopting descriptor: Int32, source: any FrameBufferSource, name: String, password: String?) {
    self.descriptor = descriptor
    (self.source, self.name, self.password) = (source, name, password)
    output = Array("RFB 003.008\n".utf8)
  }
  deinit { close(descriptor) }

  var wantsToSend: Bool { sent < output.count }

  // MARK: Bytes

  func receive() {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { isClosed = true }
    guard count > 0 else { return }
    input += buffer[0..<count]
    while !isClosed, let used = message() { input.removeFirst(used) }
    if input.count > Self.longestMessage { isClosed = true }
  }

  func send() {
    while wantsToSend {
      let count = output.withUnsafeBytes { bytes in
        Glibc.send(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno != EAGAIN && errno != EINTR { isClosed = true }
        return
      }
      sent += count
    }
    (output, sent) = ([], 0)
  }

  private func put16(_ value: Int) { output += [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }
  private func put32(_ value: UInt32) { output += withUnsafeBytes(of: value.bigEndian) { Array($0) } }
  private func put(_ text: String) {
    put32(UInt32(text.utf8.count))
    output += Array(text.utf8)
  }

  private func word16(_ offset: Int) -> Int { Int(input[offset]) << 8 | Int(input[offset + 1]) }
  private func word32(_ offset: Int) -> UInt32 { UInt32(word16(offset)) << 16 | UInt32(word16(offset + 2)) }

  // MARK: Messages

  /// Does what the next message says, and returns its length; nil: it is not complete.
  private func message() -> Int? {
    if skipped > 0 {
      let count = min(skipped, input.count)
      skipped -= count
      return count == 0 ? nil : count
    }
    switch state {
    case .version: return need(12) { version() }
    case .security: return need(1) { chooseSecurity(input[0]) }
    case .response(let challenge): return need(16) { check(challenge) }
    case .initialization: return need(1) { initialize() }
    case .ready: return input.first.flatMap { perform($0) }
    }
  }

  private func need(_ count: Int, _ body: () -> Void) -> Int? {
    guard input.count >= count else { return nil }
    body()
    return count
  }

  private func version() {
    let text = String(decoding: input[0..<12], as: UTF8.self)
    guard text.hasPrefix("RFB 003."), text.hasSuffix("\n"), let number = Int(text.dropFirst(8).prefix(3)) else {
      isClosed = true
      return
    }
    minor = number >= 8 ? 8 : number == 7 ? 7 : 3
    let type: UInt8 = password == nil ? 1 : 2
    if minor == 3 {
      put32(UInt32(type))
      chooseSecurity(type)
    } else {
      output += [1, type]
      state = .security
    }
  }

  private func chooseSecurity(_ type: UInt8) {
    guard type == (password == nil ? 1 : 2) else {
      isClosed = true
      return
    }
    guard password != nil else {
      if minor == 8 { put32(0) }
      state = .initialization
      return
    }
    let challenge = RFBAuthentication.challenge()
    output += challenge
    state = .response(challenge)
  }

  private func check(_ challenge: [UInt8]) {
    let expected = RFBAuthentication.response(to: challenge, password: password ?? "")
    let isRight = zip(expected, input[0..<16]).reduce(UInt8(0)) { $0 | $1.0 ^ $1.1 } == 0
    put32(isRight ? 0 : 1)
    if isRight {
      state = .initialization
    } else {
      if minor == 8 { put("the password is wrong") }
      send()
      isClosed = true
    }
  }

  private func initialize() {
    size = (source.width, source.height)
    put16(size.width)
    put16(size.height)
    output += RFBPixelFormat.native.bytes
    put(name)
    damage = DamagedLines(width: size.width, height: size.height)
    state = .ready
  }

  private func perform(_ type: UInt8) -> Int? {
    switch type {
    case 0:
      return need(20) {
        guard let format = RFBPixelFormat(input[4..<20]) else {
          isClosed = true
          return
        }
        self.format = format
        damage.all()
      }
    case 2:
      guard input.count >= 4 else { return nil }
      let count = word16(2)
      return need(4 + 4 * count) { setEncodings((0..<count).map { Int32(bitPattern: word32(4 + 4 * $0)) }) }
    case 3:
      return need(10) {
        request = FrameRectangle(x: word16(2), y: word16(4), width: word16(6), height: word16(8))
        if input[1] == 0, let request { damage.add(request) }
      }
    case 4: return need(8) { keyChanged?(word32(4), input[1] != 0) }
    case 5: return need(6) { pointerMoved?(min(word16(2), size.width - 1), min(word16(4), size.height - 1), input[1]) }
    case 6: return need(8) { skipped = Int(word32(4)) }
    default:
      isClosed = true
      return nil
    }
  }

  private func setEncodings(_ list: [Int32]) {
    knowsSizes = list.contains(Encoding.desktopSize)
    // The stream goes on if the client takes it up again.
    if list.contains(Encoding.zrle) { compressor = compressor ?? ZRLEStream() } else { compressor = nil }
  }

  // MARK: Pictures

  func pictureChanged(_ part: FrameRectangle) { damage.add(part) }

  /// Sends what the client has asked for and does not have, unless it is still busy with what it has got.
  func update() {
    guard isReady, !isClosed, !wantsToSend, let request else { return }
    if size != (source.width, source.height) { return changeSize() }
    let parts = damage.take(inside: request)
    guard !parts.isEmpty else { return }
    self.request = nil
    output += [0, 0]
    put16(parts.count)
    for part in parts {
      header(part, compressor == nil ? Encoding.raw : Encoding.zrle)
      if let compressor { output += compressor.encode(source, part, format) } else { putRaw(part) }
    }
    send()
  }

  private func header(_ part: FrameRectangle, _ encoding: Int32) {
    [part.x, part.y, part.width, part.height].forEach(put16)
    put32(UInt32(bitPattern: encoding))
  }

  private func putRaw(_ part: FrameRectangle) {
    output.reserveCapacity(output.count + part.width * part.height * format.size)
    for y in part.y..<part.y + part.height {
      let line = source.pixels + y * source.stride + 4 * part.x
      if format == .native {
        output += UnsafeRawBufferPointer(start: line, count: 4 * part.width)
      } else {
        for x in 0..<part.width { format.append(line.load(fromByteOffset: 4 * x, as: UInt32.self), to: &output) }
      }
    }
  }

  private func changeSize() {
    guard knowsSizes else {
      isClosed = true
      return
    }
    size = (source.width, source.height)
    request = nil
    damage = DamagedLines(width: size.width, height: size.height)
    output += [0, 0, 0, 1]
    header(FrameRectangle(x: 0, y: 0, width: size.width, height: size.height), Encoding.desktopSize)
    send()
  }
}
