import Foundation
import Inspection
import Platform
import Testing

/// A machine's boundary: what was asked, answered and delivered comes again, and nobody outside is asked for it.
@Suite struct JournalTests {
  let folder: RecordingFolder
  init() throws { folder = try RecordingFolder() }

  /// A run that asks a random world, the same way each time; what it has learned.
  private func run(_ journal: Journal, course: UInt64, world: (inout SplitMix) -> Bool) throws -> [String] {
    let machine = try Machine(MachineConfiguration(memorySize: MachineConfiguration.smallestMemory))
    journal.attach(machine)
    var heard: [String] = []
    var channels: [InputChannel] = []
    // The second channel asks while something comes through it.
    channels.append(journal.channel { heard.append("first \($0)") })
    channels.append(
      journal.channel { bytes in
        let answer = journal.ask(.consoleRead, bytes: { bytes.first.map { [$0 &+ 1] } })
        heard.append("second \(bytes) \(answer ?? [])")
      })
    var course = SplitMix(state: course)
    var outside = SplitMix(state: RecordingFolder.seed)
    for n in 0..<2000 {
      let question = Question.allCases.randomElement(using: &course) ?? .look
      let answer = journal.ask(
        question,
        bytes: {
          while world(&outside) {
            let channel = channels[Int.random(in: 0...1, using: &outside)]
            channel.deliver((0..<Int.random(in: 0...9, using: &outside)).map { UInt8($0) })
          }
          return world(&outside) ? [UInt8.random(in: 0...255, using: &outside)] : nil
        })
      if let answer { heard.append("\(n) \(question) \(answer)") }
    }
    return heard
  }

  private func record(course: UInt64) throws -> [String] {
    let writer = try folder.writer("log")
    let journal = Journal(recordingTo: writer)
    let heard = try run(journal, course: course) { Int.random(in: 0..<10, using: &$0) == 0 }
    journal.recorder?.finish(Array("{}".utf8))
    return heard
  }

  @Test func comesAgain() throws {
    let heard = try record(course: 1)
    #expect(heard.count > 100)
    let journal = Journal(replaying: try LogReader(path: folder.path("log")))
    let again = try run(journal, course: 1) { _ in
      Issue.record("the world was asked")
      return false
    }
    #expect(again == heard, "seed \(RecordingFolder.seed)")
    #expect(journal.replayer?.divergence == nil, "seed \(RecordingFolder.seed)")
    #expect(journal.replayer?.isExhausted == false)
  }

  /// Live, a journal is not there.
  @Test func live() throws {
    let journal = Journal()
    #expect(journal.ask(.look) { true })
    #expect(journal.ask(.wait, number: { 7 }) == 7)
    #expect(journal.ask(.receive, bytes: { nil }) == nil)
    #expect(!journal.isReplaying && journal.recorder == nil)
  }

  @Test func numbers() throws {
    do {
      let journal = Journal(recordingTo: try folder.writer("log"))
      for number in [nil, 0, 127, 128, .max] as [UInt64?] { #expect(journal.ask(.wait, number: { number }) == number) }
      journal.recorder?.finish([])
    }
    let journal = Journal(replaying: try LogReader(path: folder.path("log")))
    for number in [nil, 0, 127, 128, .max] as [UInt64?] { #expect(journal.ask(.wait, number: { nil }) == number) }
    #expect(journal.replayer?.divergence == nil)
  }

  /// A run that asks something else is noticed, and told to end.
  @Test func another() throws {
    _ = try record(course: 1)
    let journal = Journal(replaying: try LogReader(path: folder.path("log")))
    var ended = 0
    journal.replayer?.ended = { ended += 1 }
    _ = try run(journal, course: 2) { _ in false }
    #expect(journal.replayer?.divergence != nil, "seed \(RecordingFolder.seed)")
    #expect(ended == 1)
  }

  /// Whatever has been cut off: the run goes as far as the recording, and ends there.
  @Test func cutOff() throws {
    let heard = try record(course: 1)
    let whole = try folder.read("log")
    let path = try folder.write("cut", Array(whole[..<(whole.count / 2)]))
    let journal = Journal(replaying: try LogReader(path: path))
    var ended = 0
    journal.replayer?.ended = { ended += 1 }
    let again = try run(journal, course: 1) { _ in false }
    // The last one may have lost the answer to a question of its own.
    #expect(again.count < heard.count && again.dropLast() == heard.prefix(max(0, again.count - 1)), "seed \(RecordingFolder.seed)")
    #expect(journal.replayer?.isExhausted == true && journal.replayer?.divergence == nil && ended == 1)
  }

  /// Channels that the machine does not have, in a file whose sums are right.
  @Test func foreignChannel() throws {
    do {
      let writer = try folder.writer("log")
      writer.append(.input(LogPosition(question: 1, cycle: 0, depth: 1), .look, channel: .max, bytes: [1]))
    }
    let journal = Journal(replaying: try LogReader(path: folder.path("log")))
    #expect(!journal.ask(.look) { true })
    #expect(journal.replayer?.divergence == .channel(.max, cycle: 0))
  }
}
