import ArgumentParser
import Foundation

/// `epicure bench cpu`: how fast the engine is on this host, alone or beside another simulator.
struct CPUBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cpu",
    abstract: "Measure the engine on this host, and beside another simulator.",
    discussion: """
      Runs each workload in a process of its own, several times, and takes the least processor time. A folder stands for its programs \
      `cpu-*` and, if it has a busybox, for a program that does little but call the system. The self-test guest runs on the bare machine \
      and as an HVM domain, where much of the time goes to translations and exits; with --kernel Linux boots in both as well, until its \
      console says EPICURE GUEST READY.

      --against runs the programs under another simulator in turn with ours: `--against ski` runs `ski PROGRAM`. What boots is ours alone.
      """)

  @Argument(help: "Programs, and folders with programs.", completion: .file())
  var programs: [String] = []
  @Option(help: ArgumentHelp("Run the programs under this as well; its words are separated by spaces.", valueName: "command"))
  var against: String?
  @Option(help: ArgumentHelp("Linux kernel: ELF, perhaps compressed.", valueName: "file"), completion: .file())
  var kernel: String?
  @Option(help: ArgumentHelp("The kernel's initial ram disk.", valueName: "file"), completion: .file())
  var initrd: String?
  @Option(help: ArgumentHelp("How often each is run.", valueName: "n"))
  var rounds = 3
  @Option(help: ArgumentHelp("Write the table as JSON.", valueName: "file"), completion: .file())
  var json: String?

  func validate() throws {
    if rounds < 1 { throw ValidationError("--rounds is at least 1.") }
    if kernel == nil && initrd != nil { throw ValidationError("--initrd belongs to --kernel.") }
    if let against, against.split(separator: " ").isEmpty { throw ValidationError("--against is a command.") }
  }

  /// Something to run: the arguments of `epicure`, and those of the other simulator if it can do that.
  private struct Workload {
    var name: String
    var own: [String]
    var other: [String]?
  }

  /// One byte for each pair of calls.
  private static let systemCalls = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=100000"]

  func run() throws {
    let other = against.map { $0.split(separator: " ").map(String.init) }
    var lines: [CPUReport.Line] = []
    for workload in try workloads() {
      StandardError.write("epicure: \(workload.name)")
      var line = try measure(workload)
      if let other, let arguments = workload.other {
        line.otherSeconds = try (0..<rounds).map { _ in try Self.time(other + arguments) }.min()
      }
      lines.append(line)
    }
    let report = CPUReport(lines: lines, against: against)
    var output = StandardOutput()
    try output.write(report.text)
    try output.flush()
    if let json { try StatisticsFile.write(report, to: json) }
  }

  private func workloads() throws -> [Workload] {
    var all: [Workload] = []
    func add(_ program: String, _ arguments: [String] = [], name: String? = nil) {
      all.append(
        Workload(
          name: name ?? URL(fileURLWithPath: program).lastPathComponent, own: ["run", program] + arguments,
          other: [program] + arguments))
    }
    for path in programs {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw CommandFailure(CommandFailure.badInput, "\(path): no such program or folder")
      }
      guard isFolder.boolValue else {
        add(path)
        continue
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      for file in files where file.hasPrefix("cpu-") { add("\(path)/\(file)") }
      if files.contains("busybox") { add("\(path)/busybox", Self.systemCalls, name: "system-calls") }
    }
    for virtualization in ["none", "hvm"] {
      let boot = ["boot", "--virtualization", virtualization]
      all.append(Workload(name: "self-test-\(virtualization)", own: boot, other: nil))
      if let kernel {
        let files = ["--kernel", kernel] + (initrd.map { ["--initrd", $0] } ?? [])
        all.append(
          Workload(name: "linux-\(virtualization)", own: boot + files + ["--until", "EPICURE GUEST READY"], other: nil))
      }
    }
    return all
  }

  /// Fields of what `--stats` writes.
  private struct Statistics: Decodable {
    var instructions: UInt64
  }

  private func measure(_ workload: Workload) throws -> CPUReport.Line {
    let statistics = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-bench-\(getpid()).json")
    defer { try? FileManager.default.removeItem(at: statistics) }
    let command = ["/proc/\(getpid())/exe", workload.own[0], "--stats", statistics.path] + workload.own.dropFirst()
    let seconds = try (0..<rounds).map { _ in try Self.time(command) }.min()
    let slots: UInt64
    do {
      slots = try JSONDecoder().decode(Statistics.self, from: try Data(contentsOf: statistics)).instructions
    } catch {
      throw CommandFailure(CommandFailure.guestFailed, "\(workload.name): its statistics cannot be read")
    }
    return CPUReport.Line(name: workload.name, slots: slots, seconds: seconds ?? 0, otherSeconds: nil)
  }

  private static func time(_ command: [String]) throws -> Double {
    guard let child = TimedChild.run(command) else {
      throw CommandFailure(CommandFailure.badInput, "\(command[0]): \(String(cString: strerror(errno)))")
    }
    guard child.status == 0 else {
      throw CommandFailure(CommandFailure.guestFailed, "\(command.joined(separator: " ")): ends with status \(child.status)")
    }
    return child.seconds
  }
}
