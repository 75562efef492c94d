import Foundation
import HostResources
import Testing

/// The oracle is tshark: what it reads is what was captured.
@Suite struct CaptureTests {
  static let tshark = "/usr/bin/tshark"
  static var isThere: Bool {
    FileManager.default.isExecutableFile(atPath: tshark) || ProcessInfo.processInfo.environment["CI"] == "true"
  }

  @Test(.enabled(if: isThere, "skipped: no tshark; `make test-packages` installs it")) func tsharkReadsIt() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-\(UUID().uuidString).pcapng").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let timeline = TestTimeline()
    let bridge = SoftwareBridge(name: "b")
    let (a, b) = (MACAddress.automatic(index: 0), MACAddress.automatic(index: 1))
    do {
      let file = try CaptureFile(path: path)
      let first = CapturingPort(try bridge.connect(timeline), into: file, name: "nic0", address: a, timeline: timeline)
      let second = CapturingPort(try bridge.connect(timeline), into: file, name: "nic1", address: b, timeline: timeline)
      timeline.run(until: 3 * timeline.cyclesPerSecond / 2 + 8)
      first.send(Frame.make(to: b, from: a, payload: [UInt8](repeating: 7, count: 47)))
      timeline.run(until: 2 * timeline.cyclesPerSecond)
      #expect(second.receive()?.count == 61)
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.tshark)
    process.arguments = [
      "-r", path, "-T", "fields", "-E", "separator=;", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.interface_name",
      "-e", "eth.src", "-e", "eth.dst", "-e", "frame.packet_flags_direction",
    ]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(complaints)")
    // 2024-01-01 00:00:01.5 and 5 ns; direction 2 is outbound, 1 inbound.
    #expect(
      text.split(separator: "\n") == [
        "1704067201.500000005;61;nic0;00:16:3e:00:00:01;00:16:3e:00:00:02;0x00000002",
        "1704067202.000000000;61;nic1;00:16:3e:00:00:01;00:16:3e:00:00:02;0x00000001",
      ], "\(text)")
  }

  @Test func aFileThatCannotBeWritten() throws {
    #expect(throws: NetworkError("cannot write /nowhere/x: No such file or directory")) { try CaptureFile(path: "/nowhere/x") }
    let file = try CaptureFile(path: "/dev/full")
    let number = file.addInterface(name: "n", address: .broadcast)
    file.append([UInt8](repeating: 0, count: 100_000), interface: number, nanoseconds: 0, direction: .inbound)
    #expect(file.failure?.description == "cannot write /dev/full: No space left on device")
  }
}
