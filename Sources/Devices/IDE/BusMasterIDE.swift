import Platform

/// Bus master of one channel (Intel 82371AB (PIIX4) data sheet, section 5.2; Programming Interface for Bus Master IDE Controller 1.0):
/// command, status, and the walk through the table of physical region descriptors.
final class BusMasterIDE {
  /// Everything that a saved machine needs of it.
  struct State: Sendable, Equatable, Codable {
    static let version = 1
    var command: UInt8 = 0
    var status: UInt8 = 0
    var tableAddress: UInt32 = 0
    /// Next descriptor, and what is left of the one before it.
    var next: UInt32 = 0
    var address: UInt32 = 0
    var left = 0
    var isLast = false
  }
  private(set) var state = State()

  private let memory: any DMAPort
  /// A transfer left RAM.
  var masterAbort: (() -> Void)?
  /// The start bit has been set.
  var started: (() -> Void)?

  private enum Command {
    static let start: UInt8 = 0x01
    static let toMemory: UInt8 = 0x08
  }
  private enum Status {
    static let active: UInt8 = 0x01
    static let error: UInt8 = 0x02
    static let interrupt: UInt8 = 0x04
    /// Drive 0 and 1 can do DMA: the firmware's notes.
    static let capable: UInt8 = 0x60
  }

  init(memory: any DMAPort) { self.memory = memory }

  func reset() { state = State() }

  // MARK: Registers

  func read(_ offset: UInt64) -> UInt8 {
    switch offset {
    case 0: state.command
    case 2: state.status
    case 4...7: UInt8(truncatingIfNeeded: state.tableAddress >> UInt32(8 * (offset - 4)))
    default: 0
    }
  }

  func write(_ offset: UInt64, _ byte: UInt8) {
    switch offset {
    case 0: writeCommand(byte & (Command.start | Command.toMemory))
    case 2:
      let cleared = byte & (Status.error | Status.interrupt)
      state.status = state.status & (Status.active | Status.error | Status.interrupt) & ~cleared | byte & Status.capable
    case 4...7:
      let shift = UInt32(8 * (offset - 4))
      state.tableAddress = (state.tableAddress & ~(0xFF << shift) | UInt32(byte) << shift) & ~3
    default: break
    }
  }

  private func writeCommand(_ byte: UInt8) {
    let starts = byte & ~state.command & Command.start != 0
    state.command = byte
    if byte & Command.start == 0 { state.status &= ~Status.active }
    guard starts else { return }
    state.status |= Status.active
    state.next = state.tableAddress
    state.left = 0
    state.isLast = false
    started?()
  }

  /// INTRQ has risen.
  func interrupt() { state.status |= Status.interrupt }

  // MARK: Moving data

  /// The engine runs, in this direction.
  func isReady(toMemory: Bool) -> Bool {
    state.status & Status.active != 0 && (state.command & Command.toMemory != 0) == toMemory
  }

  /// Stores bytes of the drive in memory. Returns how many the descriptors had room for.
  func store(_ bytes: UnsafeRawBufferPointer) -> Int {
    walk(bytes.count, toMemory: true) { address, range in
      memory.write(address, from: UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
  }

  /// Fetches bytes for the drive. Returns how many the descriptors had.
  func fetch(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    walk(bytes.count, toMemory: false) { address, range in
      memory.read(address, into: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
    }
  }

  /// Each descriptor has at least two bytes, so `count` bounds the work.
  private func walk(_ count: Int, toMemory: Bool, _ move: (UInt64, Range<Int>) -> Bool) -> Int {
    var done = 0
    while done < count, isReady(toMemory: toMemory) {
      if state.left == 0 {
        guard !state.isLast else {
          state.status &= ~Status.active
          break
        }
        guard nextDescriptor() else { break }
      }
      let n = min(count - done, state.left)
      guard move(UInt64(state.address), done..<done + n) else {
        fail()
        break
      }
      done += n
      state.left -= n
      state.address &+= UInt32(n)
      if state.left == 0 && state.isLast { state.status &= ~Status.active }
    }
    return done
  }

  private func nextDescriptor() -> Bool {
    guard let base: UInt32 = memory.load(UInt64(state.next)), let size: UInt32 = memory.load(UInt64(state.next) + 4) else {
      fail()
      return false
    }
    state.next &+= 8
    state.address = base & ~1
    state.left = size & 0xFFFE == 0 ? 0x10000 : Int(size & 0xFFFE)
    state.isLast = size >> 31 != 0
    return true
  }

  private func fail() {
    state.status = state.status & ~Status.active | Status.error
    masterAbort?()
  }
}
