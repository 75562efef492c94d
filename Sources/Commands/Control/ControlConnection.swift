import Glibc
import HostResources

/// One client of the control socket, who may be slow, silent or hostile: nothing that it does makes anybody wait.
final class ControlConnection: ConsoleWatcher {
  private let descriptor: Int32
  private(set) var isOpen = true
  /// What the client has said and what it has not been told yet.
  private var input: [UInt8] = []
  private var output: [UInt8] = []
  /// Since when (in looks of the server) it has been silent.
  private(set) var lastRequest: UInt64 = 0
  /// The client watches a domain's console, and its characters are the domain's.
  private(set) var console: DomainConsole?
  /// Close when everything has been said.
  private var isLeaving = false
  private var index: Int?

  /// Who reads so slowly has gone for a walk.
  private static let outputLimit = 1 << 20
  private static let pieceSize = 1 << 16
  /// Requests that are served at one look, so that a flood of them does not stop the guests.
  private static let turn = 8

  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { close() }

  func close() {
    guard isOpen else { return }
    isOpen = false
    console?.unwatch(self)
    Glibc.close(descriptor)
  }

  var isConsole: Bool { console != nil }

  // MARK: The world's looks

  func prepare(_ set: inout PollSet) {
    var interest: PollSet.Interest = []
    let room = console?.room ?? (ControlProtocol.largestRequest + 1 - input.count)
    if room > 0 && !isLeaving { interest.insert(.input) }
    if !output.isEmpty { interest.insert(.output) }
    index = set.add(descriptor, interest)
    // Requests that are still to be served.
    if !isConsole && input.contains(0x0A) { set.limit(0) }
  }

  /// `serve` answers a line. True if a guest may notice something.
  func collect(_ set: PollSet, look: UInt64, serve: (ArraySlice<UInt8>) -> Void) -> Bool {
    guard isOpen, let index else { return false }
    let events = set.events(index)
    var found = false
    if !events.isDisjoint(with: [.input, .hangUp, .error]) { found = receive() }
    if isOpen && !isConsole { found = answer(look, serve) || found }
    if isOpen { flush() }
    return found
  }

  private func receive() -> Bool {
    guard !isLeaving else { return false }
    let limit = min(Self.pieceSize, console?.room ?? Self.pieceSize)
    guard limit > 0 else { return false }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = recv(descriptor, &bytes, limit, Int32(MSG_DONTWAIT))
    if count < 0 && (errno == EAGAIN || errno == EINTR) { return false }
    guard count > 0 else {
      // A client may close its side and still wait for answers.
      if count == 0 && !isConsole && (input.contains(0x0A) || !output.isEmpty) { isLeaving = true } else { close() }
      return false
    }
    if let console {
      console.type(bytes[..<count])
    } else {
      input.append(contentsOf: bytes[..<count])
    }
    return true
  }

  private func answer(_ look: UInt64, _ serve: (ArraySlice<UInt8>) -> Void) -> Bool {
    var served = 0
    var start = 0
    while served < Self.turn, isOpen, !isConsole, let end = input[start...].firstIndex(of: 0x0A) {
      serve(input[start..<end])
      start = end + 1
      served += 1
    }
    if start > 0 { input.removeFirst(start) }
    if served > 0 { lastRequest = look }
    if let console, !input.isEmpty {
      console.type(input.prefix(console.room))
      input.removeAll()
    }
    if input.count > ControlProtocol.largestRequest && !input.contains(0x0A) {
      send(ControlServer.encode(ControlReply(error: "the request is longer than \(ControlProtocol.largestRequest) bytes")))
      input.removeAll()
      isLeaving = true
    }
    if isLeaving && !input.contains(0x0A) && output.isEmpty { close() }
    return served > 0
  }

  // MARK: Output

  func send(_ bytes: some Sequence<UInt8>) {
    guard isOpen else { return }
    output.append(contentsOf: bytes)
  }

  private func flush() {
    while !output.isEmpty {
      let count = output.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EAGAIN { break }
      guard count > 0 else { return close() }
      output.removeFirst(count)
    }
    if output.count > Self.outputLimit || isLeaving && output.isEmpty && !input.contains(0x0A) { close() }
  }

  // MARK: Console

  func attach(_ console: DomainConsole, history: Bool) {
    if history { send(console.history) }
    self.console = console
    console.watch(self)
  }

  func consoleWrote(_ byte: UInt8) {
    guard isOpen else { return }
    output.append(byte)
    // Looks may be far apart while a guest writes much.
    if output.count >= Self.outputLimit { flush() }
  }
}
