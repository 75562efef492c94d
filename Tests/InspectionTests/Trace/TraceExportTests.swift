import Foundation
import Hypervisor
import Inspection
import Processor
import Testing

@Suite struct TraceExportTests {
  @Test func csvQuotes() {
    var r = TraceRecord.exit(UInt16(ExitKind.port.index), at: 5, cost: 7, ip: 0x21, detail: 0x3F8)
    r.physical = TraceRecord.noProcessor
    #expect(
      TraceRecordText(3, r, nil, place: "a \"quoted\", name").csv
        == "3,5,7,1,0,,exit,port,0x20.1,,\"a \"\"quoted\"\", name\",0x3f8,0x0,0x0,0x0")
    #expect(TraceRecordText.columns.split(separator: ",").count == 15)
  }

  @Test func foldedStacksHaveNoSemicolonsOfTheirOwn() throws {
    let file = TraceInMemory()
    file.writer.append(.domain(1, "a;b"))
    let reader = try TraceReader(
      file.finished([
        .exit(UInt16(ExitKind.instruction(.rfi).index), at: 1, cost: 5, ip: 0x10),
        .exit(UInt16(ExitKind.port.index), at: 9, cost: 0),
      ]))
    var stacks = FoldedStacks(reader, nil, weight: .cycles)
    reader.forEach { stacks.add($0) }
    #expect(stacks.lines == ["a:b;0x10;rfi 5"])
    var counts = FoldedStacks(reader, nil, weight: .count)
    reader.forEach { counts.add($0) }
    #expect(counts.lines == ["a:b;0x0;port 1", "a:b;0x10;rfi 1"])
  }

  static let babeltrace = "/usr/bin/babeltrace2"
  static var hasBabeltrace: Bool {
    FileManager.default.isExecutableFile(atPath: babeltrace) || ProcessInfo.processInfo.environment["CI"] == "true"
  }

  /// The oracle is babeltrace2: all events, in order, with what they say. Devices know the future: their records come out of order.
  @Test(.enabled(if: hasBabeltrace, "skipped: no babeltrace2; `make test-packages` installs it")) func babeltraceReadsIt() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = TraceInMemory(frequency: 1_000_000_000)
    file.writer.append(.device(0, "disk \"0\""))
    var records: [TraceRecord] = []
    var generator = SplitMix(state: 31)
    // More than a packet's worth, less than the window apart.
    for cycle in 0..<UInt64(40_000) {
      if cycle % 8 == 0 {
        var service = TraceRecord(cycle: cycle + UInt64.random(in: 0..<5_000, using: &generator), kind: .service)
        (service.domain, service.cost, service.a) = (1, 3, 512)
        records.append(service)
      } else {
        records.append(.exit(UInt16(ExitKind.instruction(.rfi).index), at: cycle, cost: 1, ip: 0x1002))
      }
    }
    let reader = try TraceReader(file.finished(records))
    var export = try CTFExport(reader) { name in
      let path = folder.appendingPathComponent(name).path
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      let handle = try #require(FileHandle(forWritingAtPath: path))
      return { handle.write(Data($0)) }
    }
    try reader.forEach { try export.add($0) }
    export.finish()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.babeltrace)
    process.arguments = ["--clock-cycles", "--no-delta", folder.path]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && complaints.isEmpty, "\(complaints.prefix(1000))")
    let lines = text.split(separator: "\n")
    #expect(lines.count == records.count)
    #expect(lines.filter { $0.contains("exit:") && $0.contains("\"rfi\"") && $0.contains("ip = 0x1002") }.count == 35_000)
    #expect(lines.filter { $0.contains("service:") && $0.contains("bytes = 512") && $0.contains("cycles = 3") }.count == 5_000)
    let ends = lines.filter { $0.contains("service:") }.compactMap { UInt64($0.dropFirst().prefix { $0 != "]" }) }
    #expect(ends == records.filter { $0.kind == .service }.map { $0.cycle + $0.cost }.sorted())
  }
}
