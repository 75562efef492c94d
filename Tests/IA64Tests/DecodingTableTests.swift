import CDecodingTable
import IA64
import TestSupport
import Testing

/// What the decoder reads is kept as bytes; the instruction table is what they must come from.
@Suite("Decoding table", .ends(withinMinutes: 5)) struct DecodingTableTests {
  @Test("the kept table is that of the instruction table") func kept() {
    var size = 0
    let start = epicure_decoding_table(&size)
    let kept = [UInt8](UnsafeRawBufferPointer(start: start, count: size))
    #expect(kept == DecodingTable.bytes(), "`make decoding-table` writes it anew")
  }
}
