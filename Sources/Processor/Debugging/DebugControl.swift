/// What a debugger asks of the processors of one machine: where to stop, and what to watch.
///
/// A processor looks here between blocks, in slow paths, and where a block is made; the loop itself knows nothing of it. Blocks with a
/// breakpoint in them are executed instruction by instruction, and references to pages with a watched byte take the slow path.
///
/// The guest's course is the same with and without: time stands still while a processor is stopped, and what the engine looks at between
/// blocks only (timer, interrupts, events, the end of a processor's turn) it looks at between the same blocks.
public final class DebugControl {
  /// Why a processor has stopped.
  public enum Reason: Equatable, Sendable {
    case breakpoint(UInt64)
    /// The address and what is watched there; the reference has been made.
    case watch(address: UInt64, Watch)
    case step
    /// Somebody has asked for it.
    case requested(String)
  }

  /// Bytes whose references stop the machine.
  public struct Watch: Hashable, Sendable, Codable {
    public var address: UInt64
    public var length: UInt64
    public var reads: Bool
    public var writes: Bool

    public init(address: UInt64, length: UInt64, reads: Bool, writes: Bool) {
      (self.address, self.length, self.reads, self.writes) = (address, max(1, length), reads, writes)
    }

    /// Addresses wrap around, so the comparison is of distances.
    func overlaps(_ start: UInt64, _ size: UInt64) -> Bool { start &- address < length || address &- start < size }
  }

  /// Addresses of bundles, with the slot in the two lowest bits: as the guest names them, whatever its address space.
  public var breakpoints: Set<UInt64> = []
  public var watches: Set<Watch> = [] {
    didSet {
      watchedPages = []
      for watch in watches {
        for page in 0..<((watch.address & 0xFFF) + watch.length + 0xFFF) >> 12 {
          watchedPages.insert((watch.address &+ page << 12) >> 12)
        }
      }
    }
  }
  private(set) var watchedPages: Set<UInt64> = []

  /// What is to stop the machine before the next instruction.
  var request: String?
  /// Called by the processor that stops, before ``LogicalProcessor/run(until:)`` returns ``ExitReason/stopped``.
  public var stopped: ((_ processor: Int, Reason) -> Void)?
  /// Called from time to time while a processor runs, between blocks.
  public var look: (() -> Void)?
  /// Slots between two looks. Who looks for a certain moment has shorter ones as that comes near.
  public var lookInterval = longestLook
  /// Some hundredths of a second.
  public static let longestLook: UInt64 = 2_000_000

  /// What the blocks that exist were made for.
  private var knownBreakpoints: Set<UInt64> = []
  private var knownWatches: Set<Watch> = []

  public init() {}

  /// Whoever runs stops before its next instruction.
  public func requestStop(_ reason: String) { request = reason }

  /// Nobody has stopped for it yet, and nobody will.
  public func takeRequest() -> String? {
    defer { request = nil }
    return request
  }

  /// Whether any breakpoint may be among the positions `range` of a block that begins with the bundle at `physical`. Virtual addresses and
  /// physical ones have the offset in a page of 4 KiB in common.
  func hasBreakpoint(physical: UInt64, positions: Range<Int>) -> Bool {
    breakpoints.contains { address in
      let distance = Int(address & 0xFF0) - Int(physical & 0xFF0)
      return distance >= 0 && positions.contains(distance / 16 * 3 + Int(address & 3))
    }
  }

  /// Before processors go on: what the engines keep must agree with what is to be stopped at.
  public func prepare(_ processors: [LogicalProcessor]) {
    if breakpoints != knownBreakpoints {
      knownBreakpoints = breakpoints
      processors.first?.blocks.empty()
      for processor in processors { processor.blocksAreGone() }
    }
    if watches != knownWatches {
      knownWatches = watches
      for processor in processors { processor.softTLB.purgeAll() }
    }
  }
}

/// A processor's part of it.
final class ProcessorDebug {
  let control: DebugControl
  let index: Int

  /// The processor stands in the middle of a block that the engine would run as a whole; nothing but instructions comes before its end.
  struct Inside {
    /// Of its first bundle.
    var ip: UInt64
    var physical: UInt64
    /// Behind its last instruction.
    var end: Int
  }
  var inside: Inside?

  /// A single step began here.
  var stepStart: ExecutionPlace?

  /// The instruction that the processor has been stopped at counts as arrived at until it retires, whatever faults it takes. The stacks tell
  /// one visit from another.
  struct Standing: Equatable {
    var ip: UInt64
    var slot: UInt64
    var sp: UInt64
    var bsp: UInt64
  }
  var standing: Standing?

  /// A watched reference has been made.
  var hit: DebugControl.Reason?
  /// A block runs: watched references end it before they happen, and are made by the stepper.
  var runsBlock = false
  /// That has happened, in the block that begins with this bundle and slot.
  var interrupted: (ip: UInt64, slot: UInt64)?
  /// The next block has a breakpoint.
  var entered: (physical: UInt64, slot: UInt64, fits: Bool)?
  /// Slots retired at the last look.
  var lastLook: UInt64 = 0
  /// The processor has stopped, and goes on from there.
  var hasStopped = false

  init(_ control: DebugControl, index: Int) { (self.control, self.index) = (control, index) }

  func reset() {
    inside = nil
    standing = nil
    hit = nil
    entered = nil
    interrupted = nil
  }

  /// A reference is about to be made. True: not in the middle of a block.
  func reaches(_ address: UInt64, _ size: Int, reads: Bool, writes: Bool) -> Bool {
    let watch = control.watches.first {
      ($0.reads && reads || $0.writes && writes) && $0.overlaps(address, UInt64(max(size, 1)))
    }
    guard let watch else { return false }
    if runsBlock { return true }
    // The first one counts.
    if hit == nil { hit = .watch(address: watch.overlaps(address, 1) ? address : watch.address, watch) }
    return false
  }
}
