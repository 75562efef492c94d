/// Takes gdb's packets out of a stream of bytes: `$data#checksum`, with `}` in front of bytes that mean something else.
///
/// Whatever comes, it takes no more than ``limit`` bytes of memory.
public struct PacketReader: Sendable {
  public enum Event: Equatable, Sendable {
    case packet([UInt8])
    /// A packet that is damaged or too long.
    case garbage
    case acknowledged
    case rejected
    /// Ctrl-C.
    case interrupt
  }

  /// Bytes of a packet's contents, which is what gdb is told.
  public static let limit = 0x4000

  private enum State { case between, data, firstDigit, secondDigit(UInt8?) }
  private var state = State.between
  private var contents: [UInt8] = []
  private var checksum: UInt8 = 0
  private var isEscaped = false
  private var isTooLong = false

  public init() {}

  public mutating func take(_ bytes: some Sequence<UInt8>) -> [Event] { bytes.compactMap { take($0) } }

  private mutating func take(_ byte: UInt8) -> Event? {
    switch state {
    case .between:
      switch byte {
      case UInt8(ascii: "$"):
        begin()
        return nil
      case UInt8(ascii: "+"): return .acknowledged
      case UInt8(ascii: "-"): return .rejected
      case 3: return .interrupt
      default: return nil
      }
    case .data:
      if byte == UInt8(ascii: "#") {
        state = .firstDigit
      } else if byte == UInt8(ascii: "$") {
        // The end of the one before has been lost.
        begin()
        return .garbage
      } else {
        add(byte)
      }
      return nil
    case .firstDigit:
      state = .secondDigit(Self.digit(byte))
      return nil
    case .secondDigit(let first):
      state = .between
      guard let first, let second = Self.digit(byte), first << 4 | second == checksum, !isTooLong, !isEscaped else {
        return .garbage
      }
      return .packet(contents)
    }
  }

  private mutating func begin() {
    state = .data
    contents.removeAll(keepingCapacity: true)
    checksum = 0
    isEscaped = false
    isTooLong = false
  }

  private mutating func add(_ byte: UInt8) {
    checksum &+= byte
    guard !isTooLong else { return }
    if isEscaped {
      isEscaped = false
      contents.append(byte ^ 0x20)
    } else if byte == UInt8(ascii: "}") {
      isEscaped = true
    } else {
      contents.append(byte)
    }
    isTooLong = contents.count > Self.limit
  }

  static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// A packet with these contents.
  public static func frame(_ contents: [UInt8]) -> [UInt8] {
    var result = [UInt8(ascii: "$")]
    result.reserveCapacity(contents.count + 4)
    for byte in contents {
      // '*' would be the mark of a repetition.
      if "#$}*".utf8.contains(byte) { result += [UInt8(ascii: "}"), byte ^ 0x20] } else { result.append(byte) }
    }
    let sum = result.dropFirst().reduce(UInt8(0), &+)
    return result + [UInt8(ascii: "#")] + hexadecimal([sum])
  }

  static func hexadecimal(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }

  /// Nil: not pairs of digits.
  static func bytes(_ hexadecimal: some Collection<UInt8>) -> [UInt8]? {
    guard hexadecimal.count % 2 == 0 else { return nil }
    var result: [UInt8] = []
    var high: UInt8?
    for character in hexadecimal {
      guard let digit = digit(character) else { return nil }
      if let first = high {
        result.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return result
  }
}
