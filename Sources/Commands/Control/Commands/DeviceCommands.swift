import ArgumentParser
import Foundation
import Management

/// `epicure block-attach`
struct BlockAttachCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "block-attach", abstract: "Give a running domain another block device (VBD).",
    discussion: """
      The guest's front end finds it in XenStore. The names are xm's: what the host lends, what the guest calls it, r or w.

      Example: epicure block-attach web file:/images/data.img xvdb w
      """)
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  @Argument(help: "What the host lends: file:PATH, phy:DEVICE, tap:qcow2:PATH.")
  var backDevice: String
  @Argument(help: "What the guest calls it: xvdb, sda1, hdc.")
  var frontDevice: String
  @Argument(help: "r or w.")
  var mode: String = "w"

  func run() throws {
    try control.act(
      .attachBlock(domain: domain, disk: "\(backDevice),\(frontDevice),\(mode)", folder: FileManager.default.currentDirectoryPath))
  }
}

/// `epicure block-detach`
struct BlockDetachCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "block-detach", abstract: "Take a block device (VBD) from a running domain.",
    discussion: """
      The guest is asked to let it go, after what it has asked for; with --force it is not asked.

      Example: epicure block-detach web xvdb
      """)
  @OptionGroup var control: ControlOptions
  @Flag(name: [.short, .long], help: "Do not wait for the guest.")
  var force = false
  @Argument(help: "The domain, by name or number.")
  var domain: String
  @Argument(help: "The device: xvdb, or its number.")
  var device: String

  func run() throws { try control.act(.detachBlock(domain: domain, device: device, force: force)) }
}

/// `epicure block-list`
struct BlockListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "block-list", abstract: "List a domain's block devices (VBD).")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String

  func run() throws {
    guard case .blocks(let list) = try control.ask(.blocks(domain: domain)) else { throw ControlOptions.misunderstanding }
    try control.print(list) { XMTables.blocks(list) }
  }
}

/// `epicure network-attach`
struct NetworkAttachCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network-attach", abstract: "Give a running domain another network interface (VNIF).",
    discussion: "Example: epicure network-attach web bridge=lan mac=00:16:3e:01:02:03")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  @Argument(help: "mac=ADDRESS, bridge=NAME and so on, as in a configuration file's vif.")
  var settings: [String] = []

  func run() throws { try control.act(.attachInterface(domain: domain, settings: settings.joined(separator: ","))) }
}

/// `epicure network-detach`
struct NetworkDetachCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network-detach", abstract: "Take a network interface (VNIF) from a running domain.",
    discussion: "Example: epicure network-detach web 1")
  @OptionGroup var control: ControlOptions
  @Flag(name: [.short, .long], help: "Do not wait for the guest.")
  var force = false
  @Argument(help: "The domain, by name or number.")
  var domain: String
  @Argument(help: "Its number in network-list.")
  var device: Int

  func run() throws { try control.act(.detachInterface(domain: domain, device: device, force: force)) }
}

/// `epicure network-list`
struct NetworkListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network-list", abstract: "List a domain's network interfaces (VNIF).")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String

  func run() throws {
    guard case .interfaces(let list) = try control.ask(.interfaces(domain: domain)) else { throw ControlOptions.misunderstanding }
    try control.print(list) { XMTables.interfaces(list) }
  }
}
