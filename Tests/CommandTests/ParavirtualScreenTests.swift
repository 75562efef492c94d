import Foundation
import TestSupport
import Testing

/// A PV guest that draws, seen in a file and over VNC, and what is typed in front of it. `GuestImages/pv/screen.c` says what it draws.
@Suite(
  "Screens of PV domains", .enabled(if: HostTool.shouldRun("python3"), "skipped: no python3"), .serialized,
  .ends(withinMinutes: 5))
struct ParavirtualScreenTests {
  /// Red, green and blue are x XOR y, y and x.
  private static let pattern = (0..<200).map { y in
    (0..<320).map { x in [x ^ y, y, x].map { hexadecimal(UInt8(truncatingIfNeeded: $0)) }.joined() }.joined()
  }
  private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  private func expectPattern(_ path: String) throws {
    let picture = try ScreenPicture.read(path)
    #expect(picture.width == 320 && picture.height == 200)
    #expect(picture.lines == Self.pattern)
  }

  @Test func picture() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("screen.png").path
    let result = try Epicure.run([
      "boot", "--virtualization", "pv", "--memory", "128M", "--limit-seconds", "60", "--kernel", ParavirtualTests.image.path,
      "--append", "screen", "--screenshot", path, "--until", "SHOWS A PICTURE",
    ])
    #expect(result.status == 0, "\(result.text) \(result.errors)")
    try expectPattern(path)
  }

  /// The self-check's part: events around the ring, another size (the upper left quarter), both ends closed. The last picture stays, with a
  /// white square of 16 by 16 at (30, 20).
  @Test func checksItself() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("screen.png").path
    let statistics = folder.url.appendingPathComponent("stats.json").path
    let result = try Epicure.run([
      "boot", "--virtualization", "pv", "--memory", "256M", "--limit-seconds", "60", "--kernel", ParavirtualTests.image.path,
      "--screenshot", path, "--stats", statistics,
    ])
    #expect(result.status == 0 && result.text.contains("PV GUEST PASSED") && !result.text.contains("FAIL"), "\(result.text)")
    let picture = try ScreenPicture.read(path)
    #expect(picture.width == 160 && picture.height == 100)
    let expected = (0..<100).map { y in
      let plain = Self.pattern[y].prefix(6 * 160)
      guard 20..<36 ~= y else { return String(plain) }
      return plain.prefix(6 * 30) + String(repeating: "f", count: 6 * 16) + plain.dropFirst(6 * 46)
    }
    #expect(picture.lines == expected)
    // The picture, 255 updates, the new size, and the square.
    let devices = try #require(
      (JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: statistics))) as? [String: Any])?["devices"]
        as? [String: [String: Int]])
    #expect(devices["vfb0"]?["requests"] == 258 && devices["vfb0"]?["refusals"] == 0, "\(devices["vfb0"] ?? [:])")
  }

  /// `boot --vnc`: the clients' keys and pointer, too.
  @Test func keyboardAndPointer() throws {
    let folder = try TemporaryFolder()
    let picture = folder.url.appendingPathComponent("screen.png").path
    let guest = try PseudoTerminal([
      "boot", "--virtualization", "pv", "--memory", "128M", "--kernel", ParavirtualTests.image.path, "--append", "screen", "--vnc",
      "auto", "--screenshot", picture, "--until", "key 57 down",
    ])
    let text = try guest.expect("SHOWS A PICTURE")
    let display = try #require(
      text.components(separatedBy: "the screen is at 127.0.0.1, display ").last.flatMap { Int($0.prefix { $0.isNumber }) },
      "\(text)")
    let size = try ScreenClient.run(
      display: display, "wait 10 20 1e140a", "wait 319 199 f8c73f", "size", "pointer 100 50 0", "press 61", "wait 110 60 ffffff",
      "release 61", "wait 110 60 523c6e")
    #expect(size == "320 200 epicure\n")
    _ = try guest.expect("pointer 100 50")
    _ = try guest.expect("key 30 down")
    _ = try guest.expect("key 30 up")
    // The left button, at another place; and the space bar.
    _ = try ScreenClient.run(display: display, "pointer 7 9 1", "press 20", "sleep 1")
    _ = try guest.expect("pointer 7 9")
    _ = try guest.expect("key 272 down")
    #expect(try guest.wait() == 0)
  }

  @Test func portThatIsTaken() throws {
    let first = try PseudoTerminal([
      "boot", "--virtualization", "pv", "--memory", "128M", "--kernel", ParavirtualTests.image.path, "--append", "screen", "--vnc",
      "auto",
    ])
    let text = try first.expect("SHOWS A PICTURE")
    let display = try #require(
      text.components(separatedBy: "the screen is at 127.0.0.1, display ").last.flatMap { Int($0.prefix { $0.isNumber }) },
      "\(text)")
    let result = try Epicure.run([
      "boot", "--virtualization", "pv", "--memory", "128M", "--kernel", ParavirtualTests.image.path, "--append", "screen", "--vnc",
      "\(display)",
    ])
    #expect(result.status == 2)
    #expect(
      result.errors
        == "epicure: VNC: cannot listen at 127.0.0.1, display \(display) (port \(5900 + display)): Address already in use\n")
  }

  /// Nobody who looks changes what the guest does: the same cycles with a screen that nobody watches.
  @Test func isDeterministic() throws {
    let folder = try TemporaryFolder()
    var runs: [String] = []
    for n in 0..<2 {
      let file = folder.url.appendingPathComponent("stats\(n).json").path
      let result = try Epicure.run([
        "boot", "--virtualization", "pv", "--memory", "128M", "--kernel", ParavirtualTests.image.path, "--append", "screen",
        "--vnc",
        "auto", "--until", "SHOWS A PICTURE", "--stats", file,
      ])
      #expect(result.status == 0, "\(result.errors)")
      let statistics = try #require(
        JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file))) as? [String: Any])
      runs.append("\(try #require(statistics["cycles"])) \(try #require(statistics["memory_hash"]))")
    }
    #expect(runs[0] == runs[1])
  }

  /// xm's `vfb`, `epicure screenshot`, and a client of the server's domain.
  @Test func domainOfAServer() throws {
    let server = try HostServer()
    // Above what others use, and not the same in two runs at a time.
    let display = 20_000 + Int(getpid()) % 20_000
    _ = try server.configuration(
      "pv.cfg",
      """
      name = 'pv'
      builder = 'linux'
      memory = 128
      kernel = '\(ParavirtualTests.image.path)'
      extra = 'screen'
      vfb = ['type=vnc,vncdisplay=\(display)']
      """)
    try server.run("create", "-q", "pv.cfg")
    #expect(try server.result(["console", "pv", "--until", "SHOWS A PICTURE"], seconds: 60).status == 0)
    let picture = server.folder.url.appendingPathComponent("screen.png").path
    try server.run("screenshot", "pv", picture)
    try expectPattern(picture)
    #expect(try ScreenClient.run(display: display, "size", "pointer 3 4 0", "key 61", "sleep 1") == "320 200 pv\n")
    let console = try server.result(["console", "pv", "--until", "key 30 up"], seconds: 60)
    #expect(console.status == 0 && console.text.contains("pointer 3 4"), "\(console.text)")
    try server.expectRefusal(
      "create", "-q", "pv.cfg", "name=two", "vfb=type=vnc,vncdisplay=\(display)", saying: "display \(display)")
    try server.expectRefusal("create", "-q", "pv.cfg", "name=two", "builder=hvm", saying: "vfb: only PV domains have it")
    #expect(server.stop() == 0)
  }
}
