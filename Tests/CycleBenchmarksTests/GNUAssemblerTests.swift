import CycleBenchmarks
import Foundation
import IA64
import TestSupport
import Testing

/// GNU's assembler takes the kernels as they are, with its checks of dependencies within groups, and makes the same bundles.
@Suite("Kernels against GNU as", .enabled(if: mustRun || GNUTools.assembler != nil, GNUTools.missing))
struct GNUAssemblerTests {
  @Test(arguments: Kernel.all.map(\.name)) func sameBundles(name: String) throws {
    let kernel = try #require(Kernel.all.first { $0.name == name })
    let end = "\n{ .mii\nbreak.m 0\nnop.i 0\nnop.i 0 ;;\n}\n"
    let ours = try Assembler.assemble(kernel.source + end)
    let theirs = try GNUTools.text(".explicit\n" + explicit(kernel.source) + end)
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

extension GNUTools {
  /// The text section that GNU's assembler makes; a warning is a failure.
  fileprivate static func text(_ source: String) throws -> [UInt8] {
    try withTemporaryFolder { folder in
      try Data(source.utf8).write(to: URL(fileURLWithPath: "\(folder)/kernel.s"))
      _ = try run(assembler, ["--fatal-warnings", "-xexplicit", "-o", "\(folder)/object", "\(folder)/kernel.s"])
      _ = try run(objcopy, ["-O", "binary", "-j", ".text", "\(folder)/object", "\(folder)/binary"])
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/binary")))
    }
  }
}
