import Foundation
import IA64
import TestSupport
import Testing

/// GNU's assembler gives the encodings that the table gives, for every name in the table.
@Suite("Table against GNU as", .needsBinutils, .ends(withinMinutes: 5))
struct GNUAssemblerTests {
  private struct Case {
    var text: String
    var row: InstructionRow
    var unit: SlotUnit
    var slot: UInt64
    var long: UInt64
  }

  @Test("every row of the table")
  func rows() throws {
    var generator = SeededGenerator(seed: randomSeed)
    var cases: [Case] = []
    for row in InstructionTable.rows where row.role != .unprinted {
      for unit in row.format.type.units {
        for _ in 0..<(Guests.isComplete ? 32 : 2) {
          var item = Case(text: "", row: row, unit: unit, slot: 0, long: 0)
          // One random frame of `alloc` in ten is valid; the reserved count of pshladd2 never is.
          for _ in 0..<100 {
            item.slot = Encodings.random(row, using: &generator)
            if accepts(item) { break }
          }
          if unit == .x { item.long = generator.next() & Bundle.slotMask }
          guard accepts(item) else { continue }
          item.text = Encodings.predicate(row, item.slot) + text(item, label: "bundle\(cases.count)")
          cases.append(item)
        }
      }
    }
    let code = try assemble(cases)
    #expect(code.count == 16 * cases.count)
    var differences = 0
    for (index, item) in cases.enumerated() where 16 * index + 16 <= code.count {
      let bundle = Bundle(code[...], at: 16 * index)
      let place = item.unit == .x || item.unit == .b ? 2 : item.unit == .m ? 0 : 1
      let slot = bundle.slot(place)
      let long = item.unit == .x ? bundle.slot(1) : 0
      if slot == item.slot, long == item.long { continue }
      let meaning = Encodings.meaning(of: item.slot, long: item.long, unit: item.unit, row: item.row)
      if (slot ^ item.slot) & meaning.slot == 0, (long ^ item.long) & meaning.long == 0 { continue }
      if Encodings.hasTwoEncodings(item.text) { continue }
      differences += 1
      if differences <= 20 {
        Issue.record("\(item.text): GNU's \(String(slot, radix: 16)), table \(String(item.slot, radix: 16))")
      }
    }
    #expect(differences == 0, "\(differences) of \(cases.count) encodings differ; seed \(randomSeed)")
  }

  /// Whether the assembler takes the operands.
  private func accepts(_ item: Case) -> Bool {
    let decoded = Decoder.decode(slot: item.slot, unit: item.unit, longSlot: item.long)
    switch decoded.operation {
    case .pshladd2, .pshradd2, .reservedIfPredicated: return !item.row.mnemonic.hasPrefix("psh") || decoded.immediate2 < 4
    case .movToAR, .movToARImmediate, .movFromAR:
      // Registers from 48 to 63 and from 112 up have either unit, the others below 64 M.
      let ignored = 48...63 ~= decoded.ar3 || decoded.ar3 >= 112
      return ignored || (item.unit == .m) == (decoded.ar3 < 64)
    case .alloc:
      let frame = decoded.allocFrame
      return frame.sof <= 96 && frame.sol <= frame.sof && frame.sor * 8 <= frame.sof
    case .fclass:
      // Classes without @pos and @neg get both.
      return decoded.encoding >> 33 & 3 != 0
    default: return Encodings.isExpressible(item.row, item.slot)
    }
  }

  /// Targets are written relative to the bundle's label, or they would become relocations; `alloc` with the counts of
  /// inputs, locals, outputs and rotating registers.
  private func text(_ item: Case, label: String) -> String {
    guard item.row.operation == .alloc else {
      return item.row.text(of: item.slot, long: item.long) {
        let distance = Int64(bitPattern: $0)
        return distance < 0 ? "\(label)\(distance)" : "\(label)+\(distance)"
      }
    }
    let frame = Instruction(operation: .alloc, unit: .m, row: 0, encoding: item.slot).allocFrame
    let start = item.row.text(of: item.slot).prefix { $0 != "=" }
    return "\(start)=ar.pfs,0,\(frame.sol),\(frame.sof - frame.sol),\(frame.sor * 8)"
  }

  /// One bundle for each case, through the assembler. Some instructions must end their group.
  private func assemble(_ cases: [Case]) throws -> [UInt8] {
    var source = ".text\n"
    for (index, item) in cases.enumerated() {
      source += "bundle\(index):\n"
      switch item.unit {
      case .m: source += "{ .mmi\n\(item.text) ;;\nnop.m 0\nnop.i 0 ;;\n}\n"
      case .i: source += "{ .mii\nnop.m 0\n\(item.text)\nnop.i 0 ;;\n}\n"
      case .f: source += "{ .mfi\nnop.m 0\n\(item.text)\nnop.i 0 ;;\n}\n"
      case .b: source += "{ .mib\nnop.m 0\nnop.i 0\n\(item.text) ;;\n}\n"
      case .l, .x: source += "{ .mlx\nnop.m 0\n\(item.text) ;;\n}\n"
      }
    }
    return try GNUTools.assemble(source)
  }
}

extension GNUTools {
  /// Contents of the text section that GNU's assembler makes.
  static func assemble(_ source: String) throws -> [UInt8] {
    try withTemporaryFolder { folder in
      try Data((source + "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/source.s"))
      // Without checks of dependencies, which random operands violate.
      _ = try run(
        assembler, ["-W", "-xnone", "-mhint.b=ok", "-o", "\(folder)/object", "\(folder)/source.s"])
      _ = try run(objcopy, ["-O", "binary", "-j", ".text", "\(folder)/object", "\(folder)/binary"])
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/binary")))
    }
  }
}
