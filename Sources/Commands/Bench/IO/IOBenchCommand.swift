import ArgumentParser
import Pipeline
import Platform

/// `epicure bench io`: the same work by every method of input and output.
struct IOBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "io", abstract: "Measure input and output by every method: native, emulated, paravirtual, direct.",
    discussion: """
      Boots a kernel of its own, which does the same work through each kind of disk and network: on the bare machine, in a domain that \
      has the device for itself, with emulated devices, and with paravirtual ones. For each job the table has throughput, latencies, \
      what a request costs in cycles of the guest, the hypervisor and the host's operating system, exits, notifications, and bytes \
      copied. The disk and the wire are the same for all methods.
      """)

  @Flag(help: "Few sizes and few requests: some seconds.")
  var quick = false
  @Flag(help: "All sizes and depths: many minutes.")
  var full = false
  @Option(
    help: ArgumentHelp(
      "Only this method: \(IOMethod.names.joined(separator: ", ")). May be given several times.", valueName: "name"))
  var method: [String] = []
  @Option(help: ArgumentHelp("Only jobs whose names contain this text, as in \"random read, 4 KB\".", valueName: "text"))
  var job: [String] = []
  @Option(
    help: ArgumentHelp("functional: each slot takes one cycle. cycle: as many as the pipeline would take.", valueName: "model"))
  var timing = TimingOptions.Model.cycle
  @Option(help: ArgumentHelp("The processor: montecito-1.6, madison-1.5, mckinley-1.0, or a YAML file.", valueName: "name or file"))
  var pipeline = "montecito-1.6"
  @Flag(help: "Measure nothing: let the guest write by each method, and compare what it reads back.")
  var check = false
  @Option(help: ArgumentHelp("Write everything as JSON.", valueName: "file"), completion: .file())
  var json: String?
  @Option(help: ArgumentHelp("Write a page with plots.", valueName: "file"), completion: .file())
  var html: String?

  func validate() throws {
    if quick && full { throw ValidationError("--quick and --full exclude each other.") }
    for name in method where !IOMethod.names.contains(name) {
      throw ValidationError("there is no method '\(name)'; there is \(IOMethod.names.joined(separator: ", "))")
    }
  }

  func run() throws {
    let description: MachineDescription
    do throws(MachineDescription.Failure) { description = try MachineDescription.load(pipeline) } catch {
      throw CommandFailure(CommandFailure.badInput, "--pipeline: \(error)")
    }
    let plan = quick ? IOPlan.quick : full ? .full : .standard
    let bench = IOBench(
      plan: plan, description: description, isTimed: timing == .cycle,
      includes: { method.isEmpty || method.contains($0.name) }, wants: { job.isEmpty || job.contains(where: $0.name.contains) },
      progress: { StandardError.write("epicure: \($0)") })
    var output = StandardOutput()
    if check {
      for (method, checks) in try bench.check() { try output.write("\(method.device.rawValue) \(method.name): \(checks) checks\n") }
      return try output.flush()
    }
    let report = try bench.run()
    try output.write(report.text)
    try output.flush()
    if let json { try StatisticsFile.write(report, to: json) }
    if let html { try TextFile.write(IOPage(report: report).html, to: html) }
  }
}
