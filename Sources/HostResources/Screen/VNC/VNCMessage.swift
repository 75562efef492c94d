import CVNC

#if canImport(Glibc)
  import Glibc
#endif

/// What ``VNCServer`` and its ``VNCProcess`` tell each other: packets of 32-bit words on a pair of sockets, each as a whole or not at all.
enum VNCMessage: Equatable {
  // To the process.
  /// The shared picture has another size: all of it is new.
  case size(width: Int, height: Int)
  case damage(FrameRectangle)
  // From it.
  /// Clients have come, or (negative) gone.
  case clients(Int)
  case key(symbol: UInt32, isDown: Bool)
  case pointer(x: Int, y: Int, buttons: UInt8)

  private var words: [Int32] {
    switch self {
    case .size(let width, let height): [0, Int32(width), Int32(height)]
    case .damage(let part): [1, Int32(part.x), Int32(part.y), Int32(part.width), Int32(part.height)]
    case .clients(let change): [2, Int32(change)]
    case .key(let symbol, let isDown): [3, Int32(bitPattern: symbol), isDown ? 1 : 0]
    case .pointer(let x, let y, let buttons): [4, Int32(x), Int32(y), Int32(buttons)]
    }
  }

  private init?(_ words: ArraySlice<Int32>) {
    let w = Array(words)
    switch (w.first, w.count) {
    case (0, 3): self = .size(width: Int(w[1]), height: Int(w[2]))
    case (1, 5): self = .damage(FrameRectangle(x: Int(w[1]), y: Int(w[2]), width: Int(w[3]), height: Int(w[4])))
    case (2, 2): self = .clients(Int(w[1]))
    case (3, 3): self = .key(symbol: UInt32(bitPattern: w[1]), isDown: w[2] != 0)
    case (4, 4): self = .pointer(x: Int(w[1]), y: Int(w[2]), buttons: UInt8(truncatingIfNeeded: w[3]))
    default: return nil
    }
  }

  /// False: there is no room now, or nobody at the other end. Does not wait unless it is told to.
  @discardableResult
  func send(to socket: Int32, waits: Bool = false) -> Bool {
    let words = self.words
    let size = words.count * MemoryLayout<Int32>.size
    return Glibc.send(socket, words, size, Int32(MSG_NOSIGNAL) | (waits ? 0 : Int32(MSG_DONTWAIT))) == size
  }

  enum Reception {
    case message(VNCMessage)
    case nothing
    case closed
  }

  /// The next packet that is there.
  static func receive(from socket: Int32) -> Reception {
    while true {
      var words = [Int32](repeating: 0, count: 8)
      let size = recv(socket, &words, words.count * MemoryLayout<Int32>.size, Int32(MSG_DONTWAIT))
      if size < 0 && errno == EINTR { continue }
      if size < 0 && errno == EAGAIN { return .nothing }
      guard size > 0 else { return .closed }
      if let message = VNCMessage(words[..<(size / MemoryLayout<Int32>.size)]) { return .message(message) }
    }
  }
}
