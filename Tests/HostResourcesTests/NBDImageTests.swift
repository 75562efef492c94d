import Foundation
import HostResources
import TestSupport
import Testing

/// A program of the host that a test needs.
struct Tool {
  let name: String
  static let qemuImage = Tool(name: "qemu-img")
  static let nbdkit = Tool(name: "nbdkit")
  static let sgdisk = Tool(name: "sgdisk")
  static let losetup = Tool(name: "losetup")
  static let ip = Tool(name: "ip")

  private var url: URL? {
    ["/usr/bin", "/usr/sbin", "/sbin", "/usr/local/bin"].map { URL(fileURLWithPath: "\($0)/\(name)") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
  var shouldRun: Bool { url != nil || ProcessInfo.processInfo.environment["CI"] == "true" }
  var advice: Comment { "skipped: \(name) is missing; `make test-packages` installs it" }

  func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    let program: URL = try #require(url, advice)
    process.executableURL = program
    process.arguments = arguments
    try process.run()
    return process
  }

  func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    let program: URL = try #require(url, advice)
    process.executableURL = program
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}

/// qemu-img and nbdkit say what is in an image.
@Suite(.serialized, .ends(withinMinutes: 5)) struct NBDImageTests {
  let folder: StorageFolder
  init() throws { folder = try StorageFolder() }

  @Test(.enabled(if: Tool.qemuImage.shouldRun, Tool.qemuImage.advice)) func qcow2() throws {
    let raw = try folder.write("raw", pattern(1 << 20))
    let image = folder.path("image.qcow2")
    #expect(try Tool.qemuImage.run(["convert", "-f", "raw", "-O", "qcow2", raw, image]).status == 0)
    #expect(ImageFormat.probe(path: image) == .qcow2)
    var expected = pattern(1 << 20)
    do {
      let disk = try NBDImage(path: image, format: .qcow2)
      #expect(disk.size == 1 << 20)
      #expect(try disk.bytes(0, 1 << 20) == expected)
      try disk.put(65536 - 512, pattern(2048, 9))
      expected.replaceSubrange(65536 - 512..<65536 + 1536, with: pattern(2048, 9))
      try disk.flush()
      #expect(throws: StorageFailure.outside) { try disk.bytes(1 << 20, 512) }
      // qemu-nbd holds the image's lock.
      #expect(problem { _ = try NBDImage(path: image, format: .qcow2) }.contains("Failed to get"))
    }
    #expect(try Tool.qemuImage.run(["convert", "-U", "-f", "qcow2", "-O", "raw", image, folder.path("back")]).status == 0)
    #expect(try folder.read("back") == expected)
  }

  @Test(.enabled(if: Tool.qemuImage.shouldRun, Tool.qemuImage.advice)) func readOnly() throws {
    let image = folder.path("image.qcow2")
    #expect(try Tool.qemuImage.run(["create", "-q", "-f", "qcow2", image, "1M"]).status == 0)
    let disk = try NBDImage(path: image, format: .qcow2, readOnly: true)
    #expect(throws: StorageFailure.readOnly) { try disk.put(0, pattern(512)) }
    #expect(try disk.bytes(0, 512) == [UInt8](repeating: 0, count: 512))
  }

  /// qemu-nbd's own words, in one line.
  @Test(.enabled(if: Tool.qemuImage.shouldRun, Tool.qemuImage.advice)) func damagedImage() throws {
    let path = try folder.write("bad", pattern(4096))
    let message = problem { _ = try NBDImage(path: path, format: .qcow2) }
    #expect(message.hasPrefix("\(path): ") && message.contains("not in qcow2 format"), "\(message)")
    #expect(!message.contains("\n"))
    #expect(
      problem { _ = try NBDImage(path: "/nowhere", format: .qcow2) } == "/nowhere: cannot be opened: No such file or directory")
  }

  @Test(.enabled(if: Tool.nbdkit.shouldRun, Tool.nbdkit.advice)) func errorsOfTheServer() throws {
    let socket = folder.path("socket")
    let trigger = folder.path("trigger")
    let server = try Tool.nbdkit.start([
      "-f", "-U", socket, "--filter=error", "memory", "1M", "error=EIO", "error-pread-rate=100%", "error-file=\(trigger)",
    ])
    // A mask that was inherited may block SIGTERM.
    defer {
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    for _ in 0..<500 where !FileManager.default.fileExists(atPath: socket) { Thread.sleep(forTimeInterval: 0.01) }
    let disk = try NBDImage(uri: "nbd+unix:///?socket=\(socket)")
    try disk.put(512, pattern(512))
    #expect(try disk.bytes(512, 512) == pattern(512))
    _ = try folder.write("trigger", [])
    #expect(throws: StorageFailure.host(errno: EIO)) { try disk.bytes(512, 512) }
    try FileManager.default.removeItem(atPath: trigger)
    #expect(try disk.bytes(512, 512) == pattern(512))
    // The server goes away in the middle.
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
    #expect(throws: StorageFailure.self) { try disk.bytes(0, 512) }
  }

  @Test func nobodyThere() {
    #expect(problem { _ = try NBDImage(uri: "nbd+unix:///?socket=/nowhere") }.contains("No such file or directory"))
    #expect(problem { _ = try NBDImage(uri: "nbd:nonsense") } != "")
  }
}
