import Inspection
import Testing

/// The file of a recording: what is written comes back, and what has been changed is noticed.
@Suite struct LogFileTests {
  let folder: RecordingFolder
  init() throws { folder = try RecordingFolder() }

  /// The example of the DWARF standard, version 5, section 7.6, figure 7.3, and Wikipedia's for LEB128; the limits.
  @Test(
    arguments: [
      (2, [2]), (127, [0x7F]), (128, [0x80, 1]), (129, [0x81, 1]), (12857, [0xB9, 0x64]), (624_485, [0xE5, 0x8E, 0x26]),
      (UInt64.max, Array(repeating: 0xFF, count: 9) + [1]),
    ] as [(UInt64, [UInt8])])
  func numbers(_ value: UInt64, _ bytes: [UInt8]) {
    var encoder = LogEncoder()
    encoder.put(value)
    #expect(encoder.bytes == bytes)
    var decoder = LogDecoder(bytes)
    #expect(decoder.number() == value)
    #expect(decoder.number() == nil)
  }

  /// More than 64 bits, or an end in the middle.
  @Test(arguments: [Array(repeating: 0xFF, count: 9) + [2], Array(repeating: 0x80, count: 10) + [0], [0x80], []] as [[UInt8]])
  func noNumbers(_ bytes: [UInt8]) {
    var decoder = LogDecoder(bytes)
    #expect(decoder.number() == nil)
  }

  @Test func roundTrip() throws {
    var random = SplitMix(state: RecordingFolder.seed)
    let records = someRecords(500, &random)
    let writer = try folder.writer("log")
    for record in records { #expect(writer.append(record)) }
    #expect(try writer.size == UInt64(folder.read("log").count))
    let reader = try LogReader(path: folder.path("log"))
    #expect(reader.header == RecordingFolder.header)
    for _ in 0..<2 {
      let (read, end) = contents(of: reader)
      #expect(read == records, "seed \(RecordingFolder.seed)")
      #expect(end == .finished)
      reader.rewind()
    }
  }

  /// Wherever it is cut: what is left is right, and the cut is noticed unless it is between two records.
  @Test func cut() throws {
    var random = SplitMix(state: RecordingFolder.seed)
    let records = someRecords(20, &random)
    var ends: [Int] = []
    do {
      let writer = try folder.writer("log")
      ends.append(Int(writer.size))
      for record in records {
        writer.append(record)
        ends.append(Int(writer.size))
      }
    }
    let whole = try folder.read("log")
    for length in 0..<whole.count {
      let path = try folder.write("cut", Array(whole[..<length]))
      guard let reader = try? LogReader(path: path) else {
        #expect(length < ends[0])
        continue
      }
      let (read, end) = contents(of: reader)
      let complete = ends.filter { $0 <= length }.count - 1
      #expect(read == Array(records.prefix(complete)), "length \(length), seed \(RecordingFolder.seed)")
      #expect(end == (ends.contains(length) ? .finished : .cutOff), "length \(length), seed \(RecordingFolder.seed)")
    }
  }

  /// Whichever bit is changed: no record is believed that is not the written one.
  @Test func flipped() throws {
    var random = SplitMix(state: RecordingFolder.seed)
    let records = someRecords(12, &random)
    do {
      let writer = try folder.writer("log")
      for record in records { writer.append(record) }
    }
    let whole = try folder.read("log")
    for index in whole.indices {
      for bit in [0, 3, 7] {
        var changed = whole
        changed[index] ^= 1 << UInt8(bit)
        let path = try folder.write("flipped", changed)
        guard let reader = try? LogReader(path: path) else { continue }
        let (read, end) = contents(of: reader)
        #expect(read.count < records.count && read == Array(records.prefix(read.count)), "byte \(index) bit \(bit)")
        #expect(end != .finished, "byte \(index) bit \(bit), seed \(RecordingFolder.seed)")
      }
    }
  }

  /// A length that no memory has is refused before anything is reserved for it.
  @Test func absurdLengths() throws {
    do { _ = try folder.writer("log") }
    let whole = try folder.read("log")
    for length in [UInt64(1) << 62, UInt64.max, LogFormat.largestRecord + 1, 0] {
      var encoder = LogEncoder()
      encoder.put(length)
      encoder.put(rest: [1, 2, 3, 4, 5, 6, 7, 8])
      let reader = try LogReader(path: folder.write("absurd", whole + encoder.bytes))
      #expect(reader.next() == .damaged, "\(length)")
    }
  }

  @Test func otherFiles() throws {
    func problem(_ bytes: [UInt8]) throws -> String {
      let path = try folder.write("other", bytes)
      do throws(RecordingProblem) { _ = try LogReader(path: path) } catch {
        return error.description.replacingOccurrences(of: path, with: "FILE")
      }
      return ""
    }
    #expect(try problem([]) == "FILE: is not a recording of epicure")
    #expect(try problem(Array("#!/bin/sh\necho something that is long enough\n".utf8)) == "FILE: is not a recording of epicure")
    #expect(try problem(Array("epicure recording 2\nand so on".utf8)) == "FILE: is a recording of another version of epicure")
    #expect(try problem(LogFormat.magic) == "FILE: is damaged: it has no header")
  }

  @Test func nowhere() {
    #expect(throws: RecordingProblem("/nowhere/log", "cannot be written: No such file or directory")) {
      try LogWriter(path: "/nowhere/log", header: RecordingFolder.header)
    }
    #expect(throws: RecordingProblem("/nowhere/log", "cannot be opened: No such file or directory")) {
      try LogReader(path: "/nowhere/log")
    }
  }

  /// A recording that can grow no further does not stop the run.
  @Test func full() {
    #expect(throws: RecordingProblem("/dev/full", "cannot be written: No space left on device")) {
      try LogWriter(path: "/dev/full", header: RecordingFolder.header)
    }
  }
}
