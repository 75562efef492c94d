import IA64
import TestSupport
import Testing

/// Nothing that memory can hold, and no text, makes decoder, disassembler or assembler fail in any way but the documented.
@Suite("Fuzzing", .ends(withinMinutes: 5))
struct FuzzTests {
  /// Random bundles through decoder, disassembler and assembler.
  @Test("bundles")
  func bundles() {
    var generator = SeededGenerator(seed: randomSeed)
    let disassembler = Disassembler()
    var differences = 0
    for number in 0..<(Guests.isComplete ? 2_500_000 : 250_000) {
      let bundle = Bundle.random(template: UInt8(truncatingIfNeeded: number), using: &generator)
      let address = generator.next() & ~0xf
      for index in 0..<3 {
        let instruction = Decoder.decode(bundle: bundle, slot: index)
        let text = disassembler.text(of: index, in: bundle, at: address)
        guard let unit = bundle.template.unit(index), let text else {
          #expect(instruction.operation == .reserved)
          continue
        }
        if text.hasPrefix("data8") { continue }
        let again = try? Assembler.encode(withoutStop(text), unit: unit, address: address)
        let encoding = again.map { Bundle(template: bundle.templateNumber, slots: place($0, index, unit)) }
        let back = encoding.flatMap { disassembler.text(of: index, in: $0, at: address) }
        if back == text || back != nil && Encodings.hasTwoEncodings(text) { continue }
        differences += 1
        if differences <= 10 { Issue.record("\(text) [\(unit)] comes back as \(back ?? "nothing")") }
      }
    }
    #expect(differences == 0, "seed \(randomSeed)")
  }

  private func withoutStop(_ text: String) -> String { text.hasSuffix(";;") ? String(text.dropLast(2)) : text }

  private func place(_ bits: (slot: UInt64, long: UInt64), _ index: Int, _ unit: SlotUnit) -> (UInt64, UInt64, UInt64) {
    if unit == .l { return (0, bits.long, bits.slot) }
    return (index == 0 ? bits.slot : 0, index == 1 ? bits.slot : 0, index == 2 ? bits.slot : 0)
  }

  /// Damaged source text: bytes of correct instructions exchanged, dropped and repeated.
  @Test("source text")
  func sources() {
    var generator = SeededGenerator(seed: randomSeed)
    let disassembler = Disassembler()
    let alphabet = Array("{}();:.,=[]-+@/ \n0x9pbrfaq_mil".utf8)
    var accepted = 0
    for number in 0..<(Guests.isComplete ? 500_000 : 50_000) {
      let bundle = Bundle.random(template: UInt8(truncatingIfNeeded: number), using: &generator)
      let lines = (0..<3).compactMap { disassembler.text(of: $0, in: bundle, at: 0) }
      var text = Array("label: { .\(bundle.template.name)\n\(lines.joined(separator: "\n"))\n}\n".utf8)
      for _ in 0..<Int.random(in: 0..<4, using: &generator) where !text.isEmpty {
        let index = Int.random(in: 0..<text.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: text[index] = alphabet.randomElement(using: &generator) ?? 0
        case 1: text.remove(at: index)
        default: text.insert(text[index], at: index)
        }
      }
      do {
        let bundles = try Assembler.assemble(String(decoding: text, as: UTF8.self))
        accepted += bundles.count
      } catch {
        #expect(!"\(error)".isEmpty)
      }
    }
    #expect(accepted > 0)
  }
}
