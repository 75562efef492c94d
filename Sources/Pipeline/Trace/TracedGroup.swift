import IA64
import Processor

/// An issue group as a trace shows it.
public struct TracedGroup: Sendable {
  public struct Syllable: Sendable {
    public var instruction: Instruction
    public var bundle: Bundle
    /// Address of its bundle, and its slot there; 1 for both halves of a long instruction.
    public var address: UInt64
    public var slot: Int
    /// What its qualifying predicate holds when the group issues. The group itself may yet change that for its branches.
    public var predicate: Bool
  }

  public var syllables: [Syllable]
  /// Cycle in which it issued.
  public var issued: UInt64
  /// What the cycles between the last group's and this one were spent on.
  public var waits: CauseCounts
  public var privilegeLevel: Int
  /// It is what was left of the group before it, which had to be left in the middle; the two are one.
  public var goesOn: Bool
  /// Why no more syllables went with it.
  var split: SplitCause
  /// Where a group comes from that is not reached by a branch: behind the last syllable.
  public var next: Position
  /// Interruptions that have been delivered so far.
  var interruptions: UInt64
  /// Where the last one, if it was one, leads back to; nil if the processor has not noted that.
  var interrupted: Position?

  public var first: Position { Position(address: syllables.first?.address ?? 0, slot: syllables.first?.slot ?? 0) }

  /// A slot of the address space.
  public struct Position: Sendable, Hashable {
    public var address: UInt64
    public var slot: Int
  }

  /// Reads the syllables out of memory, which still holds what was planned: a block whose code changes is dropped.
  init(
    _ group: UnsafePointer<IssueGroup>, address: UInt64, issued: UInt64, waits: CauseCounts, level: Int, interruptions: UInt64,
    goesOn: Bool, _ processor: LogicalProcessor
  ) {
    let g = group.pointee
    let state = processor.state
    var syllables: [Syllable] = []
    var position = Int(g.header.start)
    let firstBundle = position / 3
    while position < Int(g.header.end) {
      let offset = UInt64(position / 3 - firstBundle) * 16
      guard let host = processor.memory.host(g.physical &+ offset, count: 16) else { break }
      let bundle = Bundle(
        low: host.loadUnaligned(as: UInt64.self), high: host.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      let slot = position % 3
      let instruction = Decoder.decode(bundle: bundle, slot: slot)
      syllables.append(
        Syllable(
          instruction: instruction, bundle: bundle, address: address &+ offset, slot: slot,
          predicate: state.pr[Int(instruction.qp)] != 0))
      position += bundle.isLong && slot == 1 ? 2 : 1
    }
    self.syllables = syllables
    self.issued = issued
    self.waits = waits
    privilegeLevel = level
    self.goesOn = goesOn
    split = g.split
    let end = Int(g.header.end)
    next = Position(address: address &+ UInt64(end / 3 - firstBundle) * 16, slot: end % 3)
    self.interruptions = interruptions
    let isNoted = state.pointee.psr & PSR.ic == 0
    interrupted = isNoted ? Position(address: state.cr[CR.iip], slot: Int(PSR.ri(state.cr[CR.ipsr]))) : nil
  }
}
