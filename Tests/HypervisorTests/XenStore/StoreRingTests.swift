import Hypervisor
import Testing

/// Guests that do not keep to the protocol.
@Suite("XenStore rings") struct StoreRingTests {
  let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  @Test func indicesThatCannotBeDropTheConnection() throws {
    for (offset, value) in [(0x804, 1025), (0x804, .max), (0x80C, 1025)] as [(UInt64, UInt32)] {
      let fixture = try StoreFixture()
      let guest = try fixture.client(3)
      if offset == 0x80C {
        // Something has to be on its way.
        #expect(try guest.ask(4, "a|t|") == "OK|")
      }
      guest.setWord(offset, guest.word(offset) &+ value)
      try? guest.notify()
      if offset == 0x80C { try fixture.store.write("/local/domain/3/a", "1") }
      #expect(fixture.dropped.count == 1 && fixture.dropped.first?.0 == 3, "\(offset)")
      #expect(!fixture.store.isIntroduced(3) && fixture.store.exists("/local/domain/3"))
      // Its memory is not touched any more.
      let before = guest.word(0x80C)
      try fixture.store.write("/local/domain/3/a", "2")
      #expect(guest.word(0x80C) == before)
    }
  }

  @Test func aRequestThatIsTooLong() throws {
    let guest = try fixture.client(3)
    var header = [UInt8](repeating: 0, count: 16)
    header.setField(0, 2 as UInt32)
    header.setField(12, 4097 as UInt32)
    try guest.send(header)
    #expect(fixture.dropped.count == 1)
  }

  @Test func messagesInPieces() throws {
    let guest = try fixture.client(3)
    let message = StoreClient.bytes(.init(kind: 11, request: 5, payload: [UInt8]("a\0value".utf8)))
    for byte in message { try guest.send([byte]) }
    #expect(try guest.messages() == [.init(kind: 11, request: 5, payload: [UInt8]("OK\0".utf8))])
    // Two in one piece, and the ring wraps.
    for index in 0..<200 as Range<UInt32> {
      let read = StoreClient.bytes(.init(kind: 2, request: index, payload: [UInt8]("a\0".utf8)))
      try guest.send(read + read)
      let answer = StoreClient.Message(kind: 2, request: index, payload: [UInt8]("value".utf8))
      #expect(try guest.messages() == [answer, answer])
    }
  }

  /// A guest that never reads its answers: its requests wait, and events do not pile up for ever.
  @Test func aGuestThatDoesNotRead() throws {
    let guest = try fixture.client(3)
    #expect(try guest.ask(4, "a|t|") == "OK|")
    for index in 0..<6000 { try fixture.store.write("/local/domain/3/a/n\(index)", "x") }
    #expect(fixture.dropped.count == 1)
    // The same event again and again is one.
    let patient = try fixture.client(4)
    #expect(try patient.ask(4, "a|t|") == "OK|")
    for _ in 0..<6000 { try fixture.store.write("/local/domain/4/a", "x") }
    #expect(fixture.dropped.count == 1)
    let events = try patient.takeWatchEvents()
    #expect(events.count > 1 && events.count < 60 && Set(events) == ["a t"])
  }

  /// Random bytes, random indices: the store lives, the other guest's connection works.
  @Test(arguments: [21, 22, 23] as [UInt64]) func noise(seed: UInt64) throws {
    print("XenStore, seed \(seed)")
    var random = SeededGenerator(state: seed)
    let good = try fixture.client(9)
    #expect(try good.ask(11, "own|1") == "OK|")
    for number in 10..<20 as Range<UInt16> {
      let bad = try fixture.client(number)
      for _ in 0..<300 where fixture.store.isIntroduced(number) {
        switch Int.random(in: 0...99, using: &random) {
        case 0: bad.setWord([0x800, 0x804, 0x808, 0x80C].randomElement(using: &random) ?? 0, .random(in: 0...2000, using: &random))
        default:
          let paths = ["a", "/local/domain/9/own", "a/b/c", "/", "@x", "", "/local/domain/\(number)", "../x"]
          let texts = (0..<Int.random(in: 0...3, using: &random)).map { _ in paths.randomElement(using: &random) ?? "" }
          let payload = texts.joined(separator: "|") + (["|", "", "|T|", "|n\(number)|"].randomElement(using: &random) ?? "")
          var message = StoreClient.bytes(
            .init(
              kind: .random(in: 0...23, using: &random), transaction: .random(in: 0...3, using: &random),
              payload: [UInt8](payload.utf8).map { $0 == UInt8(ascii: "|") ? 0 : $0 }))
          if UInt8.random(in: 0...99, using: &random) == 0 { message[Int.random(in: 0..<message.count, using: &random)] ^= 0x80 }
          try? bad.send(message)
        }
        try? bad.notify()
      }
    }
    #expect(try good.ask(2, "own|") == "1")
    #expect(fixture.store.isIntroduced(9) && fixture.store.statistics.requests > 500)
  }
}
