import CycleBenchmarks
import Foundation
import IA64
import Testing

/// GNU's assembler takes the kernels as they are, with its checks of dependencies within groups, and makes the same bundles.
@Suite("Kernels against GNU as", .enabled(if: mustRun || GNUAssembler.path != nil, GNUAssembler.missing))
struct GNUAssemblerTests {
  @Test(arguments: Kernel.all.map(\.name)) func sameBundles(name: String) throws {
    let kernel = try #require(Kernel.all.first { $0.name == name })
    let end = "\n{ .mii\nbreak.m 0\nnop.i 0\nnop.i 0 ;;\n}\n"
    let ours = try Assembler.assemble(kernel.source + end)
    let theirs = try GNUAssembler.assemble(".explicit\n" + explicit(kernel.source) + end)
    let bytes = ours.flatMap { bundle in
      [bundle.low, bundle.high].flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    }
    #expect(bytes == theirs)
  }

  /// In GNU's explicit mode an instruction outside braces is bundled as it likes; the project's assembler puts M first.
  private func explicit(_ source: String) -> String {
    source.split(separator: "\n").map { line in
      line.hasPrefix("  alloc") ? "{ .mii\n\(line.replacing(" ;;", with: ""))\nnop.i 0\nnop.i 0 ;;\n}" : String(line)
    }.joined(separator: "\n")
  }
}

private let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

private enum GNUAssembler {
  static let missing: Comment = "GNU binutils for ia64 are not in PATH; `apt-get install binutils-ia64-linux-gnu` makes this run"
  static let path = tool("ia64-linux-gnu-as")

  struct Failure: Error { var text: String }

  private static func tool(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The text section that GNU's assembler makes; a warning is a failure.
  static func assemble(_ source: String) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(source.utf8).write(to: folder.appendingPathComponent("kernel.s"))
    try run(path, ["--fatal-warnings", "-xexplicit", "-o", "\(folder.path)/object", "\(folder.path)/kernel.s"])
    try run(tool("ia64-linux-gnu-objcopy"), ["-O", "binary", "-j", ".text", "\(folder.path)/object", "\(folder.path)/binary"])
    return [UInt8](try Data(contentsOf: folder.appendingPathComponent("binary")))
  }

  private static func run(_ tool: String?, _ arguments: [String]) throws {
    guard let tool else { throw Failure(text: "\(missing)") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let text = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(text: String(decoding: text, as: UTF8.self)) }
  }
}
