import FirmwareMedia
import Foundation
import HostResources
import Testing

/// A medium in memory.
final class MemoryStorage: BlockStorage {
  var bytes: [UInt8]
  var isReadOnly = false
  var writes = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var size: UInt64 { UInt64(bytes.count) }
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    guard offset <= size, UInt64(buffer.count) <= size - offset else { throw .outside }
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + buffer.count]))
    }
  }
  func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard offset <= size, UInt64(buffer.count) <= size - offset else { throw .outside }
    guard !isReadOnly else { throw .readOnly }
    writes += 1
    bytes.replaceSubrange(Int(offset)..<Int(offset) + buffer.count, with: buffer)
  }
  func flush() throws(StorageFailure) {}
}

/// A directory for the tools' files, removed at the end.
struct WorkPlace: ~Copyable {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "epicure-media-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
  func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file(name)))) }
  func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: file(name))) }

  /// Runs a tool here; its output, and its status if `status` is nil must be 0.
  @discardableResult
  func run(_ tool: String, _ arguments: String..., mayFail: Bool = false) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: path)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"], uniquingKeysWith: { $1 })
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    if !mayFail, process.terminationStatus != 0 { Issue.record("\(tool) \(arguments): \(output)") }
    return (process.terminationStatus, output)
  }
}

/// Whether a tool is installed; with CI=true a missing one is a failure.
func isInstalled(_ tools: String...) -> Bool {
  let missing = tools.filter { tool in
    !["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].contains { FileManager.default.isExecutableFile(atPath: $0 + tool) }
  }
  if !missing.isEmpty, ProcessInfo.processInfo.environment["CI"] == "true" {
    Issue.record("missing: \(missing.joined(separator: ", ")); make test installs them")
  }
  return missing.isEmpty
}

/// A deterministic source of bits (Steele, Lea and Flood's SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

enum Seed {
  /// EPICURE_SEED, or a fixed number.
  static var value: UInt64 { ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_124 }
}
