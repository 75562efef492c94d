import Foundation
import TestSupport
import Testing

/// The `epicure` executable beside the test bundle, run as a user runs it.
enum Epicure {
  struct Result {
    /// The exit status; 128 and the signal's number if a signal ended it, which must never happen to the emulator itself.
    var status: Int32
    var output: [UInt8]
    var errors: String
    var crashed: Bool
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  static let executable = BuiltProducts.epicure

  /// Runs `epicure` with `input` on its standard input; gives up after `seconds`.
  static func run(
    _ arguments: [String], input: [UInt8] = [], environment: [String: String] = ["PATH": "/usr/bin:/bin"],
    directory: URL? = nil, seconds: Double = 240
  ) throws -> Result {
    let folder = try TemporaryFolder()
    let files = try ["input", "output", "errors"].map { name in
      let url = folder.url.appendingPathComponent(name)
      try Data(name == "input" ? input : []).write(to: url)
      return try FileHandle(forUpdating: url)
    }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    // What everything is to be tested without.
    process.environment = environment.merging(ProcessInfo.processInfo.environment.filter { $0.key == "EPICURE_WITHOUT" }) { $1 }
    if let directory { process.currentDirectoryURL = directory }
    process.standardInput = files[0]
    process.standardOutput = files[1]
    process.standardError = files[2]
    try process.run()
    let deadline = Date().addingTimeInterval(seconds)
    while process.isRunning {
      if Date() > deadline {
        // A mask that was inherited may block SIGTERM.
        process.terminate()
        let last = Date().addingTimeInterval(10)
        while process.isRunning && Date() < last { Thread.sleep(forTimeInterval: 0.01) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        break
      }
      Thread.sleep(forTimeInterval: 0.002)
    }
    process.waitUntilExit()
    let output = try Data(contentsOf: folder.url.appendingPathComponent("output"))
    let errors = try Data(contentsOf: folder.url.appendingPathComponent("errors"))
    let crashed = process.terminationReason == .uncaughtSignal
    return Result(
      status: crashed ? 128 + process.terminationStatus : process.terminationStatus, output: Array(output),
      errors: String(decoding: errors, as: UTF8.self), crashed: crashed)
  }
}

/// A folder that lives as long as this object.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes an executable file and returns its path.
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = url.appendingPathComponent(name)
    try Data(bytes).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    return file.path
  }
}

/// Real guests: too large to be committed, built by `make guests`.
enum Guests {
  static let folder = ProcessInfo.processInfo.environment["EPICURE_GUEST_CACHE"].flatMap {
    $0.isEmpty ? nil : URL(fileURLWithPath: $0)
  }
  static let isContinuousIntegration = ProcessInfo.processInfo.environment["CI"] == "true"
  static let isComplete = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1"
  static let advice: Comment = "skipped: no guests; run `make guests` and set EPICURE_GUEST_CACHE to their folder"

  /// Without guests a test is skipped; where nobody would notice that, it runs and fails.
  static var shouldRun: Bool { folder != nil || isContinuousIntegration }

  static func file(_ path: String) throws -> URL { try #require(folder, advice).appendingPathComponent(path) }
}

/// Programs and loaders beside the guests that `make guest-tools` builds; `make guests` does, too. EPICURE_GUEST_TOOLS is where they are,
/// unless EPICURE_GUEST_CACHE has them.
enum GuestTools {
  static let advice: Comment = "skipped: no guest tools; run `make guest-tools` and set EPICURE_GUEST_TOOLS to GuestImages/cache"
  private static let folders = ["EPICURE_GUEST_CACHE", "EPICURE_GUEST_TOOLS"].compactMap { name in
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
  }

  private static func find(_ path: String) -> URL? {
    folders.map { $0.appendingPathComponent(path) }.first { FileManager.default.fileExists(atPath: $0.path) }
  }
  static func file(_ path: String) throws -> URL { try #require(find(path), advice) }

  /// Whether tests that need this file run: where nobody would notice that it is missing, they run and fail.
  static func shouldRun(_ path: String) -> Bool {
    Guests.shouldRun && (find(path) != nil || Guests.isContinuousIntegration)
  }

  /// The initramfs with more programs: Linux unpacks one archive after the other.
  static let archive = "linux-6.1/tools.cpio.gz"
  static func initramfs(in folder: TemporaryFolder) throws -> String {
    let both = try Data(contentsOf: Guests.file("linux-6.1/initramfs.cpio.gz")) + Data(contentsOf: file(archive))
    return try folder.write("initramfs.cpio.gz", Array(both))
  }
}

/// A small ELF image: one segment of code, entered at its start.
struct SmallProgram {
  var code: [UInt64] = []
  var machine: UInt16 = 50
  var entry: UInt64 = 0x4000_0000_0001_0080
  var address: UInt64 = 0x4000_0000_0001_0080
  var memorySize: UInt64?
  var fileSize: UInt64?
  var headerCount: UInt16 = 1
  var type: UInt16 = 2

  var bytes: [UInt8] {
    var image: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { image.append(contentsOf: $0) } }
    let size = UInt64(code.count * 8)
    put(type)
    put(machine)
    put(UInt32(1))
    put(entry)
    put(UInt64(64))
    put(UInt64(0))
    put(UInt32(0x10))
    for value in [UInt16(64), 56, headerCount, 64, 0, 0] { put(value) }
    for value in [UInt32(1), 5] { put(value) }
    for value in [UInt64(128), address, address, fileSize ?? size, memorySize ?? size, 0x10000] { put(value) }
    // Bundles are aligned, and the offset is that of the address in its page.
    image.append(contentsOf: [UInt8](repeating: 0, count: 8))
    for word in code { put(word) }
    return image
  }
}
