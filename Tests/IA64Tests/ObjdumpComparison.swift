import Foundation
import IA64
import TestSupport
import Testing

/// Compares our listing of bundles with objdump's, line by line and character by character.
struct ObjdumpComparison {
  private(set) var bundles = 0
  private(set) var differences = 0
  /// First few differing pairs of lines.
  private(set) var examples: [String] = []

  /// Bundles at consecutive addresses.
  mutating func check(_ code: [Bundle], at address: UInt64) throws {
    let listing = try ObjdumpComparison.listing(code.flatMap(\.bytes), at: address)
    let digits = Disassembler.addressDigits(end: address + 16 * UInt64(code.count))
    let disassembler = Disassembler()
    var lines = listing.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)[...]
    // Headings end with the name of the one section.
    if let heading = lines.firstIndex(where: { $0.suffix(2).elementsEqual(">:".utf8) }) { lines = lines[(heading + 1)...] }
    for (index, bundle) in code.enumerated() {
      bundles += 1
      for line in disassembler.lines(of: bundle, at: address + 16 * UInt64(index), digits: digits) {
        guard let expected = lines.popFirst() else { return note(line, "nothing") }
        if !expected.elementsEqual(line.utf8) { note(line, String(decoding: expected, as: UTF8.self)) }
      }
    }
    if let rest = lines.first { note("nothing", String(decoding: rest, as: UTF8.self)) }
  }

  private mutating func note(_ ours: String, _ theirs: String) {
    differences += 1
    if examples.count < 40 { examples.append("ours  \(ours)\n GNU's \(theirs)") }
  }

  /// What objdump prints for raw bytes, zeros included.
  private static func listing(_ bytes: [UInt8], at address: UInt64) throws -> [UInt8] {
    try GNUTools.withTemporaryFolder { folder in
      let file = "\(folder)/code"
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      let arguments = ["-b", "binary", "-m", "ia64-elf64", "-D", "-z", "--adjust-vma=\(address)", file]
      return try GNUTools.run(GNUTools.objdump, arguments)
    }
  }

  /// Records an issue for the first differences.
  func finish(_ context: String) {
    for example in examples { Issue.record("\(context)\n \(example)") }
    #expect(differences == 0, "\(differences) lines of \(bundles) bundles differ; \(context)")
    #expect(bundles > 0)
  }
}
