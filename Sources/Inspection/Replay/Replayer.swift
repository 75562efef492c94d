/// Gives a machine the answers of a recording, and notices when they do not fit.
public final class Replayer {
  private let reader: LogReader
  /// The machine is another one than was recorded: what came comes at its time, and nothing is compared.
  public let isLoose: Bool
  private let machine: JournaledMachine
  private var position = LogPosition()
  private var next: LogReader.Next
  /// The first thing that did not fit.
  public private(set) var divergence: Divergence?
  /// Called when something does not fit, and when a recording that was cut off has no more: the run is over.
  public var ended: (() -> Void)? { didSet { if divergence != nil || isExhausted { ended?() } } }
  /// The recording was cut off, and has been replayed as far as it goes.
  public private(set) var isExhausted = false
  /// The run is over, perhaps before the recording: what is asked now belongs to no moment of it.
  private var isClosed = false

  init(_ reader: LogReader, _ machine: JournaledMachine, isLoose: Bool) {
    (self.reader, self.machine, self.isLoose) = (reader, machine, isLoose)
    next = .finished
    advance()
  }

  public func close() { isClosed = true }

  /// Goes to the next record that says something about the run.
  private func advance() {
    repeat { next = reader.next() } while next.isAboutDisks
  }

  /// Answers a question, after everything has been done that came meanwhile.
  /// `perform` says whether there is such a channel.
  func answer(_ question: Question, perform: (_ channel: UInt64, _ bytes: [UInt8]) -> Bool) -> [UInt8]? {
    guard divergence == nil, !isExhausted, !isClosed else { return nil }
    if isLoose { return looseAnswer(question, perform) }
    position.question += 1
    checkMilestone(question)
    position.depth += 1
    defer { position.depth -= 1 }
    // While one of them is being performed more may be asked; the count goes on, here as in the recording.
    while divergence == nil, case .record(let record) = next, let place = record.position, isDue(place) {
      switch record {
      case .input(_, let asked, let channel, let bytes):
        guard fits(place, asked, question) else { return nil }
        advance()
        if !perform(channel, bytes) { diverge(.channel(channel, cycle: machine.now)) }
      case .answer(_, let asked, let bytes):
        guard fits(place, asked, question) else { return nil }
        advance()
        return bytes
      case .end: return nil
      case .milestone, .disk, .old:
        diverge(.unexpected(question, cycle: machine.now))
        return nil
      }
    }
    notice(question)
    return nil
  }

  /// What is due by the machine's clock. Answers to questions that this machine has not asked by then are nobody's.
  private func looseAnswer(_ question: Question, _ perform: (_ channel: UInt64, _ bytes: [UInt8]) -> Bool) -> [UInt8]? {
    while case .record(let record) = next, let place = record.position, place.cycle <= machine.now {
      switch record {
      case .input(_, _, let channel, let bytes):
        advance()
        _ = perform(channel, bytes)
      case .answer(_, let asked, let bytes):
        advance()
        if asked == question { return bytes }
      case .milestone, .disk, .old: advance()
      case .end: return nil
      }
    }
    return nil
  }

  private func isDue(_ place: LogPosition) -> Bool {
    place.question == position.question && place.depth == min(position.depth, 15)
  }

  private func fits(_ place: LogPosition, _ asked: Question, _ question: Question) -> Bool {
    if asked == question && place.cycle == machine.now { return true }
    diverge(.different(expected: asked, at: place.cycle, found: question, cycle: machine.now))
    return false
  }

  private func checkMilestone(_ question: Question) {
    guard case .record(.milestone(let place, let instructions, let hash)) = next, place.question == position.question else {
      return
    }
    if place.cycle != machine.now {
      return diverge(.different(expected: question, at: place.cycle, found: question, cycle: machine.now))
    }
    if instructions != machine.instructions || hash != machine.hash { return diverge(.state(cycle: place.cycle)) }
    advance()
  }

  /// What should have happened by now?
  private func notice(_ question: Question) {
    switch next {
    case .record(let record):
      guard let place = record.position, place.question < position.question || place.cycle < machine.now else { return }
      if case .end = record {
        // Its position is that of the last question; more of them come only from a run that goes on.
        if place.cycle < machine.now { diverge(.tooLong(ended: place.cycle, cycle: machine.now)) }
      } else {
        diverge(.missed(record.question ?? question, at: place.cycle, found: question, cycle: machine.now))
      }
    case .cutOff, .finished:
      guard !isExhausted else { return }
      isExhausted = true
      ended?()
    case .damaged: diverge(.damaged(cycle: machine.now))
    }
  }

  private func diverge(_ divergence: Divergence) {
    guard self.divergence == nil else { return }
    self.divergence = divergence
    ended?()
  }
}

extension LogReader.Next {
  fileprivate var isAboutDisks: Bool {
    switch self {
    case .record(.disk), .record(.old): true
    default: false
    }
  }
}

extension LogRecord {
  fileprivate var question: Question? {
    switch self {
    case .input(_, let question, _, _), .answer(_, let question, _): question
    default: nil
    }
  }
}

/// The first difference between a run and its recording.
public enum Divergence: Equatable, Sendable, CustomStringConvertible {
  case different(expected: Question, at: UInt64, found: Question, cycle: UInt64)
  case missed(Question, at: UInt64, found: Question, cycle: UInt64)
  case unexpected(Question, cycle: UInt64)
  /// Something came for a part that the machine does not have.
  case channel(UInt64, cycle: UInt64)
  /// Registers or numbers of instructions at a milestone.
  case state(cycle: UInt64)
  case tooLong(ended: UInt64, cycle: UInt64)
  case damaged(cycle: UInt64)
  case end(String, expected: String, found: String)

  public var description: String {
    switch self {
    case .different(let expected, let at, let found, let cycle):
      "it has \(expected.description) at cycle \(at), the run has \(found.description) at cycle \(cycle)"
    case .missed(let expected, let at, let found, let cycle):
      "it has \(expected.description) at cycle \(at), which did not come; the run has \(found.description) at cycle \(cycle)"
    case .unexpected(let found, let cycle): "the run has \(found.description) at cycle \(cycle), which it does not have there"
    case .channel(let number, let cycle): "at cycle \(cycle) it has something for part \(number), which the machine does not have"
    case .state(let cycle): "at cycle \(cycle) the registers or the number of instructions are not those of the recording"
    case .tooLong(let ended, let cycle): "it ends at cycle \(ended), the run went on (cycle \(cycle))"
    case .damaged(let cycle): "it is damaged behind cycle \(cycle)"
    case .end(let name, let expected, let found): "at the end it has \(name) \(expected), the run \(found)"
    }
  }

  /// Does a run end where its recording does?
  public static func atTheEnd(
    _ end: RecordingEnd, instructions: UInt64, cycles: UInt64, stateHash: String, memoryHash: String
  ) -> Divergence? {
    func difference(_ name: String, _ expected: String, _ found: String) -> Divergence? {
      expected == found ? nil : .end(name, expected: expected, found: found)
    }
    return difference("cycle", String(end.cycles), String(cycles))
      ?? difference("instructions", String(end.instructions), String(instructions))
      ?? difference("registers", end.stateHash, stateHash) ?? difference("memory", end.memoryHash, memoryHash)
  }
}
