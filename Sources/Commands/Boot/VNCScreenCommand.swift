import ArgumentParser
import HostResources

/// What a machine with a screen starts for the screen's clients; nobody's to type.
struct VNCScreenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vnc-screen", abstract: "Show a screen to VNC clients.", shouldDisplay: false)

  func run() throws { throw CommandFailure(CommandFailure.badInput, "\(VNCProcess.run())") }
}
