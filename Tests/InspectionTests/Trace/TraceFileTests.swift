import Inspection
import Testing

/// Trace files: what is written is read, and damage is noticed.
@Suite struct TraceFileTests {
  @Test(arguments: [1, 2, 3] as [UInt64]) func whatIsWrittenIsRead(seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    let records = (0..<20_000).map { _ in TraceRecord.random(&generator) }
    let reader = try TraceReader(TraceInMemory().finished(records))
    #expect(reader.records == records, "seed \(seed)")
    #expect(reader.isComplete)
    #expect(reader.description.kernel == "vmlinux")
    #expect(reader.domains == [1: "guest"])
  }

  @Test func namesAreKept() throws {
    let file = TraceInMemory()
    file.writer.append(.device(7, "disk0"))
    file.writer.append(.register(0xFEC0_0000, "I/O SAPIC"))
    file.writer.append(.domain(2, "second"))
    let reader = try TraceReader(file.finished([]))
    #expect(reader.devices == [7: "disk0"])
    #expect(reader.registers == [0xFEC0_0000: "I/O SAPIC"])
    #expect(reader.domains == [1: "guest", 2: "second"])
  }

  /// A run that was killed leaves a file that ends anywhere.
  @Test func aFileThatWasCutOffIsReadToItsLastBlock() throws {
    var generator = SplitMix(state: 4)
    let records = (0..<5_000).map { _ in TraceRecord.random(&generator) }
    let bytes = TraceInMemory().finished(records)
    for length in stride(from: 0, to: bytes.count, by: 997) {
      guard let reader = try? TraceReader(Array(bytes[..<length])) else {
        #expect(length < 400, "the description alone is needed")
        continue
      }
      #expect(!reader.isComplete)
      let read = reader.records
      #expect(read == Array(records[..<read.count]))
    }
  }

  @Test func flippedBitsNeverInventRecords() throws {
    var generator = SplitMix(state: 5)
    let records = (0..<2_000).map { _ in TraceRecord.random(&generator) }
    let bytes = TraceInMemory().finished(records)
    for _ in 0..<2_000 {
      var damaged = bytes
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      damaged[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      guard let reader = try? TraceReader(damaged) else { continue }
      // A block's number of records is not covered by its sum, and not believed either.
      let read = reader.records
      #expect(read == Array(records[..<read.count]), "byte \(position)")
    }
  }

  @Test func whatIsNoTraceIsRefused() {
    #expect(throws: TraceFailure.notATrace) { try TraceReader([]) }
    #expect(throws: TraceFailure.notATrace) { try TraceReader(Array("\u{7F}ELF".utf8) + [UInt8](repeating: 0, count: 100)) }
    let head = Array("EPICURE-TRACE\n".utf8)
    #expect(throws: TraceFailure.version(2)) { try TraceReader(head + [2, 0, 0, 0, 0, 0, 0, 0]) }
    #expect(throws: TraceFailure.damagedDescription) { try TraceReader(head + [1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]) }
    #expect(throws: TraceFailure.damagedDescription) { try TraceReader(head + [1, 0, 0, 0, 2, 0, 0, 0] + Array("{}".utf8)) }
  }

  /// Blocks that claim to be as large as they like are not believed.
  @Test func randomBlocksAreHarmless() throws {
    var generator = SplitMix(state: 6)
    let head = TraceInMemory()
    _ = head.writer
    for _ in 0..<500 {
      let tail = (0..<Int.random(in: 0..<200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(try TraceReader(head.bytes + tail).records.isEmpty)
    }
  }
}
