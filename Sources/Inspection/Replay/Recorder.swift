/// Writes down what a machine is told.
public final class Recorder {
  public let writer: LogWriter
  private let machine: JournaledMachine
  private var position = LogPosition()
  /// Questions that are being answered, the outermost first.
  private var asked: [Question] = []
  private var lastMilestone: UInt64 = 0

  /// Cycles between two milestones, at least: a sixth of a second of 1.6 GHz.
  static let milestoneInterval: UInt64 = 1 << 28

  init(_ writer: LogWriter, _ machine: JournaledMachine) { (self.writer, self.machine) = (writer, machine) }

  private var here: LogPosition {
    position.cycle = machine.now
    position.depth = UInt8(clamping: min(asked.count, 15))
    return position
  }

  func begin(_ question: Question) {
    position.question += 1
    // Where no processor is in the middle of something.
    if asked.isEmpty, question == .look || question == .wait, machine.now >= lastMilestone &+ Self.milestoneInterval {
      lastMilestone = machine.now
      writer.append(.milestone(here, instructions: machine.instructions, hash: machine.hash))
    }
    asked.append(question)
  }

  func end(_ question: Question, _ answer: [UInt8]?) {
    if let answer { writer.append(.answer(here, question, bytes: answer)) }
    asked.removeLast()
  }

  func input(_ bytes: [UInt8], channel: Int) {
    // What comes unasked has no moment in the machine's time at which it could come again.
    guard let question = asked.last else { preconditionFailure("something came from outside that nobody had asked for") }
    writer.append(.input(here, question, channel: UInt64(channel), bytes: bytes))
  }

  /// The last record.
  public func finish(_ text: [UInt8]) { writer.append(.end(here, text)) }
}
