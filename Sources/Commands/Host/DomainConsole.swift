import Devices
import HostResources

/// Somebody who watches a domain's console.
protocol ConsoleWatcher: AnyObject {
  func consoleWrote(_ byte: UInt8)
}

/// The far end of a domain's serial line: remembers the last output, hands it to whoever watches, and looks for the guest's last words.
/// It outlives the machine: a domain that restarts keeps it.
final class DomainConsole: SerialPeer {
  /// How much is remembered.
  static let remembered = 64 << 10
  /// What has been typed and not been taken by the guest.
  private static let inputLimit = 4096

  weak var line: (any ConsoleLine)?
  private var ring: [UInt8] = []
  private var position = 0
  private var input: [UInt8] = []
  private var watchers: [Entry] = []
  private struct Entry { weak var watcher: (any ConsoleWatcher)? }

  private let pattern: OutputMatcher?
  private var failure: OutputMatcher?
  /// What the guest said when it failed.
  private(set) var failedLine: String?
  /// Something was written since this was last set to false.
  var isFresh = false

  /// `failure`: lines that a guest writes when it has failed.
  init(failure: OutputMatcher?) {
    pattern = failure
    self.failure = failure
  }

  /// A new machine is plugged in, or none.
  func connect(_ line: (any ConsoleLine)?) {
    self.line?.peer = nil
    self.line = line
    line?.peer = self
    failure = pattern
    failedLine = nil
    input.removeAll()
  }

  // MARK: Output

  /// The last output, oldest first.
  var history: [UInt8] { Array(ring[position...] + ring[..<position]) }

  func transmit(_ byte: UInt8) {
    isFresh = true
    if ring.count < Self.remembered {
      ring.append(byte)
    } else {
      ring[position] = byte
      position = (position + 1) % Self.remembered
    }
    for entry in watchers { entry.watcher?.consoleWrote(byte) }
    if failure?.append(byte) == true, failedLine == nil { failedLine = failure?.matchedLine }
  }

  func watch(_ watcher: any ConsoleWatcher) {
    watchers.removeAll { $0.watcher == nil }
    watchers.append(Entry(watcher: watcher))
  }

  func unwatch(_ watcher: any ConsoleWatcher) { watchers.removeAll { $0.watcher == nil || $0.watcher === watcher } }

  // MARK: Input

  /// How many characters ``type(_:)`` takes.
  var room: Int { line == nil ? 0 : Self.inputLimit - input.count }

  func type(_ bytes: some Sequence<UInt8>) {
    input.append(contentsOf: bytes)
    pump()
  }

  func readyToReceive() { pump() }

  private func pump() {
    guard !input.isEmpty, let line else { return }
    input.removeFirst(line.receive(input))
  }
}
