import Foundation
import Testing

/// The GNU binutils for ia64: the source of truth for encodings and their assembly language.
public enum GNUTools {
  public static let objdump = path("ia64-linux-gnu-objdump")
  public static let assembler = path("ia64-linux-gnu-as")
  public static let objcopy = path("ia64-linux-gnu-objcopy")
  public static let linker = path("ia64-linux-gnu-ld")

  public static let missing: Comment =
    "GNU binutils for ia64 are not in PATH; `apt-get install binutils-ia64-linux-gnu` makes this run"

  public struct Failure: Error {
    public var text: String
    public init(text: String) { self.text = text }
  }

  private static func path(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Runs a tool; returns its standard output.
  public static func run(_ tool: String?, _ arguments: [String]) throws -> [UInt8] {
    guard let tool else { throw Failure(text: "\(missing)") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(text: "\(tool) failed on \(arguments)") }
    return [UInt8](data)
  }

  /// Calls `body` with the path of a temporary folder.
  public static func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }
}
