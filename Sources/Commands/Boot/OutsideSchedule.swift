import HostResources
import Inspection
import Platform

/// When a machine looks at the world outside: from time to time while its processors are busy, soon again while something comes and
/// goes, and with all its patience when they are idle.
final class OutsideSchedule {
  private let machine: Machine
  let world: OutsideWorld
  let journal: Journal
  private var hurries: InputChannel?
  /// What the world said last.
  private var mayDeliver = false
  private var pollEvent: EventHandlerID?
  /// Cycle of the next look; nil: none is planned.
  private var nextLook: UInt64?
  private var interval = LookInterval()
  /// How often the guest has been left.
  var exits: () -> UInt64 = { 0 }
  /// Called first when all processors are idle.
  var whenIdle: () -> Void = {}
  /// The run is over, whatever comes.
  var isOver: () -> Bool = { false }

  init(machine: Machine, world: OutsideWorld, journal: Journal = Journal()) {
    self.machine = machine
    self.world = world
    self.journal = journal
    world.clock = { [unowned machine] in Cycles.nanoseconds(machine.now) }
    let hurries = journal.channel { [unowned self] _ in hurry() }
    self.hurries = hurries
    world.expectsAnswer = { hurries.deliver() }
    pollEvent = machine.events.register { [unowned self] cycle, _ in
      guard cycle == nextLook else { return }
      nextLook = nil
      interval.looked(found: look(), at: cycle, exits: exits())
      plan(after: cycle)
    }
    machine.waitForWork = { [unowned self] in wait($0) }
  }

  /// To be called when the sources are complete.
  func start() { plan(after: machine.now) }

  private func look() -> Bool {
    let found = journal.ask(.look) { world.look() }
    // Somebody may watch a replay.
    if journal.isReplaying && !journal.isSilent { world.look() }
    return found
  }

  private func plan(after cycle: UInt64) {
    if journal.ask(.mayDeliver, { world.mayDeliver != mayDeliver }) { mayDeliver.toggle() }
    guard mayDeliver, let pollEvent, !isOver() else { return }
    let next = cycle &+ interval.cycles
    nextLook = next
    machine.events.schedule(pollEvent, at: next)
  }

  /// The guest has sent something: an answer may come.
  private func hurry() {
    interval.hurry()
    guard let next = nextLook else { return plan(after: machine.now) }
    if next > machine.now &+ interval.cycles {
      if let pollEvent { machine.events.cancel(pollEvent) }
      plan(after: machine.now)
    }
  }

  /// The guest waits for an interrupt for `cycles`, or for ever.
  private func wait(_ cycles: UInt64) -> UInt64 {
    whenIdle()
    if isOver() { return 0 }
    let forever = cycles > .max / 2
    let passed = journal.ask(
      .wait,
      number: {
        world.wait(
          nanoseconds: forever ? nil : Cycles.nanoseconds(cycles), now: Cycles.nanoseconds(machine.now),
          isOver: { [unowned self] in isOver() || !machine.processors.allSatisfy { $0.state.pointee.halted } })
      })
    if nextLook == nil { plan(after: machine.now) }
    guard let passed else { return cycles }
    return min(cycles, Cycles.from(nanoseconds: passed))
  }
}
