import ArgumentParser
import Foundation
import Loading
import Management

/// `epicure create`: a domain from a configuration file of xm.
struct CreateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Create a domain from a configuration file of xm.",
    discussion: """
      The smallest file boots a disk:

        name = "web"
        builder = "hvm"
        memory = 256
        disk = ["file:/images/web.img,hda,w"]

      With kernel, ramdisk and epicure_append a Linux kernel starts without a boot loader. name=value on the command line wins over \
      the file: epicure create web.cfg memory=512 name=web2
      """)

  @Flag(name: [.customShort("c"), .customLong("console_autoconnect")], help: "Go to the domain's console.")
  var console = false
  @Flag(name: [.customShort("n"), .customLong("dryrun")], help: "Read the file, print the domain, and create nothing.")
  var dryRun = false
  @Flag(name: [.short, .long], help: "Leave the domain paused.")
  var paused = false
  @Flag(name: [.short, .long], help: "Say nothing but errors.")
  var quiet = false
  @OptionGroup var control: ControlOptions
  @Argument(help: "The configuration file.", completion: .file())
  var file: String
  @Argument(help: "Settings that win over the file: name=value.")
  var settings: [String] = []

  private static let limit: UInt64 = 1 << 20

  func run() throws {
    let contents = try HostFile.read(file, limit: Self.limit)
    // Mistakes are found here, and warnings too.
    let read: DomainConfigurationFile
    do throws(ConfigurationError) { read = try DomainConfigurationFile(contents, file: file, overrides: settings) } catch {
      throw CommandFailure(CommandFailure.badInput, error.description)
    }
    if !quiet {
      for note in read.warnings + read.ignored.filter(\.isRelevant) { StandardError.write("epicure: warning: \(note)") }
    }
    let folder = FileManager.default.currentDirectoryPath
    let uuid = read.configuration.uuid ?? ""
    guard !dryRun else {
      let record = DomainRecord(
        configuration: read.configuration, id: nil, uuid: uuid, memory: read.configuration.memory,
        onlineProcessors: read.configuration.virtualProcessors, state: [], startTime: nil, processorSeconds: 0)
      return try control.print(record) { record.sExpression.pretty() }
    }
    let client = try ControlClient(path: control.path)
    let command = ControlRequest.Command.create(
      file: file, contents: Data(contents), overrides: settings, folder: folder, paused: paused)
    guard case .created(let record, _) = try client.ask(command) else { throw ControlOptions.misunderstanding }
    if control.json {
      try control.print(record.summary) { "" }
    } else if !quiet {
      try control.print(record.summary) { "Started domain \(record.configuration.name)\n" }
    }
    guard console, let id = record.id else { return }
    var terminal = try ConsoleClient(client, domain: String(id), history: true, until: nil)
    try terminal.run()
  }
}
