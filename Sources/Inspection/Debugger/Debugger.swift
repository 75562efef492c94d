import Hypervisor
import Platform
import Processor

/// Stops a machine, looks into it, and lets it go on. What debuggers have in common, whoever sits in front of them: ``RemoteSession`` speaks
/// gdb's protocol, ``DebuggerConsole`` a language for people.
///
/// In a domain everything is the guest's view: its registers, its memory. The machine itself belongs to somebody else, who runs it and is
/// told by `endRun` that its run is to end; until ``resume(stepping:)`` it should not be run again.
public final class Debugger {
  /// Why the machine stands still.
  public enum Reason: Equatable, Sendable {
    case breakpoint(UInt64)
    case watch(address: UInt64, DebugControl.Watch)
    case step
    /// Nothing has been executed yet.
    case start
    /// The user has interrupted it.
    case interrupted
    /// Somebody else has asked for it (``stopRequested(reason:processor:)``).
    case requested(String)
    /// The guest has failed: it cannot go on, or has said so. Everything can still be looked at.
    case failed(String)
    /// ``ReverseDebugging`` has come to the beginning of what it knows.
    case beginning
  }

  public struct Stop: Equatable, Sendable {
    /// Whose instruction it was.
    public var processor: Int
    public var reason: Reason

    public init(processor: Int, reason: Reason) { (self.processor, self.reason) = (processor, reason) }
  }

  public let machine: Machine
  /// Nil: the bare machine.
  public let domain: Domain?
  let control = DebugControl()
  /// Nil while it runs.
  public private(set) var stop: Stop?
  /// Names for addresses.
  public var symbols: SymbolTable?
  /// What goes back in time, if there is something.
  public weak var reverse: (any ReverseDebugging)?
  /// Asked from time to time while the machine runs, and at the host's pace while it idles; a front end may interrupt the run from here.
  public var look: (() -> Void)? {
    get { control.look }
    set { control.look = newValue }
  }
  /// Where a kernel's segments lie in memory before it has switched translation on: virtual address, physical address, bytes.
  public var segments: [(virtual: UInt64, physical: UInt64, size: UInt64)] = []
  private let endRun: () -> Void
  private static let userInterrupt = "interrupt"

  /// The machine is to stand before its first instruction, or between two runs. `endRun` makes the run in progress end.
  public init(_ machine: Machine, domain: Domain?, endRun: @escaping () -> Void) {
    (self.machine, self.domain, self.endRun) = (machine, domain, endRun)
    stop = Stop(processor: machine.currentProcessor, reason: .start)
    for (index, processor) in machine.processors.enumerated() { processor.attach(control, index: index) }
    control.stopped = { [unowned self] index, reason in
      switch reason {
      case .breakpoint(let address): hasStopped(index, .breakpoint(address))
      case .watch(let address, let watch): hasStopped(index, .watch(address: address, watch))
      case .step: hasStopped(index, .step)
      case .requested(let text): hasStopped(index, Self.reason(text))
      }
    }
  }

  /// Nobody watches any more: the machine is as if nobody ever had.
  public func detach() {
    control.breakpoints = []
    control.watches = []
    // A block that was left in the middle is finished first, and its end is the next thing that is looked at.
    control.prepare(machine.processors)
    for processor in machine.processors { processor.cancelStep() }
    stop = nil
  }

  deinit { for (index, processor) in machine.processors.enumerated() { processor.attach(nil, index: index) } }

  // MARK: Stopping

  private func hasStopped(_ index: Int, _ reason: Reason) {
    guard stop == nil else { return }
    for processor in machine.processors { processor.cancelStep() }
    stop = Stop(processor: index, reason: reason)
    endRun()
  }

  /// Stops the machine before the next instruction, with a text for the user. May be called at any time: from a trace hook in the middle of
  /// an interruption or of a virtual machine's exit, or while all processors wait.
  public func stopRequested(reason: String, processor: Int? = nil) {
    guard stop == nil else { return }
    guard machine.isExecuting else {
      // While nobody runs there is nobody to wait for.
      return hasStopped(processor ?? machine.currentProcessor, Self.reason(reason))
    }
    // Whoever runs is between two instructions soon enough, or leaves the machine before it has come that far.
    control.requestStop(reason)
    endRun()
  }

  /// The machine's run has ended, with a stop that was asked for, perhaps, and has not been reached: as when an exit is held.
  public func runEnded() {
    guard stop == nil, let request = control.takeRequest() else { return }
    hasStopped(machine.currentProcessor, Self.reason(request))
  }

  private static func reason(_ request: String) -> Reason { request == userInterrupt ? .interrupted : .requested(request) }

  /// The user wants the machine to stop.
  public func interrupt() { stopRequested(reason: Self.userInterrupt) }

  /// The guest has come to an end that is none: it stays as it is, to be looked at.
  public func guestFailed(_ text: String) {
    stop = Stop(processor: machine.currentProcessor, reason: .failed(text))
  }

  // MARK: Going on

  /// The machine may run again, all of it; with `stepping`, until that processor has executed one instruction or entered a handler. Other
  /// processors go on meanwhile as they would have without a debugger.
  public func resume(stepping index: Int? = nil) {
    stop = nil
    control.prepare(machine.processors)
    if let index, machine.processors.indices.contains(index) { machine.processors[index].stepOnNextRun() }
  }

  /// What a ``ReverseDebugging`` has come to.
  public func arrived(_ stop: Stop) { self.stop = stop }

  // MARK: Where to stop

  public static let largestBreakpointCount = 4096
  public static let largestWatchCount = 64
  public static let largestWatch: UInt64 = 1 << 16

  public enum Failure: Error, Equatable, CustomStringConvertible {
    case notAnInstruction
    case tooMany
    case tooLong

    public var description: String {
      switch self {
      case .notAnInstruction: "an instruction's address is that of its bundle plus its slot, 0 to 2"
      case .tooMany: "there are too many already"
      case .tooLong: "at most \(Debugger.largestWatch) bytes can be watched"
      }
    }
  }

  public var breakpoints: Set<UInt64> { control.breakpoints }
  public var watches: Set<DebugControl.Watch> { control.watches }

  /// `address`: of a bundle, with the slot in the low bits.
  public func insertBreakpoint(_ address: UInt64) throws(Failure) {
    guard address & 0xF <= 2 else { throw .notAnInstruction }
    guard control.breakpoints.count < Self.largestBreakpointCount || control.breakpoints.contains(address) else { throw .tooMany }
    control.breakpoints.insert(address)
  }

  public func removeBreakpoint(_ address: UInt64) { control.breakpoints.remove(address) }

  public func insertWatch(_ watch: DebugControl.Watch) throws(Failure) {
    guard watch.length <= Self.largestWatch else { throw .tooLong }
    guard control.watches.count < Self.largestWatchCount else { throw .tooMany }
    control.watches.insert(watch)
  }

  public func removeWatch(_ watch: DebugControl.Watch) { control.watches.remove(watch) }

  public func removeAll() {
    control.breakpoints = []
    control.watches = []
  }

  // MARK: Looking in

  public var processorCount: Int { machine.processors.count }

  func guest(_ index: Int) -> GuestContext? { domain?.virtualProcessors[index].guest }

  /// Looks at a processor as its guest sees it. Nothing changes.
  public func inspect<T>(_ index: Int, _ body: (LogicalProcessor) throws -> T) rethrows -> T {
    let processor = machine.processors[index]
    return try processor.inspecting(guest(index)) { try body(processor) }
  }

  /// Changes what the guest sees.
  func change<T>(_ index: Int, _ body: (LogicalProcessor) -> T) -> T {
    let processor = machine.processors[index]
    guard let guest = guest(index) else { return body(processor) }
    return processor.withGuest(guest) { body(processor) }
  }

  /// The next instruction: its bundle's address with the slot in the low bits.
  public func position(_ index: Int) -> UInt64 {
    let s = machine.processors[index].state
    return s.pointee.ip | PSR.ri(s.pointee.psr)
  }
}
