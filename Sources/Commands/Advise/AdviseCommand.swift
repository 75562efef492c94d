import ArgumentParser
import Foundation
import Inspection
import Management
import Processor

/// `epicure advise`: what each acceleration of VT-i is worth for a run that was recorded.
struct AdviseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advise",
    abstract: "Replay a recorded HVM run with other accelerations of VT-i, and say what each would save.",
    discussion: """
      epicure boot --virtualization hvm --timing cycle --kernel vmlinux.gz --initrd initramfs.cpio.gz --record run.rec
      epicure advise run.rec

      Each acceleration is switched off alone (or on, if the run had it off), and all of them. The input comes at the time at which it came; \
      what the guest makes of it is another run, to its own end. The bits of the disable control (vdc) are estimated from the exits that they would spare.
      """)
  @Argument(help: ArgumentHelp("What --record or --crash-bundle wrote.", valueName: "recording"), completion: .file())
  var file: String
  @Flag(help: "Print JSON.") var json = false

  typealias Accelerations = VirtualProcessorDescriptor.Accelerations

  func run() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let base = try Replay.header(path: file)
    guard base.mode == .hvm else {
      throw CommandFailure(
        CommandFailure.badInput, "\(file): the machine of this recording is no HVM domain: it has no accelerations")
    }
    let all = base.accelerations
    let trace = folder.appendingPathComponent("trace").path
    var report = Advice(recording: file, accelerations: AccelerationSet(all).text, timing: base.isTimed ? "cycle" : "functional")
    StandardError.write("epicure: as it was recorded …")
    report.recorded = try replay(folder, ["--trace", trace])
    for (name, one) in Accelerations.names {
      StandardError.write("epicure: \(all.contains(one) ? "without" : "with") \(name) …")
      let other = all.symmetricDifference(one)
      report.rows.append(
        Advice.Row(name: name, isOn: all.contains(one), with: try replay(folder, ["--vac", AccelerationSet(other).text])))
    }
    StandardError.write("epicure: without all …")
    report.none = try replay(folder, ["--vac", "none"])
    report.disables = DisableEstimate.all(of: try TraceInput.reader(of: trace))
    var output = StandardOutput()
    try output.write(json ? ManagementJSON.text(report) : report.text)
    try output.flush()
  }

  private struct Statistics: Decodable {
    var cycles: UInt64
    var exits: [String: UInt64]?
  }

  /// One replay, in a process of its own.
  private func replay(_ folder: URL, _ options: [String]) throws -> Advice.Figures {
    let stats = folder.appendingPathComponent("stats").path
    let errors = folder.appendingPathComponent("errors")
    try Data().write(to: errors)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["replay", file, "--stats", stats] + options
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus != CommandFailure.badInput,
      let data = FileManager.default.contents(atPath: stats),
      let statistics = try? JSONDecoder().decode(Statistics.self, from: data)
    else {
      let message = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
      throw CommandFailure(
        CommandFailure.badInput,
        message.split(separator: "\n").last.map { String($0.trimmingPrefix("epicure: ")) } ?? "the replay has failed")
    }
    return Advice.Figures(cycles: statistics.cycles, exits: statistics.exits?.values.reduce(0, +) ?? 0)
  }
}

/// What the advisor says.
struct Advice: Encodable {
  struct Figures: Encodable {
    var cycles: UInt64 = 0
    var exits: UInt64 = 0
  }
  struct Row: Encodable {
    var name: String
    /// The recorded run had it.
    var isOn: Bool
    /// With the other setting.
    var with: Figures
  }
  var recording: String
  var accelerations: String
  var timing: String
  var recorded = Figures()
  var rows: [Row] = []
  var none = Figures()
  var disables: [DisableEstimate] = []

  init(recording: String, accelerations: String, timing: String) {
    (self.recording, self.accelerations, self.timing) = (recording, accelerations, timing)
  }

  private func difference(_ a: UInt64, _ b: UInt64) -> String {
    (a >= b ? "+" : "-") + ReportText.grouped(a >= b ? a - b : b - a)
  }

  var text: String {
    typealias T = ReportText
    var lines = [
      "\(recording): \(T.grouped(recorded.cycles)) cycles, \(T.grouped(recorded.exits)) exits, accelerations: \(accelerations)", "",
      "          exits         cycles      %  with another setting",
    ]
    func line(_ figures: Figures, _ name: String) -> String {
      let (more, base) = (Double(figures.cycles) - Double(recorded.cycles), Double(max(1, recorded.cycles)))
      let share = (more < 0 ? "-" : "+") + T.decimal(abs(more) / base * 100, 1)
      return T.right(difference(figures.exits, recorded.exits), 15) + T.right(difference(figures.cycles, recorded.cycles), 15)
        + T.right(share, 7) + "  " + name
    }
    for row in rows { lines.append(line(row.with, (row.isOn ? "without " : "with ") + row.name)) }
    lines.append(line(none, "without any"))
    lines += ["", "          exits         cycles  that a disable (vdc) would have spared, by the trace"]
    for disable in disables {
      lines.append(T.right("-" + T.grouped(disable.exits), 15) + T.right("-" + T.grouped(disable.cycles), 15) + "  " + disable.name)
    }
    let isTimed = timing == "cycle"
    let unit = isTimed ? "cycles" : "exits"
    func cost(_ figures: Figures) -> UInt64 { isTimed ? figures.cycles : figures.exits }
    func saved(_ row: Row) -> UInt64 {
      let (on, off) = row.isOn ? (cost(recorded), cost(row.with)) : (cost(row.with), cost(recorded))
      return off > on ? off - on : 0
    }
    if let most = rows.filter(\.isOn).max(by: { saved($0) < saved($1) }), saved(most) > 0 {
      lines += ["", "Most is saved by \(most.name): \(T.grouped(saved(most))) \(unit)."]
    }
    for row in rows where !row.isOn && saved(row) > 0 {
      lines += ["", "\(row.name) would save \(T.grouped(saved(row))) \(unit): --vac"]
    }
    if !isTimed {
      lines += ["", "The run was recorded without --timing cycle: exits cost next to nothing, only their numbers count."]
    }
    return lines.map { $0 + "\n" }.joined()
  }
}
