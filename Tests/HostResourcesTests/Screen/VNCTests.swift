import Foundation
import HostResources
import StorageTestSupport
import TestSupport
import Testing

@Suite(.serialized, .ends(withinMinutes: 5)) struct VNCTests {
  let world = OutsideWorld()
  let screen = TestScreen(width: 100, height: 70)
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_130

  private func server(password: String? = nil, program: String = BuiltProducts.epicure.path) throws -> VNCServer {
    try VNCServer(screen, name: "test", at: VNCAddress(display: nil), password: password, world: world, program: program)
  }
  private func client(_ server: VNCServer) throws -> RFBClient {
    try RFBClient(port: VNCServer.firstPort + server.display, world: world)
  }
  /// Gives the server its turns until something is so.
  private func wait(_ seconds: Double = 30, until condition: () -> Bool) {
    let end = ContinuousClock.now + .seconds(seconds)
    while !condition() && ContinuousClock.now < end {
      world.look()
      usleep(1000)
    }
    #expect(condition())
  }

  /// The worked example of J. Orlin Grabbe's "The DES Algorithm Illustrated", and FIPS 46's weak key of zeros.
  @Test func encryption() {
    #expect(DES(key: 0x1334_5779_9BBC_DFF1).encrypt(0x0123_4567_89AB_CDEF) == 0x85E8_1354_0F0A_B405)
    #expect(DES(key: 0).encrypt(0) == 0x8CA6_4DE9_C1B1_23A7)
  }

  @Test func pictures() throws {
    let server = try server()
    screen.paint(1)
    let client = try client(server)
    try client.shakeHands()
    #expect(client.width == 100 && client.height == 70 && client.name == "test")
    // The count is the process's, which tells it when it has time.
    wait { server.clientCount == 1 }
    client.choosePixels()
    try client.expect(screen.contents)
    #expect(client.picture == screen.contents)
    // Nothing but what has changed, when it has.
    client.ask(incremental: true)
    screen.set(7, 3, 0xAB_CDEF)
    screen.set(9, 3, 0x01_0203)
    #expect(try client.update() == [FrameRectangle(x: 7, y: 3, width: 3, height: 1)])
    #expect(client.picture == screen.contents)
    client.ask(incremental: true)
    for _ in 0..<200 {
      world.look()
      usleep(1000)
    }
    #expect(client.pendingBytes == 0)
  }

  @Test func changeOfSize() throws {
    let server = try server()
    let client = try client(server)
    try client.shakeHands()
    client.choosePixels()
    client.setEncodings([0, -223])
    client.ask(incremental: false)
    try client.update()
    client.ask(incremental: true)
    screen.resize(64, 32)
    while client.width != 64 { try client.update() }
    #expect(client.height == 32)
    try client.expect([UInt32](repeating: 0x12_3456, count: 64 * 32))
    #expect(client.picture == [UInt32](repeating: 0x12_3456, count: 64 * 32))
    withExtendedLifetime(server) {}
  }

  @Test func passwords() throws {
    let server = try server(password: "secret")
    let right = try client(server)
    try right.shakeHands { VNCAuthentication.response(to: $0, password: "secret") }
    wait { server.clientCount == 1 }
    for wrong in ["Secret", "", "secre"] {
      let client = try client(server)
      #expect(throws: RFBClient.Gone.self) {
        try client.shakeHands { VNCAuthentication.response(to: $0, password: wrong) }
      }
    }
    // Not to be had without.
    let client = try client(server)
    #expect(throws: RFBClient.Gone.self) { try client.shakeHands() }
  }

  /// In one process, libvncserver lets a client of this screen log in as if it were the other's, which has no password.
  @Test func passwordsOfOneScreenAreNotAnothers() throws {
    let open = try server()
    let closed = try server(password: "secret")
    let burglar = try client(closed)
    try burglar.begin()
    #expect(try burglar.securityTypes() == [2])
    let visitor = try client(open)
    try visitor.begin()
    #expect(try visitor.securityTypes() == [1])
    burglar.write([1])
    #expect(throws: RFBClient.Gone.self) { _ = try burglar.read(4) }
    visitor.write([1])
    #expect(try visitor.number(4) == 0)
    withExtendedLifetime((open, closed)) {}
  }

  @Test func oldVersions() throws {
    let server = try server()
    let client = try client(server)
    _ = try client.read(12)
    client.write(Array("RFB 003.003\n".utf8))
    #expect(try client.number(4) == 1)
    client.initialize()
    try client.serverInitialization()
    #expect(client.width == 100)
    withExtendedLifetime(server) {}
  }

  /// keysymdef.h and input-event-codes.h.
  @Test func keysAndPointer() throws {
    let server = try server()
    var keys: [String] = []
    var places: [String] = []
    server.keyChanged = { keys.append("\($0)\($1 ? "+" : "-")") }
    server.pointerMoved = { places.append("\($0),\($1),\($2)") }
    let client = try client(server)
    try client.shakeHands()
    for symbol in [0x61, 0x41, 0xFF0D, 0xFFBE, 0xFFC9, 0x5C, 0x123456] as [UInt32] {
      client.write([4, 1, 0, 0] + withUnsafeBytes(of: symbol.bigEndian) { Array($0) })
    }
    client.write([4, 0, 0, 0, 0, 0, 0, 0x2F])
    client.write([5, 1, 0, 50, 0, 60, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF])
    wait { keys.count >= 7 && places.count >= 2 }
    #expect(keys == ["30+", "30+", "28+", "59+", "88+", "43+", "53-"])
    #expect(places == ["50,60,1", "99,69,0"])
  }

  /// Whatever is sent: the run loop waits for nothing, and others are served.
  @Test func hostileClients() throws {
    print("seed \(Self.seed)")
    var random = StorageRandom(state: Self.seed)
    let server = try server()
    screen.paint(3)
    let good = try client(server)
    try good.shakeHands()
    good.choosePixels()
    var longest = Duration.zero
    for round in 0..<60 {
      let bad = try client(server)
      if round % 3 != 0 { try? bad.shakeHands() }
      switch round % 5 {
      case 0: bad.write((0..<random.below(5000)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      // A message that never ends; one without an end in sight; a format of nonsense.
      case 1: bad.write([3, 0, 0])
      case 2: bad.write([6, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 65, count: 3000))
      case 3: bad.write([0, 0, 0, 0, 32, 24, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 99, 98, 97, 0, 0, 0])
      default:
        // Pictures that nobody takes.
        for _ in 0..<200 { bad.ask(incremental: false) }
        bad.write([2, 0, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 1000))
      }
      for _ in 0..<4 {
        let start = ContinuousClock.now
        world.look()
        longest = max(longest, ContinuousClock.now - start)
      }
      if round % 10 == 0 {
        screen.paint(UInt32(round))
        try good.expect(screen.contents)
        #expect(good.picture == screen.contents)
      }
      withExtendedLifetime(bad) {}
    }
    #expect(longest < .seconds(2))
    #expect(server.clientCount >= 1 && server.failures == 0)
  }

  /// Who speaks before the server does, and says too little for libvncserver to see that it is no web browser. Others come in.
  @Test(arguments: [1, 3, 4, 40]) func clientThatSpeaksFirst(count: Int) throws {
    let server = try server()
    let stays = try client(server)
    stays.write([UInt8](repeating: 0x52, count: count))
    do {
      let goes = try client(server)
      goes.write([UInt8](repeating: 0x52, count: count))
    }
    let good = try client(server)
    try good.shakeHands()
    good.choosePixels()
    screen.paint(4)
    try good.expect(screen.contents)
    #expect(good.picture == screen.contents)
    withExtendedLifetime(stays) {}
  }

  /// What clients do to the process, nobody else notices.
  @Test func processThatDies() throws {
    let server = try server()
    let first = try client(server)
    try first.shakeHands()
    wait { server.clientCount == 1 }
    _ = kill(try #require(server.processNumber), SIGKILL)
    wait { server.failures == 1 }
    #expect(server.clientCount == 0 && !server.mayDeliver)
    screen.paint(8)
    let second = try client(server)
    wait { server.processNumber != nil }
    try second.shakeHands()
    second.choosePixels()
    try second.expect(screen.contents)
    #expect(second.picture == screen.contents)
  }

  @Test func nineClients() throws {
    let server = try server()
    let clients = try (0..<8).map { _ in try client(server) }
    for client in clients { try client.shakeHands() }
    wait { server.clientCount == 8 }
    let ninth = try client(server)
    #expect(throws: RFBClient.Gone.self) { try ninth.shakeHands() }
    withExtendedLifetime(clients) {}
  }

  @Test func programThatIsNotThere() throws {
    #expect(problem { _ = try self.server(program: "/nowhere/epicure") } == "cannot start a VNC server: No such file or directory")
  }

  @Test func displays() throws {
    let first = try server()
    #expect(
      problem { _ = try VNCServer(screen, name: "", at: VNCAddress(display: first.display), world: world) }
        == "cannot listen at 127.0.0.1, display \(first.display) (port \(5900 + first.display)): Address already in use")
    #expect(try server().display > first.display)
    #expect(problem { _ = try VNCServer(screen, name: "", at: VNCAddress(host: "nowhere", display: nil), world: world) } != "")
    #expect(VNCAddress(parsing: ":3") == VNCAddress(display: 3) && VNCAddress(parsing: "3") == VNCAddress(display: 3))
    #expect(VNCAddress(parsing: "[::1]:auto") == VNCAddress(host: "::1", display: nil))
    #expect(VNCAddress(parsing: "0.0.0.0:7") == VNCAddress(host: "0.0.0.0", display: 7))
    for text in ["", "x", ":", ":-1", ":70000"] { #expect(VNCAddress(parsing: text) == nil) }
    withExtendedLifetime(first) {}
  }

  private static let decoder = """
    import sys, zlib, struct
    d = open(sys.argv[1], 'rb').read()
    assert d[:8] == b'\\x89PNG\\r\\n\\x1a\\n'
    p, data, kinds = 8, b'', []
    while p < len(d):
        n, kind = struct.unpack('>I4s', d[p:p+8])
        body = d[p+8:p+8+n]
        assert struct.unpack('>I', d[p+8+n:p+12+n])[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        if kind == b'IHDR': w, h, depth, color, c, f, i = struct.unpack('>IIBBBBB', body); assert (depth, color, c, f, i) == (8, 2, 0, 0, 0)
        if kind == b'IDAT': data += body
        p += 12 + n
    assert kinds == [b'IHDR', b'IDAT', b'IEND']
    raw = zlib.decompress(data)
    assert len(raw) == h * (1 + 3 * w)
    out = b''.join(raw[y*(1+3*w)+1:(y+1)*(1+3*w)] for y in range(h) if raw[y*(1+3*w)] == 0)
    print(w, h, out.hex())
    """

  /// Python reads what has been written.
  @Test(.enabled(if: Tool(name: "python3").shouldRun, "python3 is missing")) func png() throws {
    screen.paint(9)
    let folder = try StorageFolder()
    try PNGImage.write(screen, to: folder.path("x.png"))
    let result = try Tool(name: "python3").run(["-c", Self.decoder, folder.path("x.png")])
    let expected = screen.contents.flatMap { pixel in [16, 8, 0].map { UInt8(pixel >> $0 & 0xFF) } }
    let hexadecimal = expected.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(result.status == 0 && result.text == "100 70 \(hexadecimal)\n", "\(result.text.prefix(300))")
  }
}
