import Foundation
import Testing

/// A client of RFB (RFC 6143) in Python, in a process of its own: told what to do line by line, it says how that went.
enum ScreenClient {
  /// `wait X Y RRGGBB`: until a pixel has a colour; `key SYMBOL`, `press SYMBOL`, `release SYMBOL`; `pointer X Y BUTTONS`; `size`.
  static let script = """
    import socket, struct, sys, time
    s = socket.create_connection(('127.0.0.1', 5900 + int(sys.argv[1])), timeout=60)
    def get(n):
        b = b''
        while len(b) < n:
            c = s.recv(n - len(b))
            if not c: raise EOFError
            b += c
        return b
    get(12); s.sendall(b'RFB 003.008\\n'); types = get(get(1)[0]); assert types == b'\\1', types
    s.sendall(b'\\1'); assert get(4) == bytes(4)
    s.sendall(b'\\1'); w, h = struct.unpack('>HH', get(4)); get(16); name = get(struct.unpack('>I', get(4))[0]).decode()
    s.sendall(bytes([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]) + struct.pack('>BxHii', 2, 2, 0, -223))
    screen = {}
    def update():
        global w, h
        s.sendall(struct.pack('>BBHHHH', 3, 1 if screen else 0, 0, 0, w, h))
        kind, count = struct.unpack('>BxH', get(4)); assert kind == 0, kind
        for _ in range(count):
            x, y, rw, rh, encoding = struct.unpack('>HHHHi', get(12))
            if encoding == -223: w, h = rw, rh; screen.clear(); continue
            data = struct.unpack('<%dI' % (rw * rh), get(4 * rw * rh))
            for n, v in enumerate(data): screen[x + n % rw, y + n // rw] = v & 0xffffff
    update()
    for line in sys.argv[2:]:
        word, *rest = line.split()
        if word == 'wait':
            x, y, v = int(rest[0]), int(rest[1]), int(rest[2], 16)
            while screen.get((x, y)) != v: update()
        if word in ('key', 'press'): s.sendall(struct.pack('>BBHI', 4, 1, 0, int(rest[0], 16)))
        if word in ('key', 'release'): s.sendall(struct.pack('>BBHI', 4, 0, 0, int(rest[0], 16)))
        if word == 'pointer': s.sendall(struct.pack('>BBHH', 5, int(rest[2]), int(rest[0]), int(rest[1])))
        if word == 'size': print(w, h, name, flush=True)
        if word == 'sleep': time.sleep(float(rest[0]))
    """

  /// What it has printed; its complaints if it has failed.
  static func run(display: Int, _ commands: String...) throws -> String {
    let result = try HostTool.run("python3", ["-c", script, "\(display)"] + commands)
    #expect(result.status == 0, "\(result.text)")
    return result.text
  }
}

/// A PNG file's pixels, by Python.
enum ScreenPicture {
  private static let script = """
    import struct, sys, zlib
    d = open(sys.argv[1], 'rb').read()
    p, data = 8, b''
    while p < len(d):
        n, kind = struct.unpack('>I4s', d[p:p+8])
        if kind == b'IHDR': w, h = struct.unpack('>II', d[p+8:p+16])
        if kind == b'IDAT': data += d[p+8:p+8+n]
        p += 12 + n
    raw = zlib.decompress(data)
    print(w, h)
    for y in range(h): print(raw[y * (1 + 3 * w) + 1:(y + 1) * (1 + 3 * w)].hex())
    """

  static func read(_ path: String) throws -> (width: Int, height: Int, lines: [String]) {
    let lines = try HostTool.run("python3", ["-c", script, path]).text.split(separator: "\n").map(String.init)
    let size = try #require(lines.first).split(separator: " ").compactMap { Int($0) }
    try #require(size.count == 2, "\(lines.first ?? "")")
    return (size[0], size[1], Array(lines.dropFirst()))
  }
}
