import Devices
import HostResources
import Platform
import Processor

/// Two servers boot the same guest: one by blocks, the other one by single instructions. After each block both must agree in every
/// register, at the end in every byte of memory.
///
/// The stepper is some dozens of times slower than the engine, so a share of the run may be enough: between two stretches that are
/// checked both servers run by blocks, which they do alike, for a run is a function of its inputs.
struct LockstepBoot {
  private let fast: Server
  private let stepped: Server
  private let share: UInt64
  private let output: LockstepConsole
  private let otherOutput = LockstepConsole(matcher: nil, print: false)

  /// Slots of one checked stretch.
  private static let stretch: UInt64 = 100_000

  init(make: () throws -> Server, share: UInt64, matcher: OutputMatcher?) throws {
    fast = try make()
    stepped = try make()
    self.share = share
    output = LockstepConsole(matcher: matcher, print: true)
    fast.console.peer = output
    stepped.console.peer = otherOutput
  }

  /// Until the guest is done, the console matches, or so many slots have retired.
  func run(limit: UInt64?) throws {
    let limit = limit ?? .max
    var checked: UInt64 = 0
    var blocks: UInt64 = 0
    while !output.matched && fast.machine.instructions < limit {
      let start = fast.machine.instructions
      while fast.machine.instructions < start + Self.stretch && !output.matched {
        let starts = fast.processors.map(\.state.pointee.ip)
        let end = try fast.turn(.block)
        let index = fast.machine.currentProcessor
        let (processor, other) = (fast.processors[index], stepped.processors[index])
        let otherEnd = try stepped.turn(.steps(processor.goal(after: nil)))
        blocks += 1
        if let difference = processor.difference(from: other) ?? (end == otherEnd ? nil : "the end") {
          throw failure(
            "on processor \(index) after the block at 0x\(String(starts[index], radix: 16)), slot \(fast.machine.instructions): \(difference)"
          )
        }
        if end != nil { return try finish(checked + fast.machine.instructions - start, blocks) }
      }
      checked += fast.machine.instructions - start
      if share > 1 {
        let target = fast.machine.now + (fast.machine.instructions - start) * (share - 1)
        let end = try fast.run(until: target)
        let otherEnd = try stepped.run(until: target)
        if end != otherEnd || fast.machine.now != stepped.machine.now { throw failure("between checked stretches") }
        if end != .limit { break }
      }
    }
    try finish(checked, blocks)
  }

  private func finish(_ checked: UInt64, _ blocks: UInt64) throws {
    for (index, (processor, other)) in zip(fast.processors, stepped.processors).enumerated() {
      if let difference = processor.difference(from: other) { throw failure("on processor \(index) at the end: \(difference)") }
    }
    guard output.bytes == otherOutput.bytes else { throw failure("in the console's output") }
    for range in fast.memory.ranges {
      for page in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
        guard let one = fast.memory.read(page, count: 4096), let other = stepped.memory.read(page, count: 4096), one != other else {
          continue
        }
        let offset = zip(one, other).prefix { $0 == $1 }.count
        throw failure("in memory at 0x\(String(page + UInt64(offset), radix: 16))")
      }
    }
    StandardError.write(
      "epicure: engine and stepper agree: \(blocks) blocks, \(checked) of \(fast.machine.instructions) slots compared, and all memory"
    )
  }

  private func failure(_ place: String) -> CommandFailure {
    CommandFailure(CommandFailure.guestFailed, "engine and stepper differ \(place)")
  }
}

/// The serial line of a server in lockstep: keeps what the guest prints. There is no input.
private final class LockstepConsole: SerialPeer {
  private(set) var bytes: [UInt8] = []
  private(set) var matched = false
  private var matcher: OutputMatcher?
  private let console: HostConsole?

  init(matcher: OutputMatcher?, print: Bool) {
    self.matcher = matcher
    console = print ? HostConsole(input: -1) : nil
  }

  func transmit(_ byte: UInt8) {
    bytes.append(byte)
    console?.write(byte)
    if matcher?.append(byte) == true { matched = true }
    if byte == 10 { console?.flush() }
  }

  func readyToReceive() {}
}
