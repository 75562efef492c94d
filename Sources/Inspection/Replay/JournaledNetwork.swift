import Devices
import HostResources
import Platform

/// A network's outlet at the boundary: what comes out of it is written down, whatever network is behind it.
public final class RecordedPort: NetworkPort {
  private let port: any NetworkPort
  private let journal: Journal
  private var arrived: InputChannel?
  public var frameArrived: (() -> Void)?

  public init(_ port: any NetworkPort, journal: Journal) {
    (self.port, self.journal) = (port, journal)
    let arrived = journal.channel { [unowned self] _ in frameArrived?() }
    self.arrived = arrived
    port.frameArrived = { arrived.deliver() }
  }

  public func send(_ frame: [UInt8]) {
    journal.ask(
      .send,
      bytes: {
        port.send(frame)
        return nil
      })
  }
  public func receive() -> [UInt8]? { journal.ask(.receive, bytes: { port.receive() }) }
  public var statistics: NetworkStatistics { port.statistics }
}

/// The same outlet in a replay: there is no network behind it.
public final class ReplayedPort: NetworkPort {
  private let journal: Journal
  public var frameArrived: (() -> Void)?
  public private(set) var statistics = NetworkStatistics()

  public init(journal: Journal) {
    self.journal = journal
    _ = journal.channel { [unowned self] _ in frameArrived?() }
  }

  public func send(_ frame: [UInt8]) {
    statistics.sentFrames &+= 1
    statistics.sentBytes &+= UInt64(frame.count)
    journal.ask(.send, bytes: { nil })
  }

  public func receive() -> [UInt8]? {
    let frame = journal.ask(.receive, bytes: { nil })
    if let frame {
      statistics.receivedFrames &+= 1
      statistics.receivedBytes &+= UInt64(frame.count)
    }
    return frame
  }
}

/// The machine's time, as networks use it: what they plan is written down, and in a replay planned without them.
public final class JournaledTimeline: MachineTimeline {
  private let timeline: EventTimeline
  private let journal: Journal
  private var planned: InputChannel?
  /// In a replay: the timeline's actions in the place of the network's.
  private var stand: [UInt64: Int] = [:]

  public init(_ timeline: EventTimeline, journal: Journal) {
    (self.timeline, self.journal) = (timeline, journal)
    planned = journal.channel { [unowned self] in plan($0) }
  }

  public var now: UInt64 { timeline.now }
  public var cyclesPerSecond: UInt64 { timeline.cyclesPerSecond }

  public func register(_ action: @escaping (UInt64) -> Void) -> Int {
    timeline.register { [journal] cycle in
      journal.ask(
        .networkTimer,
        bytes: {
          action(cycle)
          return nil
        })
    }
  }

  public func schedule(_ action: Int, at cycle: UInt64) { planned?.deliver(numbers: UInt64(action), cycle) }

  private func plan(_ bytes: [UInt8]) {
    let numbers = InputChannel.numbers(in: bytes)
    guard numbers.count == 2 else { return }
    guard journal.isReplaying else { return timeline.schedule(Int(clamping: numbers[0]), at: numbers[1]) }
    let action = stand[numbers[0]] ?? register { _ in }
    stand[numbers[0]] = action
    timeline.schedule(action, at: numbers[1])
  }
}
