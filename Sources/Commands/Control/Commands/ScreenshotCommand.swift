import ArgumentParser
import Foundation
import HostResources

/// `epicure screenshot`
struct ScreenshotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "screenshot", abstract: "Write what is on a domain's screen as a PNG file.",
    discussion: "The domain has a screen if its configuration says stdvga = 1, vnc = 1, or (PV) vfb = ['type=vnc'].")
  @OptionGroup var control: ControlOptions
  @Argument(help: "The domain, by name or number.")
  var domain: String
  @Argument(help: "The file.")
  var file: String

  func run() throws {
    guard case .file(let picture) = try control.ask(.screenshot(domain: domain)) else { throw ControlOptions.misunderstanding }
    do throws(StorageProblem) { try ReplacedFile(path: file).write(Array(picture)) } catch {
      throw CommandFailure(CommandFailure.badInput, "\(error)")
    }
  }
}
