import Devices
import Foundation
import Hypervisor
import Loading
import Platform
import Processor

/// A Linux guest whose first process is `GuestImages/virtbench`: pieces of work, announced on the console.
final class WorkGuest: SerialPeer {
  /// One piece of work.
  struct Piece {
    var name: String
    var cycles: UInt64
    var instructions: UInt64
    /// Exits while it ran, by kind.
    var exits: [ExitKind: UInt64]
  }

  private let server: Server
  private var line: [UInt8] = []
  private var begun: (name: String, instructions: UInt64, exits: [ExitKind: UInt64])?
  private(set) var pieces: [Piece] = []

  /// `configuration`: all but what the guest boots; `kernel`: a Linux kernel file.
  init(_ configuration: GuestConfiguration) throws {
    server = try configuration.makeServer()
    server.console.peer = self
    server.mayReset = false
  }

  /// What the kernel is told, and the archive that it unpacks as its first file system.
  static let commandLine = "console=ttyS0 quiet rdinit=/virtbench"
  static func archive() throws -> [UInt8] {
    let program = try GzipReader.decompress(PackageResources.virtbench_gz, limit: 1 << 20, file: "virtbench")
    var archive = CPIOArchive()
    archive.add(folder: "dev")
    // The kernel opens it for the first process.
    archive.add(characterDevice: "dev/console", major: 5, minor: 1)
    archive.add(file: "virtbench", program, mode: 0o755)
    return archive.bytes
  }

  /// Runs until the guest switches its machine off. Throws if it does anything else.
  func run() throws -> [Piece] {
    let outcome = try server.run(until: .max)
    guard outcome == .poweredOff, !pieces.isEmpty else {
      throw CommandFailure(CommandFailure.guestFailed, "the guest did not do its work (\(outcome)); is the kernel Linux for ia64?")
    }
    return pieces
  }

  // MARK: Console

  func transmit(_ byte: UInt8) {
    guard byte == 0x0A || line.count >= 200 else { return line.append(byte) }
    let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    line.removeAll(keepingCapacity: true)
    guard words.count >= 3, words[0] == "VB" else { return }
    let name = String(words[2])
    if words[1] == "begin" {
      begun = (name, server.machine.instructions, exits)
    } else if let begun, begun.name == name, words.count == 4, let ticks = UInt64(words[3], radix: 16) {
      pieces.append(
        Piece(
          name: name, cycles: ticks * LogicalProcessor.cyclesPerITCTick,
          instructions: server.machine.instructions - begun.instructions,
          exits: exits.merging(begun.exits) { $0 - $1 }.filter { $0.value > 0 }))
    }
  }

  func readyToReceive() {}

  private var exits: [ExitKind: UInt64] {
    guard let domain = server.domain else { return [:] }
    return domain.virtualProcessors.reduce(into: [:]) { sum, processor in
      for (kind, count) in processor.exits.byKind { sum[kind, default: 0] += count }
    }
  }
}
