import Inspection
import Testing

/// The framing of gdb's manual, "GDB Remote Serial Protocol", Overview.
@Suite("gdb's packets") struct PacketReaderTests {
  private func take(_ text: String) -> [PacketReader.Event] {
    var reader = PacketReader()
    return reader.take(Array(text.utf8))
  }
  private func packet(_ text: String) -> PacketReader.Event { .packet(Array(text.utf8)) }

  /// The checksum is the sum of the characters modulo 256.
  @Test func frames() {
    #expect(take("$g#67") == [packet("g")])
    #expect(take("+$OK#9a-") == [.acknowledged, packet("OK"), .rejected])
    #expect(take("$#00") == [packet("")])
    #expect(take("\u{3}") == [.interrupt])
    #expect(String(decoding: PacketReader.frame(Array("OK".utf8)), as: UTF8.self) == "$OK#9a")
  }

  /// `}` and the character exclusive-or 0x20; the checksum is of what travels.
  @Test func escapes() {
    #expect(take("$}\u{3}#80") == [packet("#")])
    #expect(String(decoding: PacketReader.frame([0x23]), as: UTF8.self) == "$}\u{3}#80")
    for byte in UInt8.min...UInt8.max {
      var reader = PacketReader()
      #expect(reader.take(PacketReader.frame([1, byte, 2])) == [.packet([1, byte, 2])])
    }
  }

  @Test func inPieces() {
    var reader = PacketReader()
    var events: [PacketReader.Event] = []
    for byte in "$qSupported:a+#".utf8 { events += reader.take([byte]) }
    #expect(events.isEmpty)
    let sum = "qSupported:a+".utf8.reduce(UInt8(0), &+)
    let digits = String(sum, radix: 16)
    events += reader.take(Array((digits.count < 2 ? "0" : "").utf8) + Array(digits.utf8))
    #expect(events == [packet("qSupported:a+")])
  }

  @Test func damaged() {
    #expect(take("$g#68") == [.garbage])
    #expect(take("$g#zz") == [.garbage])
    // A packet without end, then a whole one.
    #expect(take("$qqqq$g#67") == [.garbage, packet("g")])
    // An escape with nothing behind it.
    #expect(take("$}#7d") == [.garbage])
    // Between packets nothing else means anything.
    #expect(take("hello\n$g#67world") == [packet("g")])
  }

  @Test func tooLong() {
    var reader = PacketReader()
    let long = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
    #expect(reader.take([UInt8(ascii: "$")] + long + Array("#00".utf8)) == [.garbage])
    #expect(reader.take(Array("$g#67".utf8)) == [packet("g")])
  }
}
