import Glibc
import IA64
import Loading
import Logging
import Processor

/// How a program ended.
public enum Termination: Sendable, Equatable {
  case exited(Int32)
  /// By a signal that it did not handle; `explanation` is for the user.
  case killed(signal: Int32, explanation: String)
  /// ``UserProcess/run(limit:)`` has reached its limit.
  case limitReached
}

/// Why a program could not be started. The description is one line for the user.
public enum StartError: Error, CustomStringConvertible {
  case image(ImageError)
  case dynamic(file: String, interpreter: String)
  case system(file: String, reason: String)

  public var description: String {
    switch self {
    case .image(let error): error.description
    case .dynamic(let file, let interpreter): "\(file): dynamically linked (asks for \(interpreter)); only static programs run"
    case .system(let file, let reason): "\(file): \(reason)"
    }
  }
}

/// The first block after which engine and stepper disagree.
public struct LockstepDifference: Error, CustomStringConvertible {
  /// Address of the block.
  public var block: UInt64
  public var what: String
  public var description: String { "engine and stepper differ after the block at 0x\(String(block, radix: 16)): \(what)" }
}

/// One static Linux/ia64 program on one processor; its system calls are served by the host.
///
/// `fork` forks the host's process, so that every guest process is a host process with the same identifier, parent and children.
public final class UserProcess {
  /// Cycles between two looks at signals that arrived from outside; some tens of milliseconds.
  private static let slice: UInt64 = 8_000_000

  public let processor: LogicalProcessor
  let space: AddressSpace
  let logger: Logger
  var signals = SignalState()
  var termination: Termination?
  /// The running program's file, for /proc/self/exe and messages.
  var path: [UInt8] = []
  var name = ""
  /// Start and current end of the heap.
  var heapStart: UInt64 = 0
  var heapEnd: UInt64 = 0
  var stackLimit = ProgramStart.defaultStackLimit
  /// A guest process made by `fork`: its death by a signal must be visible to its parent.
  var isChild = false
  /// Whom to tell when this process, a child of `vfork`, runs another program or ends.
  var vforkLink: VforkLink?
  /// prctl(PR_SET_UNALIGN): unaligned references raise SIGBUS.
  var signalsUnaligned = false
  /// Where a signal mask lies during a call that takes a pointer to one.
  let maskBuffer = UnsafeMutablePointer<UInt64>.allocate(capacity: 4)
  /// Unknown system calls that have been reported.
  var reported: Set<UInt64> = []

  /// Prepares a program. `memory` bounds what it and each of its children may occupy, in bytes.
  public init(
    path: String, arguments: [String], environment: [String], memory: UInt64 = 4 << 30, logger: Logger
  ) throws(StartError) {
    self.logger = logger
    signals.inherit()
    let physical: PhysicalMemory
    do {
      physical = try PhysicalMemory(layout: [(base: 0, size: memory & ~PagePool.offsetMask)])
    } catch {
      throw .system(file: path, reason: "no room for \(memory) bytes of memory")
    }
    processor = LogicalProcessor(memory: physical, bus: nil)
    processor.hostHandlesInterruptions = true
    space = AddressSpace(processor: processor)
    let program: ELFProgram
    do throws(ImageError) {
      program = try ELFProgram(try HostFile.read(path, limit: ProgramStart.largestFile), file: path)
    } catch {
      throw .image(error)
    }
    if let interpreter = program.interpreter { throw .dynamic(file: path, interpreter: interpreter) }
    do throws(SystemError) {
      try start(
        program, path: Array(path.utf8), arguments: ([path] + arguments).map { Array($0.utf8) },
        environment: environment.map { Array($0.utf8) })
    } catch {
      throw .system(
        file: path,
        reason: error.number == E2BIG ? "its arguments and environment are too long" : "its segments cannot be mapped")
    }
  }

  deinit { maskBuffer.deallocate() }

  /// Replaces what the process runs.
  func start(
    _ program: ELFProgram, path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]]
  ) throws(SystemError) {
    space.clear()
    let start = try ProgramStart.load(
      program, into: space, arguments: arguments, environment: environment, path: path, stackLimit: stackLimit)
    self.path = absolute(path)
    name = String(decoding: path.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
    heapStart = start.heap
    heapEnd = start.heap
    resetProcessor(entry: start.entry, stackPointer: start.stackPointer)
  }

  private func absolute(_ path: [UInt8]) -> [UInt8] {
    guard
      let resolved = (path + [0]).withUnsafeBufferPointer({ buffer in
        buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.flatMap { realpath($0, nil) } }
      })
    else { return path }
    defer { free(resolved) }
    return Array(String(cString: resolved).utf8)
  }

  /// The registers with which Linux starts a program.
  private func resetProcessor(entry: UInt64, stackPointer: UInt64) {
    processor.reset()
    let s = processor.state
    for region in 0..<8 { s.rr[region] = UInt64(region + 1) << 8 | PagePool.shift << 2 }
    // Speculative loads: everything but TLB misses is deferred; misses that no page answers are deferred by PSR.ed.
    s.cr[CR.dcr] = DCR.dp | DCR.dk | DCR.dx | DCR.dr | DCR.da | DCR.dd | DCR.lc
    processor.setPSR(PSR.it | PSR.dt | PSR.rt | PSR.ic | PSR.i | PSR.bn | 3 << PSR.cplShift)
    processor.setCFM(0)
    s.ar[AR.rsc] = 0xF
    processor.setAR(AR.bspstore, ProgramStart.backingStoreBase)
    s.gr[12] = stackPointer &- 16
    s.pointee.ip = entry & ~15
  }

  /// Runs the program to its end, or until it has retired `limit` slots.
  public func run(limit: UInt64 = .max) -> Termination {
    HostSignals.prepare()
    while termination == nil {
      deliverSignals()
      if termination != nil { break }
      if processor.state.pointee.instructions >= limit {
        termination = .limitReached
        break
      }
      // With a timing model a cycle retires up to six slots.
      let left = limit &- processor.state.pointee.instructions
      let slice = min(Self.slice, processor.followsModel ? left / 6 + 1 : left)
      handle(processor.run(until: processor.state.cycles &+ slice))
    }
    space.writeBackAll()
    vforkLink?.finish(space)
    let ending = termination ?? .exited(0)
    if isChild, case .killed(let signal, _) = ending { HostSignals.die(of: signal) }
    return ending
  }

  /// Does what the processor came back for.
  private func handle(_ reason: ExitReason) {
    switch reason {
    case .interruption: handleInterruption()
    // A fault loop needs handlers in the guest; here there are none.
    case .deadline, .stopped, .faultLoop: break
    case .halted, .paused: processor.skipIdle(to: processor.state.cycles &+ Self.slice)
    }
  }

  /// Runs the program block by block together with `other`, the same program in another process object, which executes the same
  /// instructions one by one. System calls are made by both. Returns how the program ended, or where the two differ.
  public func run(inLockstepWith other: UserProcess, limit: UInt64 = .max) -> Result<Termination, LockstepDifference> {
    HostSignals.prepare()
    while termination == nil && other.termination == nil {
      deliverSignals()
      other.deliverSignals()
      if processor.state.pointee.instructions >= limit { return .success(.limitReached) }
      let start = processor.state.pointee.ip
      let deadline = processor.state.cycles &+ Self.slice
      let reason = processor.turn(.block, until: deadline)
      // With timing on one side only, their clocks differ.
      let otherReason = other.processor.turn(
        .steps(processor.goal(after: reason)), until: other.processor.state.cycles &+ Self.slice &* 6)
      if let difference = processor.difference(from: other.processor) ?? Self.difference(reason, otherReason) {
        return .failure(LockstepDifference(block: start, what: difference))
      }
      if let reason { handle(reason) }
      if let otherReason { other.handle(otherReason) }
    }
    guard let end = termination, end == other.termination else {
      return .failure(LockstepDifference(block: processor.state.pointee.ip, what: "only one of the two has ended"))
    }
    return .success(end)
  }

  private static func difference(_ a: ExitReason?, _ b: ExitReason?) -> String? {
    a == b ? nil : "the block ends with \(a.map { "\($0)" } ?? "nothing"), the steps with \(b.map { "\($0)" } ?? "nothing")"
  }

  // MARK: Small helpers

  /// Where the program stands, as IP and slot.
  var instructionPointer: UInt64 { processor.state.pointee.ip + PSR.ri(processor.state.pointee.psr) }

  func setInstructionPointer(_ value: UInt64) {
    processor.state.pointee.ip = value & ~15
    let slot = value & 3
    processor.setPSR(processor.state.pointee.psr & ~PSR.riMask | (slot > 2 ? 0 : slot) << PSR.riShift)
  }

  /// Continues behind the instruction at IP and PSR.ri.
  func skipInstruction() {
    let value = instructionPointer
    // A long instruction (break.x) fills slots 1 and 2.
    let ends = value & 3 >= 2 || (value & 3 == 1 && currentBundle()?.isLong == true)
    setInstructionPointer(ends ? value & ~15 &+ 16 : value &+ 1)
  }
}
