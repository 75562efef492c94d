import Devices
import HostResources
import Platform

/// The far end of a partition's serial line: a file, or the terminal that the partitions share line by line.
final class PartitionConsole: SerialPeer {
  private let output: HostConsole
  /// In front of every line; empty for a console that has its output for itself.
  private let prefix: [UInt8]
  private var line: [UInt8] = []
  private var success: OutputMatcher?
  private var failure: OutputMatcher?
  private(set) var hasMatched = false
  /// What the guest said when it failed.
  private(set) var failedLine: String?

  private static let lineLimit = 512

  init(output: HostConsole, prefix: String, success: OutputMatcher?, failure: OutputMatcher?) {
    self.output = output
    self.prefix = Array(prefix.utf8)
    self.success = success
    self.failure = failure
  }

  var isWatched: Bool { success != nil }

  func transmit(_ byte: UInt8) {
    isFresh = true
    if success?.append(byte) == true { hasMatched = true }
    if failure?.append(byte) == true { failedLine = failure?.matchedLine }
    guard !prefix.isEmpty else { return output.write(byte) }
    line.append(byte)
    if byte == 0x0A || line.count >= Self.lineLimit { finishLine() }
  }

  /// What waits is found at the next look at the terminal, which is never far.
  func readyToReceive() {}

  /// Something was written since the last ``idle(at:)``, at which time that was.
  private var isFresh = false
  private var lastOutput: UInt64 = 0
  /// Characters come one by one at the pace of the line, with idle moments between them.
  private static var pause: UInt64 { Cycles.perSecond / 50 }

  /// A prompt has no end of line: it is shown when the partition has written nothing more for a moment.
  func idle(at cycle: UInt64) {
    if isFresh { lastOutput = cycle }
    isFresh = false
    if success?.matchesPartialLine() == true { hasMatched = true }
    if failure?.matchesPartialLine() == true { failedLine = failure?.matchedLine }
    guard cycle >= lastOutput + Self.pause else { return }
    if !line.isEmpty { finishLine() }
    output.flush()
  }

  private func finishLine() {
    for byte in prefix { output.write(byte) }
    for byte in line { output.write(byte) }
    if line.last != 0x0A { for byte in "\r\n".utf8 { output.write(byte) } }
    line.removeAll(keepingCapacity: true)
  }
}
