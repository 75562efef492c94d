import Foundation
import TestSupport
import Testing

/// `--record` and `epicure replay`: the same run once more, to the cycle, without the world that it was recorded in.
@Suite("Record and replay", .serialized, .ends(withinMinutes: 10)) struct ReplayTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }
  private func digest(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  // MARK: Console

  @Test(arguments: ["none", "hvm"]) func consoleInput(_ mode: String) throws {
    let text = "The quick brown fox jumps over the lazy dog."
    let recording = try Recording(
      ["--virtualization", mode, "--append", "echo"], in: folder, input: Array(text.utf8) + [4])
    #expect(recording.result.status == 0, "\(recording.result.errors)")
    #expect(recording.result.text.contains("echo: \(text)\r\n"))
    try recording.replay()
    // It can be repeated as often as one likes, by both names.
    let again = try Epicure.run(["boot", "--replay", recording.file])
    #expect(again.status == 0 && again.output == recording.result.output, "\(again.errors)")
  }

  @Test func paravirtual() throws {
    let disk = try folder.write("disk.img", [UInt8](repeating: 0, count: 4 << 20))
    let recording = try Recording(
      [
        "--virtualization", "pv", "--memory", "256M", "--kernel", ParavirtualTests.image.path, "--cpus", "2", "--append", "disk",
        "--disk", disk,
      ], in: folder, input: Array("for the console\n".utf8))
    #expect(recording.result.status == 0, "\(recording.result.text.suffix(2000))")
    let written = try digest(disk)
    #expect(written.contains { $0 != 0 })
    try recording.replay()
    #expect(try digest(disk) == written)
  }

  /// Two PV domains on a bridge, in processes of their own; one of them is recorded, and replays alone.
  @Test func paravirtualNetwork() throws {
    let kernel = ParavirtualTests.image.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/Commands/Resources/iobench.elf.gz").path
    let options = ["--virtualization", "pv", "--memory", "256M", "--kernel", kernel, "--nic", "bridge=lan,model=netfront"]
    let (file, stats) = (path("run.recording"), path("stats.json"))
    let peer = try BackgroundGuest(["boot"] + options + ["--append", "peer:vnif"], in: folder, name: "peer")
    let guest = try BackgroundGuest(
      ["boot"] + options + ["--append", "checknet:vnif", "--record", file, "--stats", stats], in: folder)
    let result = guest.finish(seconds: 200)
    withExtendedLifetime(peer) {}
    #expect(result.status == 0 && result.text.contains(" failed 0"), "\(result.text) \(result.errors)")
    let again = try Epicure.run(["replay", file, "--stats", path("again.json")])
    #expect(again.status == 0 && again.errors.contains("as it was recorded"), "\(again.errors)")
    #expect(again.text == result.text)
    let (one, two) = try (Recording.statistics(stats), Recording.statistics(path("again.json")))
    for key in ["cycles", "instructions", "memory_hash", "exits"] {
      #expect(try one[key] != nil && Recording.text(one[key]) == Recording.text(two[key]), "\(key)")
    }
  }

  // MARK: Linux

  private func linux(_ script: String, _ options: [String]) throws -> [String] {
    var archive = GuestArchive()
    archive.add(script: script, as: "script")
    let first = try Data(contentsOf: Guests.file("linux-6.1/initramfs.cpio.gz"))
    let initrd = try folder.write("guest.cpio", archive.behind(first))
    return try [
      "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", initrd, "--append", "console=ttyS0 run=sh_/script ip=dhcp",
    ] + options
  }

  /// Console input, a file over the network, and a disk that is written; two processors.
  @Test(
    .enabled(if: Guests.shouldRun, Guests.advice),
    arguments: [("none", "1", "e1000"), ("hvm", "2", "virtio"), ("hvm", "1", "e1000")])
  func linux(_ mode: String, _ processors: String, _ model: String) throws {
    let data = (0..<500_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
    let disk = try folder.write("disk.img", [UInt8](repeating: 0x5A, count: 8 << 20))
    let untouched = try folder.write("copy.img", [UInt8](repeating: 0x5A, count: 8 << 20))
    let original = try folder.write("original", data)
    let recording: Recording
    do {
      let server = try WebServer(sending: data, receivingTo: folder.url.appendingPathComponent("posted"))
      recording = try Recording(
        linux(
          """
          wget -q -O /tmp/f http://10.0.2.2:\(server.port)/f && echo "digest=$(md5sum </tmp/f)"
          dd if=/tmp/f of=/dev/sda bs=4k seek=3 conv=fsync 2>/dev/null && echo "written"
          until [ "$line" = "from the console" ]; do read line; done
          echo "line=$line"; date +%s
          """,
          ["--virtualization", mode, "--cpus", processors, "--nic", "user,model=\(model)", "--disk", disk]), in: folder,
        // What comes before the driver does is lost.
        input: Array((String(repeating: "early\n", count: 50) + "from the console\n").utf8))
    }
    let text = recording.result.text
    #expect(recording.result.status == 0, "\(recording.result.errors)")
    let digest = try HostTool.run("md5sum", [original]).text.prefix(32)
    #expect(
      text.contains("digest=\(digest)") && text.contains("written") && text.contains("line=from the console"),
      "\(text.suffix(2000))")
    #expect(recording.size < 5_000_000)

    // The web server has gone, and the disk is not what it was.
    let written = try self.digest(disk)
    #expect(try written != self.digest(untouched))
    try recording.replay()
    #expect(try self.digest(disk) == written)
    // A copy of what the disk was does as well, and one of something else does not.
    try recording.replay(["--disk", untouched])
    #expect(try self.digest(untouched) == Data(repeating: 0x5A, count: 8 << 20))
    let other = try folder.write("other.img", [UInt8](repeating: 0x5B, count: 8 << 20))
    let refused = try Epicure.run(["replay", recording.file, "--disk", other])
    #expect(refused.status == 2)
    #expect(refused.errors.contains("\(other): its contents are not those that were recorded"), "\(refused.errors)")
  }

  // MARK: Looking at a run afterwards

  @Test func endsEarlier() throws {
    let recording = try Recording(["--append", "echo"], in: folder, input: Array("abc".utf8) + [4])
    let early = try Epicure.run(["replay", recording.file, "--limit-seconds", "0.001"])
    #expect(early.status == 3, "\(early.errors)")
    #expect(early.errors.contains("replayed up to cycle"), "\(early.errors)")
    let matched = try Epicure.run(["replay", recording.file, "--until", "usable memory"])
    #expect(matched.status == 0, "\(matched.errors)")
    #expect(recording.result.output.starts(with: matched.output) && matched.output.count < recording.result.output.count)
  }

  @Test func screenOfTheRecording() throws {
    let recording = try Recording(["--append", "quiet", "--screenshot", path("one.png")], in: folder)
    #expect(recording.result.status == 0, "\(recording.result.errors)")
    try recording.replay(["--screenshot", path("two.png")])
    #expect(try digest(path("one.png")) == digest(path("two.png")))
    let without = try Recording(["--append", "quiet"], in: folder)
    let refused = try Epicure.run(["replay", without.file, "--screenshot", path("three.png")])
    #expect(refused.status == 2)
    #expect(
      refused.errors
        == "epicure: --vnc and --screenshot: the machine that was recorded had no screen, and cannot be given one\n")
  }

  // MARK: Mistakes

  @Test func changedKernel() throws {
    let kernel = path("kernel")
    try FileManager.default.copyItem(at: ParavirtualTests.image, to: URL(fileURLWithPath: kernel))
    let recording = try Recording(["--virtualization", "pv", "--memory", "256M", "--kernel", kernel], in: folder)
    #expect(recording.result.status == 0)
    let moved = path("moved")
    try FileManager.default.moveItem(atPath: kernel, toPath: moved)
    let missing = try Epicure.run(["replay", recording.file])
    #expect(missing.status == 2)
    #expect(
      missing.errors.hasSuffix("--kernel FILE says where it is now\n") && missing.errors.contains(kernel), "\(missing.errors)")
    try recording.replay(["--kernel", moved])
    _ = try folder.write("kernel", Array("something else".utf8))
    let changed = try Epicure.run(["replay", recording.file])
    #expect(changed.status == 2)
    #expect(changed.errors == "epicure: \(kernel): is not the kernel that was recorded; --kernel FILE says where it is now\n")
  }

  @Test(arguments: [
    (["--cpus", "2"], "--cpus does not go with a replay: the machine is the recording's."),
    (["--record", "x"], "--record does not go with a replay"), (["--nvram=x"], "--nvram does not go with a replay"),
  ]) func otherMachine(_ options: [String], _ message: String) throws {
    let recording = try Recording(["--append", "quiet"], in: folder)
    let refused = try Epicure.run(["replay", recording.file] + options)
    #expect(refused.status == 2)
    #expect(refused.errors.contains(message), "\(refused.errors)")
    #expect(refused.output.isEmpty)
  }

  /// Files that are cut off, changed, or something else: one line, status 2.
  @Test func hostile() throws {
    let recording = try Recording(["--append", "echo"], in: folder, input: Array("abc".utf8) + [4])
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: recording.file)))
    func refused(_ bytes: [UInt8], _ note: String) throws -> String {
      let file = try folder.write("hostile", bytes)
      let result = try Epicure.run(["replay", file])
      #expect(result.status == 2, "\(note)")
      #expect(result.errors.hasPrefix("epicure: \(file): ") && result.errors.count { $0 == "\n" } == 1, "\(note): \(result.errors)")
      return result.errors
    }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<12 {
      let length = Int.random(in: 0..<whole.count, using: &random)
      _ = try refused(Array(whole[..<length]), "length \(length)")
      var flipped = whole
      let (index, bit) = (Int.random(in: whole.indices, using: &random), UInt8.random(in: 0..<8, using: &random))
      flipped[index] ^= 1 << bit
      _ = try refused(flipped, "byte \(index) bit \(bit)")
    }
    #expect(try refused(whole + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], "absurd length").contains("is damaged"))
    #expect(try refused(whole + whole.suffix(200), "more behind the end").contains("is damaged"))
    #expect(try refused(Array("no recording at all".utf8), "text").contains("is not a recording of epicure"))
  }

  /// The process dies: what has been written is replayed as far as it goes.
  @Test func emulatorDies() throws {
    let file = path("run.recording")
    let process = Process()
    process.executableURL = Epicure.executable
    process.arguments = ["boot", "--append", "echo", "--record", file]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    defer { kill(process.processIdentifier, SIGKILL) }
    // What comes before the guest has set up its serial port is lost, as on a real one; what it says is written by lines.
    var said = Data()
    while !String(decoding: said, as: UTF8.self).contains("ACPI tables") {
      let more = output.fileHandleForReading.availableData
      try #require(!more.isEmpty, "the guest has ended")
      said += more
    }
    input.fileHandleForWriting.write(Data("abc".utf8))
    // What has been written down of a run that goes on is a recording that was cut off, too.
    let end = ContinuousClock.now + .seconds(60)
    while try !Epicure.run(["replay", file]).text.contains("echo: a") && ContinuousClock.now < end { usleep(200_000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let again = try Epicure.run(["replay", file])
    #expect(again.status == 2 && !again.crashed)
    #expect(again.errors.contains("the recording was cut off; it has been replayed up to its end"), "\(again.errors)")
    #expect(again.errors.count { $0 == "\n" } == 1)
    // It ends with the last thing that was written down: the guest has been given the rest, and has not answered yet.
    #expect(again.text.contains("echo: a"))
  }
}
