import ArgumentParser
import Hypervisor
import Pipeline
import Platform
import Processor

/// `epicure bench traps`: what virtualization costs, piece of work by piece of work.
struct TrapsBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "traps",
    abstract: "Measure what virtualization costs: the bare machine against an HVM domain.",
    discussion: """
      Boots the kernel on the bare machine and as an HVM domain, with a program that computes, walks through memory, calls the system, \
      forks, switches between processes, and sleeps. The table has the cycles of each, what virtualization adds, and the exits per \
      second of guest time by cause. With --accelerations the domain is measured again with each acceleration of VT-i switched off: \
      what it is worth. That takes some minutes.
      """)

  @Option(help: ArgumentHelp("Linux kernel: ELF, perhaps compressed.", valueName: "file"), completion: .file())
  var kernel: String
  @Flag(help: "Measure each acceleration switched off, and all of them.")
  var accelerations = false
  @Option(help: ArgumentHelp("The processor: montecito-1.6, madison-1.5, mckinley-1.0, or a YAML file.", valueName: "name or file"))
  var pipeline = "montecito-1.6"
  @Option(help: ArgumentHelp("Write the tables as JSON.", valueName: "file"), completion: .file())
  var json: String?
  @Option(help: ArgumentHelp("Write the tables as Markdown.", valueName: "file"), completion: .file())
  var markdown: String?

  private static let memory: UInt64 = 256 << 20

  func run() throws {
    let description = try MachineDescription.load(pipeline)
    let initrd = try WorkGuest.archive()
    func measure(_ name: String, _ accelerations: VirtualProcessorDescriptor.Accelerations?) throws -> TrapsReport.Run {
      StandardError.write("epicure: \(name)")
      var guest = GuestConfiguration(kernel: kernel, commandLine: WorkGuest.commandLine, memory: Self.memory, timing: description)
      guest.initrdContents = initrd
      if let accelerations {
        guest.domain = { try HVMDomain.alone($0, accelerations: accelerations) }
      }
      return TrapsReport.Run(name: name, try WorkGuest(guest).run())
    }
    typealias Accelerations = VirtualProcessorDescriptor.Accelerations
    var runs = [try measure("native", nil), try measure("hvm", .implemented)]
    if accelerations {
      for (name, bit) in Accelerations.names {
        runs.append(try measure("hvm without \(name)", Accelerations.implemented.subtracting(bit)))
      }
      runs.append(try measure("hvm without accelerations", []))
    }
    let report = TrapsReport(pipeline: pipeline, runs: runs)
    var output = StandardOutput()
    try output.write(report.text(style: .terminal))
    try output.flush()
    if let json { try StatisticsFile.write(report, to: json) }
    if let markdown { try TextFile.write(report.text(style: .markdown), to: markdown) }
  }
}
