/// What a machine asks the world outside, in the order of its own time. A recording has answers only where they are not what a world would
/// say in which nothing happens.
public enum Question: UInt8, Sendable, CaseIterable {
  /// A busy machine looks outside: has anything come?
  case look = 1
  /// All processors wait: how much of the time until the next event passes before something comes?
  case wait
  /// May anything come at all? (Answered when that has changed.)
  case mayDeliver
  /// The serial line has room: are there characters that wait?
  case consoleRead
  /// Characters leave the machine: does anybody still listen?
  case consoleWrite
  /// A frame leaves the machine.
  case send
  /// The network adapter takes the next frame.
  case receive
  /// What a network wanted to do at this cycle.
  case networkTimer
  /// The address that a network adapter gets.
  case address
  /// A request to a disk: which error does it end with?
  case disk
  /// The EFI variables at power-on; whether they could be stored.
  case variables

  /// As messages have it.
  var description: String {
    switch self {
    case .look: "a look outside"
    case .wait: "idle time"
    case .mayDeliver: "a change of what may come"
    case .consoleRead: "console input"
    case .consoleWrite: "console output"
    case .send: "a frame sent"
    case .receive: "a frame received"
    case .networkTimer: "an event of the network"
    case .address: "a network adapter's address"
    case .disk: "a disk request"
    case .variables: "the EFI variables"
    }
  }
}

/// Where in a run something happened.
public struct LogPosition: Sendable, Equatable {
  /// How many questions had been asked, this one included.
  public var question: UInt64 = 0
  public var cycle: UInt64 = 0
  /// Questions that were asked while others were being answered.
  public var depth: UInt8 = 0

  package init(question: UInt64 = 0, cycle: UInt64 = 0, depth: UInt8 = 0) {
    (self.question, self.cycle, self.depth) = (question, cycle, depth)
  }
}

/// One entry of a recording.
public enum LogRecord: Sendable, Equatable {
  /// Bytes that came through a channel while a question was being answered.
  case input(LogPosition, Question, channel: UInt64, bytes: [UInt8])
  /// The answer itself.
  case answer(LogPosition, Question, bytes: [UInt8])
  /// What all processors were at that moment.
  case milestone(LogPosition, instructions: UInt64, hash: UInt64)
  /// JSON: see ``RecordedDisk``.
  case disk([UInt8])
  /// What a part of a disk held before the machine wrote to it for the first time.
  case old(disk: UInt64, offset: UInt64, bytes: [UInt8])
  /// JSON: see ``RecordingEnd``.
  case end(LogPosition, [UInt8])

  private enum Kind: UInt8 { case input = 1, answer, milestone, disk, old, end }

  var position: LogPosition? {
    switch self {
    case .input(let position, _, _, _), .answer(let position, _, _), .milestone(let position, _, _), .end(let position, _): position
    case .disk, .old: nil
    }
  }

  /// Positions are written as differences from the one before.
  func encode(after last: inout LogPosition) -> [UInt8] {
    var encoder = LogEncoder()
    func put(_ kind: Kind, _ position: LogPosition) {
      encoder.put(byte: kind.rawValue | position.depth << 4)
      encoder.put(position.question &- last.question)
      encoder.put(position.cycle &- last.cycle)
      last = position
    }
    switch self {
    case .input(let position, let question, let channel, let bytes):
      put(.input, position)
      encoder.put(byte: question.rawValue)
      encoder.put(channel)
      encoder.put(rest: bytes)
    case .answer(let position, let question, let bytes):
      put(.answer, position)
      encoder.put(byte: question.rawValue)
      encoder.put(rest: bytes)
    case .milestone(let position, let instructions, let hash):
      put(.milestone, position)
      encoder.put(instructions)
      encoder.put(fixed: hash)
    case .disk(let text):
      encoder.put(byte: Kind.disk.rawValue)
      encoder.put(rest: text)
    case .old(let disk, let offset, let bytes):
      encoder.put(byte: Kind.old.rawValue)
      encoder.put(disk)
      encoder.put(offset)
      encoder.put(rest: bytes)
    case .end(let position, let text):
      put(.end, position)
      encoder.put(rest: text)
    }
    return encoder.bytes
  }

  /// Nil: these bytes are no record.
  static func decode(_ bytes: [UInt8], after last: inout LogPosition) -> LogRecord? {
    var decoder = LogDecoder(bytes)
    guard let first = decoder.byte(), let kind = Kind(rawValue: first & 0x0F) else { return nil }
    if kind == .disk { return .disk(decoder.rest()) }
    if kind == .old {
      guard let disk = decoder.number(), let offset = decoder.number() else { return nil }
      return .old(disk: disk, offset: offset, bytes: decoder.rest())
    }
    guard let question = decoder.number(), let cycle = decoder.number() else { return nil }
    let position = LogPosition(question: last.question &+ question, cycle: last.cycle &+ cycle, depth: first >> 4)
    last = position
    switch kind {
    case .input:
      guard let asked = decoder.byte().flatMap(Question.init), let channel = decoder.number() else { return nil }
      return .input(position, asked, channel: channel, bytes: decoder.rest())
    case .answer:
      guard let asked = decoder.byte().flatMap(Question.init) else { return nil }
      return .answer(position, asked, bytes: decoder.rest())
    case .milestone:
      guard let instructions = decoder.number(), let hash = decoder.fixed() else { return nil }
      return .milestone(position, instructions: instructions, hash: hash)
    case .end: return .end(position, decoder.rest())
    case .disk, .old: return nil
    }
  }
}
