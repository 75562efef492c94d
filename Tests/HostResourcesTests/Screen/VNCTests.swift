import Foundation
import HostResources
import StorageTestSupport
import TestSupport
import Testing

@Suite(.serialized, .ends(withinMinutes: 5)) struct VNCTests {
  let world = OutsideWorld()
  let screen = TestScreen(width: 100, height: 70)
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_130

  private func server(password: String? = nil) throws -> VNCServer {
    try VNCServer(screen, name: "test", at: VNCAddress(display: nil), password: password, world: world)
  }
  private func client(_ server: VNCServer) throws -> RFBClient {
    try RFBClient(port: VNCServer.firstPort + server.display, world: world)
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
    #expect(client.width == 100 && client.height == 70 && client.name == "test" && server.clientCount == 1)
    client.ask(incremental: false)
    try client.update()
    #expect(client.picture == screen.contents)
    // Nothing but what has changed, when it has.
    client.ask(incremental: true)
    screen.set(7, 3, 0xAB_CDEF)
    screen.set(9, 3, 0x01_0203)
    #expect(try client.update() == [FrameRectangle(x: 7, y: 3, width: 3, height: 1)])
    #expect(client.picture == screen.contents)
  }

  @Test func changeOfSize() throws {
    let server = try server()
    let client = try client(server)
    try client.shakeHands()
    client.setEncodings([0, -223])
    client.ask(incremental: false)
    try client.update()
    client.ask(incremental: true)
    screen.resize(64, 32)
    try client.update()
    #expect(client.width == 64 && client.height == 32)
    client.ask(incremental: true)
    try client.update()
    #expect(client.picture == [UInt32](repeating: 0x12_3456, count: 64 * 32))
    withExtendedLifetime(server) {}
  }

  @Test func passwords() throws {
    let server = try server(password: "secret")
    let right = try client(server)
    try right.shakeHands { RFBAuthentication.response(to: $0, password: "secret") }
    #expect(server.clientCount == 1)
    for wrong in ["Secret", "", "secre"] {
      let client = try client(server)
      #expect(throws: RFBClient.Gone.self) {
        try client.shakeHands { RFBAuthentication.response(to: $0, password: wrong) }
      }
    }
    // Not to be had without.
    let client = try client(server)
    #expect(throws: RFBClient.Gone.self) { try client.shakeHands() }
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
    client.ask(incremental: false)
    try client.update()
    #expect(keys == ["30+", "30+", "28+", "59+", "88+", "43+", "53-"])
    #expect(places == ["50,60,1", "99,69,0"])
  }

  /// Whatever is sent: the server lives, waits for nothing, and serves others.
  @Test func hostileClients() throws {
    print("seed \(Self.seed)")
    var random = StorageRandom(state: Self.seed)
    let server = try server()
    screen.paint(3)
    let good = try client(server)
    try good.shakeHands()
    let start = ContinuousClock.now
    for round in 0..<150 {
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
      for _ in 0..<4 { world.look() }
      if round % 10 == 0 {
        good.ask(incremental: false)
        try good.update()
        #expect(good.picture == screen.contents)
      }
      withExtendedLifetime(bad) {}
    }
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(server.clientCount >= 1)
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

  private static let zrleClient = """
    import socket, struct, sys, zlib
    s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    def get(n):
        b = b''
        while len(b) < n:
            c = s.recv(n - len(b))
            assert c
            b += c
        return b
    assert get(12) == b'RFB 003.008\\n'
    s.sendall(b'RFB 003.008\\n'); get(get(1)[0]); s.sendall(b'\\1'); assert get(4) == bytes(4)
    s.sendall(b'\\1'); w, h = struct.unpack('>HH', get(4)); get(16); get(struct.unpack('>I', get(4))[0])
    # Red in the upper bits of 32, in big-endian order: three bytes of a pixel are sent.
    s.sendall(bytes([0, 0, 0, 0, 32, 24, 1, 1]) + struct.pack('>HHHBBB', 255, 255, 255, 24, 16, 8) + bytes(3))
    s.sendall(struct.pack('>BBHi', 2, 0, 1, 16))
    stream, screen = zlib.decompressobj(), [0] * (w * h)
    for turn in range(2):
        s.sendall(struct.pack('>BBHHHH', 3, 0, 0, 0, w, h))
        kind, count = struct.unpack('>BxH', get(4)); assert kind == 0
        for _ in range(count):
            x, y, rw, rh, encoding = struct.unpack('>HHHHi', get(12)); assert encoding == 16
            data = stream.decompress(get(struct.unpack('>I', get(4))[0])); p = 0
            for top in range(y, y + rh, 64):
                for left in range(x, x + rw, 64):
                    tw, th = min(64, x + rw - left), min(64, y + rh - top)
                    sub = data[p]; p += 1; assert sub in (0, 1)
                    for n in range(tw * th):
                        q = p + (3 * n if sub == 0 else 0)
                        screen[(top + n // tw) * w + left + n % tw] = data[q] << 16 | data[q + 1] << 8 | data[q + 2]
                    p += 3 * tw * th if sub == 0 else 3
            assert p == len(data)
    print(' '.join('%x' % v for v in screen))
    """

  /// A client in Python, whose zlib takes the tiles apart.
  @Test(.enabled(if: Tool(name: "python3").shouldRun, "python3 is missing")) func compressedPictures() throws {
    let server = try server()
    screen.paint(5)
    // Tiles of one colour, too.
    for y in 0..<64 {
      for x in 0..<64 { screen.set(x, y, 0x30_2010) }
    }
    let folder = try StorageFolder()
    let script = try folder.write("client.py", Array(Self.zrleClient.utf8))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [script, "\(VNCServer.firstPort + server.display)"]
    let output = try #require(FileHandle(forWritingAtPath: folder.write("output", [])))
    process.standardOutput = output
    process.standardError = output
    try process.run()
    for _ in 0..<10_000 where process.isRunning {
      world.look()
      usleep(1000)
    }
    process.waitUntilExit()
    let text = String(decoding: try folder.read("output"), as: UTF8.self)
    #expect(text == screen.contents.map { String($0, radix: 16) }.joined(separator: " ") + "\n", "\(text.prefix(300))")
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
