import Foundation
import HostResources
import Pipeline
import Platform

/// One boot, or several at once on one clock: domains that share a disk, or a guest and its peer on a network.
struct IORun {
  let timing: MachineDescription?
  let costs: HostProcessor.Costs
  /// The guest's image and the disks, in a folder that is removed with its owner.
  let folder: IOFolder

  private static let memory: UInt64 = 256 << 20
  private static let diskSize: UInt64 = 64 << 20
  /// A turn of all machines: what a frame spends in a bridge, so that none comes late.
  private static let turn: UInt64 = 8000
  /// Longer than any plan needs.
  private static let limit: UInt64 = 60 * 60 * Cycles.perSecond

  /// The jobs' measurements, domain by domain.
  func measure(_ method: IOMethod, _ jobs: [IOJob], domains: Int = 1) throws -> [[IOMeasurement]] {
    let commands = jobs.map { $0.command(for: method.driver) }.joined(separator: " ")
    let results = try run(method, commands, domains: domains).map(\.measurements)
    guard results.allSatisfy({ $0.count == jobs.count && $0.allSatisfy { $0.errors == 0 } }) else {
      throw CommandFailure(CommandFailure.guestFailed, "\(method.name): requests have failed, or their results are missing")
    }
    return results
  }

  /// The guest's own check of what it writes and reads back: how many checks there were.
  func check(_ method: IOMethod) throws -> Int {
    let command = "\(method.device == .block ? "check" : "checknet"):\(method.driver)"
    let checks = try run(method, command, domains: 1)[0].checks
    guard let checks else { throw CommandFailure(CommandFailure.guestFailed, "\(method.name): the guest has not checked anything") }
    return checks
  }

  private func run(_ method: IOMethod, _ commands: String, domains: Int) throws -> [IOGuest] {
    let medium = MediumTiming()
    let host = method.usesHost ? HostProcessor(costs) : nil
    medium.host = host
    let networks = try Networks(world: OutsideWorld(), all: [])
    networks.givesWires = true
    var guests: [IOGuest] = []
    for number in 0..<domains {
      var guest = GuestConfiguration(kernel: folder.kernel, commandLine: commands, memory: Self.memory, timing: timing)
      guest.domain = method.virtualization.makesDomain()
      switch method.device {
      case .block:
        guest.disks = [
          try DiskSpecification(parsing: "\(try folder.disk(number, size: Self.diskSize)),cache=unsafe,\(method.options)")
        ]
        guest.medium = medium
      case .network: guest.adapters = [try NICSpecification(parsing: "bridge=lan,shared=off,\(method.options)")]
      }
      guests.append(IOGuest(try guest.makeServer(networks: networks), method: method, host: host))
    }
    var peer: IOGuest?
    if method.device == .network {
      let native = IOMethod.network[0]
      // The peer's own time is not measured.
      var configuration = GuestConfiguration(
        kernel: folder.kernel, commandLine: "peer:\(native.driver)", memory: Self.memory, timing: timing)
      configuration.adapters = [try NICSpecification(parsing: "bridge=lan,shared=off,\(native.options)")]
      peer = IOGuest(try configuration.makeServer(networks: networks), method: native, host: nil)
    }
    try run(guests, with: peer)
    for guest in guests {
      guard guest.outcome == .poweredOff, guest.lastLine == "IOBENCH done" else {
        throw CommandFailure(
          CommandFailure.guestFailed,
          "\(method.name): the guest did not do its work (\(guest.outcome.map { "\($0)" } ?? "it waits for ever"); \(guest.lastLine))"
        )
      }
    }
    return guests
  }

  /// In turns on one clock, until all of `guests` have ended.
  private func run(_ guests: [IOGuest], with peer: IOGuest?) throws {
    let all = guests + (peer.map { [$0] } ?? [])
    var now: UInt64 = 0
    var stuck = 0
    while guests.contains(where: { $0.outcome == nil }), now < Self.limit {
      // While all wait, time passes at once.
      let next = all.compactMap { $0.outcome == nil ? $0.server.machine.nextActivity : nil }.min() ?? now
      now = max(now + Self.turn, min(next, Self.limit))
      var waiting = 0
      for guest in all where try guest.run(until: now) { waiting += 1 }
      stuck = waiting == all.count ? stuck + 1 : 0
      // What is on its way from one to another has arrived after some turns.
      if stuck > 100 { return }
    }
  }
}

/// A folder for the guest's image and its disks.
final class IOFolder {
  private let url: URL
  let kernel: String

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("epicure-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    kernel = url.appendingPathComponent("iobench.elf.gz").path
    try Data(PackageResources.iobench_elf_gz).write(to: URL(fileURLWithPath: kernel))
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  /// An empty disk; the same number is the same disk.
  func disk(_ number: Int, size: UInt64) throws -> String {
    let path = url.appendingPathComponent("disk\(number).img").path
    if !FileManager.default.fileExists(atPath: path) {
      try Data().write(to: URL(fileURLWithPath: path))
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try file.truncate(atOffset: size)
      try file.close()
    }
    return path
  }
}
