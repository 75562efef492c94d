import Platform

/// The boundary between a machine and the world outside. Whatever the machine may notice of that world passes here: as answers to questions
/// that the machine asks, and as bytes that come through channels while a question is being answered. So there is one place where a run
/// is written down, and read again.
///
/// - Live: answers and inputs pass.
/// - Recording: they pass, and what is not as in a world where nothing happens is written down.
/// - Replaying: nobody is asked. The recording says what came, and when it does not fit the run, that is a ``Divergence``.
public final class Journal {
  private enum Mode {
    case live
    case recording(Recorder)
    case replaying(Replayer)
  }

  private let mode: Mode
  private let machine = JournaledMachine()
  private var channels: [(_ bytes: [UInt8]) -> Void] = []

  /// Everything passes, and nothing is kept.
  public init() { mode = .live }

  public init(recordingTo writer: LogWriter) { mode = .recording(Recorder(writer, machine)) }

  /// `loosely`: for another machine than was recorded.
  public init(replaying reader: LogReader, loosely: Bool = false) { mode = .replaying(Replayer(reader, machine, isLoose: loosely)) }

  /// The machine whose world this is. It has not been switched on.
  public func attach(_ machine: Machine) { self.machine.machine = machine }

  public var isReplaying: Bool { replayer != nil }
  /// In a replay: what the machine does is not to be seen, for it has been before, or will be again.
  public var isSilent = false
  public var replayer: Replayer? { if case .replaying(let replayer) = mode { replayer } else { nil } }
  public var recorder: Recorder? { if case .recording(let recorder) = mode { recorder } else { nil } }

  // MARK: Questions

  /// Asks the world. Nil: it is as if nothing had happened. `real` is not called while replaying.
  @discardableResult
  public func ask(_ question: Question, bytes real: () -> [UInt8]?) -> [UInt8]? {
    switch mode {
    case .live: return real()
    case .recording(let recorder):
      recorder.begin(question)
      let answer = real()
      recorder.end(question, answer)
      return answer
    case .replaying(let replayer):
      return replayer.answer(question) { channel, bytes in
        guard channel < channels.count else { return false }
        channels[Int(channel)](bytes)
        return true
      }
    }
  }

  /// The same for yes or no; no is what a world says in which nothing happens.
  @discardableResult
  public func ask(_ question: Question, _ real: () -> Bool) -> Bool { ask(question, bytes: { real() ? [] : nil }) != nil }

  /// The same for a number.
  public func ask(_ question: Question, number real: () -> UInt64?) -> UInt64? {
    let answer = ask(question, bytes: { real().map { LogEncoder.bytes(of: [$0]) } })
    return answer.flatMap { LogDecoder.numbers(in: $0).first }
  }

  // MARK: Channels

  /// A way by which something comes; `perform` does what it does to the machine. Channels are opened while the machine is put together, always
  /// in the same order.
  public func channel(_ perform: @escaping (_ bytes: [UInt8]) -> Void) -> InputChannel {
    channels.append(perform)
    return InputChannel(journal: self, number: channels.count - 1)
  }

  fileprivate func deliver(_ bytes: [UInt8], to channel: Int) {
    switch mode {
    case .live: break
    case .recording(let recorder): recorder.input(bytes, channel: channel)
    // What comes really is not for this run.
    case .replaying: return
    }
    channels[channel](bytes)
  }
}

/// Where something comes in, while a question is being answered.
public struct InputChannel {
  fileprivate unowned let journal: Journal
  fileprivate let number: Int

  public func deliver(_ bytes: [UInt8] = []) { journal.deliver(bytes, to: number) }
  /// A few numbers in the place of bytes; see ``numbers(in:)``.
  public func deliver(numbers: UInt64...) { journal.deliver(LogEncoder.bytes(of: numbers), to: number) }
  public static func numbers(in bytes: [UInt8]) -> [UInt64] { LogDecoder.numbers(in: bytes) }
}

extension LogEncoder {
  static func bytes(of numbers: [UInt64]) -> [UInt8] {
    var encoder = LogEncoder()
    for number in numbers { encoder.put(number) }
    return encoder.bytes
  }
}

extension LogDecoder {
  static func numbers(in bytes: [UInt8]) -> [UInt64] {
    var decoder = LogDecoder(bytes)
    var numbers: [UInt64] = []
    while let number = decoder.number() { numbers.append(number) }
    return numbers
  }
}
