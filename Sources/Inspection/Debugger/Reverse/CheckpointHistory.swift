import CProcess
import FoundationEssentials
import Processor

#if canImport(Glibc)
  import Glibc
#endif

/// The past of a machine whose run can be repeated (a replay), by copies of the process: every now and then it forks, and the child waits. To go
/// back, a child of the nearest one runs forward to where the past is wanted, and takes this process's place; this one ends.
///
/// How far to run is found out by scouts, which are children, too: they do the same without being seen, and count.
///
/// Whoever runs the machine calls ``start()`` before it does, and asks ``takes(_:)`` about each stop before anybody else is told.
public final class CheckpointHistory: ReverseDebugging {
  /// What the machine's surroundings have to do with it.
  public struct Surroundings {
    /// What the front end knows, and its connection: for the process that goes on.
    public var handOver: () -> (state: [UInt8], descriptor: Int32?)
    public var takeOver: (_ state: [UInt8], _ descriptor: Int32?) -> Void
    /// Nothing of what the machine does is to be seen.
    public var silence: (Bool) -> Void
    /// Called from time to time while the machine runs.
    public var look: () -> Void

    public init(
      handOver: @escaping () -> (state: [UInt8], descriptor: Int32?), takeOver: @escaping ([UInt8], Int32?) -> Void,
      silence: @escaping (Bool) -> Void, look: @escaping () -> Void
    ) { (self.handOver, self.takeOver, self.silence, self.look) = (handOver, takeOver, silence, look) }
  }

  private let debugger: Debugger
  private let surroundings: Surroundings
  private let frontEndLooks: (() -> Void)?
  private var checkpoints: [Checkpoint] = []
  /// On the way to somewhere.
  private var errand: Running?

  private struct Checkpoint {
    var line: ProcessLine
    var total: UInt64
    var places: [ExecutionPlace]
    /// Made on the way to a place, so that more steps back from there are short.
    var isNear: Bool
  }

  private final class Running {
    let order: Errand
    /// A scout's answer goes here; nil: this process is the one that goes on.
    let answer: ProcessLine?
    let frontEnd: [UInt8]
    let connection: Int32?
    /// Steps or stops so far; nil: the steps have not begun, or there was no stop.
    var count: Int?
    /// What was looked for is not where it should be.
    var isLost = false

    init(_ order: Errand, answer: ProcessLine? = nil, frontEnd: [UInt8] = [], connection: Int32? = nil) {
      (self.order, self.answer, self.frontEnd, self.connection) = (order, answer, frontEnd, connection)
    }
  }

  /// Slots between checkpoints at first; doubled when there are too many, and every second one goes.
  private var interval: UInt64 = 100_000_000
  private static let largestCount = 40
  /// Before a place is reached it goes on by single steps: so many slots before.
  private static let stepMargin: UInt64 = 4096
  private static let shortestLook: UInt64 = 1024

  public init(_ debugger: Debugger, _ surroundings: Surroundings) {
    (self.debugger, self.surroundings) = (debugger, surroundings)
    frontEndLooks = debugger.look
    debugger.look = { [unowned self] in look() }
    debugger.reverse = self
    // Nobody waits for the children.
    signal(SIGCHLD, SIG_IGN)
  }

  /// The machine is about to run. Makes the first checkpoint. False: it is to stand still, and the front end has its say.
  public func start() -> Bool {
    guard checkpoints.isEmpty, errand == nil else { return true }
    checkpoint()
    return errand.map { enter($0, processor: debugger.machine.currentProcessor) } ?? true
  }

  private var total: UInt64 { debugger.machine.processors.reduce(0) { $0 &+ $1.executionPlace.progress } }
  private func place(_ index: Int) -> ExecutionPlace { debugger.machine.processors[index].executionPlace }

  // MARK: Going back

  public func stepBack(processor: Int) -> Debugger.Stop {
    let goal = place(processor)
    for checkpoint in checkpoints.reversed() where checkpoint.places[processor].progress < goal.progress {
      if let count = scout(checkpoint, .steps(processor: processor, to: goal, count: nil)), count > 0 {
        goOn(checkpoint, .steps(processor: processor, to: goal, count: count - 1))
      }
    }
    return beginning(processor)
  }

  public func continueBack() -> Debugger.Stop {
    var bound = total
    if !debugger.breakpoints.isEmpty || !debugger.watches.isEmpty {
      for checkpoint in checkpoints.reversed() where checkpoint.total < bound {
        if let count = scout(checkpoint, .stops(bound: bound, number: nil)), count > 0 {
          goOn(checkpoint, .stops(bound: bound, number: count))
        }
        bound = checkpoint.total
      }
    }
    return beginning(debugger.machine.currentProcessor)
  }

  private func beginning(_ processor: Int) -> Debugger.Stop {
    if let first = checkpoints.first, first.total < total { goOn(first, .beginning) }
    return Debugger.Stop(processor: processor, reason: .beginning)
  }

  private func errand(_ course: Course) -> Errand {
    Errand(course: course, breakpoints: debugger.breakpoints, watches: debugger.watches)
  }

  private func send(_ order: CheckpointOrder, to checkpoint: Checkpoint, passing descriptor: Int32? = nil) -> Bool {
    guard let text = try? JSONEncoder().encode(order) else { return false }
    return checkpoint.line.send(Array(text), passing: descriptor)
  }

  /// How many steps or stops there are on a course. Nil: it does not lead there, or the checkpoint is gone.
  private func scout(_ checkpoint: Checkpoint, _ course: Course) -> Int? {
    guard let (here, there) = ProcessLine.pair() else { return nil }
    defer { here.close() }
    let sent = send(.scout(errand(course)), to: checkpoint, passing: there.descriptor)
    there.close()
    guard sent, let answer = here.receive()?.message else { return nil }
    return Int(String(decoding: answer, as: UTF8.self))
  }

  /// Somebody else takes this process's place. Returns if nobody does.
  private func goOn(_ checkpoint: Checkpoint, _ course: Course) {
    let (state, descriptor) = surroundings.handOver()
    if send(.goOn(errand(course), frontEnd: state), to: checkpoint, passing: descriptor) { _exit(0) }
  }

  // MARK: Checkpoints

  /// Leaves a copy of this process behind. Returns also in copies that have been told to run: then there is an ``errand``.
  private func checkpoint(isNear: Bool = false) {
    thinOut(isNear: isNear)
    while true {
      guard let (here, there) = ProcessLine.pair() else { return }
      let places = debugger.machine.processors.map(\.executionPlace)
      let child = epicure_fork()
      guard child == 0 else {
        there.close()
        // Without memory for it the past is a longer way.
        if child < 0 { return here.close() }
        checkpoints.append(Checkpoint(line: here, total: total, places: places, isNear: isNear))
        return
      }
      here.close()
      errand = nil
      guard obey(there) else { return }
      // This process goes on, and another copy of it is the checkpoint.
    }
  }

  /// Waits for orders. False: this process is a scout now; true: it goes on in the place of another.
  private func obey(_ line: ProcessLine) -> Bool {
    while let (message, passed) = line.receive() {
      switch try? JSONDecoder().decode(CheckpointOrder.self, from: Data(message)) {
      case .scout(let order):
        guard let passed else { break }
        if epicure_fork() == 0 {
          line.close()
          begin(Running(order, answer: ProcessLine(descriptor: passed)))
          return false
        }
        close(passed)
      case .goOn(let order, let frontEnd):
        line.close()
        begin(Running(order, frontEnd: frontEnd, connection: passed))
        return true
      case .end, nil: _exit(0)
      }
    }
    _exit(0)
  }

  private func begin(_ running: Running) {
    errand = running
    surroundings.silence(true)
    debugger.removeAll()
    // What the front end was about to do when the checkpoint was made.
    for processor in debugger.machine.processors { processor.cancelStep() }
    if case .stops = running.order.course { set(running.order) }
    aim(running)
    debugger.resume()
  }

  /// There are the user's breakpoints, of which all have been there before.
  private func set(_ order: Errand) {
    for address in order.breakpoints { try? debugger.insertBreakpoint(address) }
    for watch in order.watches { try? debugger.insertWatch(watch) }
  }

  private func thinOut(isNear: Bool) {
    func end(_ checkpoint: Checkpoint) {
      _ = send(.end, to: checkpoint)
      checkpoint.line.close()
    }
    if isNear {
      checkpoints.filter(\.isNear).forEach(end)
      checkpoints.removeAll(where: \.isNear)
    }
    guard checkpoints.count >= Self.largestCount else { return }
    interval *= 2
    var kept: [Checkpoint] = []
    for (n, checkpoint) in checkpoints.enumerated() { if n % 2 == 0 { kept.append(checkpoint) } else { end(checkpoint) } }
    checkpoints = kept
  }

  // MARK: On the way

  /// Between blocks.
  private func look() {
    surroundings.look()
    if errand == nil {
      if total >= (checkpoints.last { !$0.isNear }?.total ?? 0) &+ interval { checkpoint() }
      // In a copy that has been told to run there is something to do now.
      if errand == nil { frontEndLooks?() }
    }
    guard let errand else { return }
    switch errand.order.course {
    case .steps(let processor, let goal, _):
      if distance(processor, goal) <= Self.stepMargin { return debugger.control.requestStop("") }
    case .stops(let bound, _):
      if total >= bound { return passed(errand) }
    case .beginning: break
    }
    aim(errand)
  }

  /// The next look comes before what is looked for.
  private func aim(_ errand: Running) {
    let left: UInt64
    switch errand.order.course {
    case .steps(let processor, let goal, _): left = distance(processor, goal) / 2
    case .stops(let bound, _): left = bound - min(bound, total)
    case .beginning: return
    }
    debugger.control.lookInterval = min(DebugControl.longestLook, max(Self.shortestLook, left))
  }

  private func distance(_ processor: Int, _ goal: ExecutionPlace) -> UInt64 {
    let now = place(processor).instructions
    return goal.instructions > now ? goal.instructions - now : 0
  }

  /// All that there is to find has been found.
  private func passed(_ errand: Running) {
    if let answer = errand.answer { report(errand.count ?? 0, answer) }
    errand.isLost = true
    debugger.control.requestStop("")
  }

  private func report(_ count: Int, _ answer: ProcessLine) -> Never {
    _ = answer.send(Array("\(count)".utf8))
    _exit(0)
  }

  /// The machine stands still. True: it is on its way, and is to go on; nobody else needs to know.
  public func takes(_ stop: Debugger.Stop) -> Bool {
    guard let errand else { return false }
    if errand.isLost { return lost(errand, stop.processor) }
    switch errand.order.course {
    case .beginning: return enter(errand, processor: stop.processor)
    case .steps(let processor, let goal, let number):
      // A condition of the user's, which is not looked for.
      if case .requested(let text) = stop.reason, !text.isEmpty {
        debugger.resume(stepping: errand.count == nil ? nil : processor)
        return true
      }
      guard errand.count != nil else {
        if errand.answer == nil {
          checkpoint(isNear: true)
          // A copy of that moment has been told something of its own.
          if let other = self.errand, other !== errand { return enter(other, processor: stop.processor) }
        }
        return step(errand, processor, goal, number)
      }
      return step(errand, processor, goal, number)
    case .stops(let bound, let number):
      let count = (errand.count ?? 0) + 1
      if total >= bound {
        if let answer = errand.answer { report(count - 1, answer) }
        return lost(errand, stop.processor)
      }
      errand.count = count
      if count == number { return arrive(errand, stop) }
      debugger.resume()
      return true
    }
  }

  /// The machine stands still at a checkpoint, with an errand that has not begun. As ``takes(_:)``.
  private func enter(_ errand: Running, processor: Int) -> Bool {
    switch errand.order.course {
    case .beginning: return arrive(errand, Debugger.Stop(processor: processor, reason: .beginning))
    case .stops: return true
    case .steps(let processor, let goal, let number):
      return distance(processor, goal) > Self.stepMargin || step(errand, processor, goal, number)
    }
  }

  /// The next step, or the first. As ``takes(_:)``.
  private func step(_ errand: Running, _ processor: Int, _ goal: ExecutionPlace, _ number: Int?) -> Bool {
    let count = errand.count.map { $0 + 1 } ?? 0
    errand.count = count
    let now = place(processor)
    if let answer = errand.answer {
      if now == goal { report(count, answer) }
    } else if count == number {
      return arrive(errand, Debugger.Stop(processor: processor, reason: .step))
    }
    if now.progress > goal.progress { return lost(errand, processor) }
    debugger.resume(stepping: processor)
    return true
  }

  private func arrive(_ errand: Running, _ stop: Debugger.Stop) -> Bool {
    self.errand = nil
    debugger.control.lookInterval = DebugControl.longestLook
    debugger.removeAll()
    set(errand.order)
    surroundings.silence(false)
    debugger.arrived(stop)
    surroundings.takeOver(errand.frontEnd, errand.connection)
    return false
  }

  private func lost(_ errand: Running, _ processor: Int) -> Bool {
    if errand.answer != nil { _exit(0) }
    return arrive(errand, Debugger.Stop(processor: processor, reason: .requested("the past could not be found again")))
  }

  /// The machine has come to its end. False: that is the end for all.
  public func ended() -> Bool {
    guard let errand else { return false }
    if let answer = errand.answer, case .stops = errand.order.course { report(errand.count ?? 0, answer) }
    _ = lost(errand, debugger.machine.currentProcessor)
    return true
  }
}
