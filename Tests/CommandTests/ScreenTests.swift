import Foundation
import TestSupport
import Testing

/// Linux on a VGA: what its console driver has written, read from the picture.
@Suite("Screens", .enabled(if: Guests.shouldRun, Guests.advice), .serialized, .ends(withinMinutes: 10))
struct ScreenTests {
  /// Finds the shapes of the adapter's characters in cells of 9 by 16 pixels of a PNG file; a line for each row.
  private static let reader = """
    import struct, sys, zlib
    d = open(sys.argv[1], 'rb').read()
    font = open(sys.argv[2], 'rb').read()
    p, data = 8, b''
    while p < len(d):
        n, kind = struct.unpack('>I4s', d[p:p+8])
        if kind == b'IHDR': w, h = struct.unpack('>II', d[p+8:p+16])
        if kind == b'IDAT': data += d[p+8:p+8+n]
        p += 12 + n
    raw = zlib.decompress(data)
    pixel = lambda x, y: raw[y * (1 + 3 * w) + 1 + 3 * x:][:3]
    shapes = {font[16*c:16*c+16]: chr(c) for c in range(126, 31, -1)}
    for row in range(h // 16):
        line = ''
        for column in range(w // 9):
            rows = bytes(sum(128 >> x for x in range(8) if any(pixel(9 * column + x, 16 * row + y))) for y in range(16))
            line += shapes.get(rows, '?')
        print(line.rstrip())
    """

  private func text(of picture: String) throws -> String {
    let font = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/Devices/Resources/cp437-8x16.font").standardizedFileURL.path
    return try HostTool.run("python3", ["-c", Self.reader, picture, font]).text
  }

  @Test(.enabled(if: HostTool.shouldRun("python3"), "skipped: no python3"), arguments: ["hvm", "none"])
  func console(_ mode: String) throws {
    let folder = try TemporaryFolder()
    let picture = folder.url.appendingPathComponent("screen.png").path
    let result = try Epicure.measured([
      "boot", "--virtualization", mode, "--kernel", try Guests.file("linux-6.1/vmlinux.gz").path, "--initrd",
      try Guests.file("linux-6.1/initramfs.cpio.gz").path, "--append", "console=tty0 console=ttyS0", "--screenshot", picture,
      "--until",
      "EPICURE GUEST READY",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("Console: colour VGA+ 80x25"))
    #expect(result.output.contains("pci 0000:00:1f.0: [1234:1111] type 00 class 0x030000"))
    let screen = try text(of: picture)
    #expect(screen.split(separator: "\n", omittingEmptySubsequences: false).count >= 25)
    #expect(screen.contains("Run /init as init process"), "\(screen)")
  }
}
