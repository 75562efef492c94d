import Foundation
import TestSupport
import Testing

/// Clients of the control socket that keep to no rule: the server goes on.
@Suite("Hostile clients", .serialized, .ends(withinMinutes: 3)) struct HostClientTests {
  private static let list = Array("{\"version\":1,\"command\":{\"list\":{\"domains\":[]}}}\n".utf8)

  private func isServing(_ server: HostServer) throws -> Bool {
    let client = try RawClient(server.socket)
    client.send(Self.list)
    return client.line().contains("Domain-0")
  }

  @Test func socketIsPrivate() throws {
    let server = try HostServer()
    let mode = try FileManager.default.attributesOfItem(atPath: server.socket)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  /// A server that was killed leaves its socket; the next one takes its place. A file that is no socket is left alone.
  @Test func staleSocket() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("control", Array("precious".utf8))
    let refused = try Epicure.run(["serve", "--socket", file])
    #expect(refused.status == 2 && refused.errors.contains("is no socket"), "\(refused.errors)")
    let long = "/tmp/" + String(repeating: "x", count: 200)
    let tooLong = try Epicure.run(["serve", "--socket", long])
    #expect(tooLong.status == 2 && tooLong.errors.contains("the host allows 107"), "\(tooLong.errors)")
  }

  @Test(arguments: [
    ("", "this is not a request"), ("[]", "this is not a request"), ("{}", "this is not a request"),
    ("{\"version\":1}", "not a command"), ("{\"version\":2,\"command\":{\"info\":{}}}", "protocol version 2"),
    ("{\"version\":1,\"command\":{\"explode\":{}}}", "not a command"),
    ("{\"version\":1,\"command\":{\"pause\":{}}}", "not a command"),
    ("{\"version\":1,\"command\":{\"pause\":{\"domain\":\"x\"}}}", "there is no domain"),
    ("{\"version\":1,\"command\":{\"setMemory\":{\"domain\":\"x\",\"mebibytes\":99999999999999999999}}}", "not a command"),
    ("{\"version\":1,\"command\":{\"crashReport\":{\"domain\":\"../../etc/passwd\"}}}", "no report"),
    ("{\"version\":1,\"command\":{\"console\":{\"domain\":\"0\",\"history\":true}}}", "Domain-0 is this server"),
  ])
  func answers(_ request: String, _ answer: String) throws {
    let server = try HostServer()
    let client = try RawClient(server.socket)
    client.send(Array(request.utf8) + [0x0A] + Self.list)
    #expect(client.line().contains(answer))
    #expect(client.line().contains("Domain-0"))
  }

  @Test func longLinesAndManyClients() throws {
    let server = try HostServer()
    let greedy = try RawClient(server.socket)
    greedy.send([UInt8](repeating: 0x7B, count: 6 << 20))
    #expect(greedy.line().contains("longer than"))
    #expect(try isServing(server))
    // Deep nesting.
    let deep = try RawClient(server.socket)
    deep.send([UInt8](repeating: 0x5B, count: 1 << 20) + [0x0A])
    #expect(deep.line().contains("not a request"))
    // Nobody who is silent keeps others out.
    let silent = try (0..<300).map { _ in try RawClient(server.socket) }
    #expect(try isServing(server))
    withExtendedLifetime(silent) {}
    // Nobody who does not read holds up the others.
    let deaf = try RawClient(server.socket)
    for _ in 0..<200 { deaf.send((0..<100).flatMap { _ in Self.list }) }
    #expect(try isServing(server))
    #expect(server.isRunning)
  }

  @Test(arguments: [UInt64(20071), 4711]) func noise(seed: UInt64) throws {
    let server = try HostServer()
    var random = SplitMix(state: seed)
    let seeds = [
      Self.list,
      Array(
        "{\"version\":1,\"command\":{\"create\":{\"file\":\"a\",\"contents\":\"bmFtZT0nYSc=\",\"overrides\":[\"x=1\"],\"folder\":\"/\",\"paused\":true}}}\n"
          .utf8),
      Array("{\"version\":1,\"command\":{\"pin\":{\"domain\":\"a\",\"processor\":0,\"to\":\"all\"}}}\n".utf8),
    ]
    for round in 0..<300 {
      let client = try RawClient(server.socket)
      var bytes = seeds[Int(random.next() % 3)]
      for _ in 0..<random.next() % 8 {
        let place = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 4 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        default: bytes += bytes[place...]
        }
        if bytes.isEmpty { bytes = [0x0A] }
      }
      client.send(bytes)
      if round % 3 == 0 { _ = client.line(seconds: 0.05) }
    }
    #expect(server.isRunning, "seed \(seed)")
    #expect(try isServing(server), "seed \(seed)")
  }

  private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
      return z ^ z >> 31
    }
  }
}
