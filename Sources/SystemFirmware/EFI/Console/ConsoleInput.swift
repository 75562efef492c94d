import Platform
import Processor

/// Simple Text Input, plain and extended, from the serial port (EFI 1.10, section 10.3; UEFI 2.1 added the extended one).
extension SystemFirmware {
  /// An escape character with nothing behind it for so long is the key.
  private static let escapeTime = Cycles.from(nanoseconds: 20_000_000)
  /// Whoever asks again within this time after an answer in vain is waiting, ...
  private static let spinTime = Cycles.from(nanoseconds: 100_000)
  /// ... and gets the next answer in vain only after so long, asleep: longer when it goes on.
  private static func spinNap(_ misses: Int) -> UInt64 { Cycles.from(nanoseconds: misses < 16 ? 1_000_000 : 20_000_000) }
  private static let mostKeys = 64

  /// Takes what the receiver holds.
  private func pollInput(_ processor: LogicalProcessor) {
    guard var console = boot?.consoles else { return }
    let now = processor.currentCycle
    for _ in 0..<256 where console.keys.count < Self.mostKeys {
      guard readUART(5, processor) & 1 != 0 else { break }
      if console.partial.isEmpty { console.partialSince = now }
      console.partial.append(readUART(0, processor))
      Self.decode(&console, flush: false)
    }
    if !console.partial.isEmpty, now &- console.partialSince >= Self.escapeTime { Self.decode(&console, flush: true) }
    boot?.consoles = console
  }

  /// `flush`: what is not complete now never will be.
  private static func decode(_ console: inout ConsoleState, flush: Bool) {
    while !console.partial.isEmpty {
      switch KeyDecoder.decode(console.partial) {
      case .key(let key, let count):
        if let key { console.keys.append(key) }
        console.partial.removeFirst(count)
      case .needsMore:
        guard flush else { return }
        if console.partial[0] == 0x1B { console.keys.append(.init(scanCode: KeyDecoder.ScanCode.escape)) }
        console.partial.removeFirst()
      }
    }
  }

  func hasKey(_ processor: LogicalProcessor) -> Bool {
    pollInput(processor)
    return boot?.consoles.keys.isEmpty == false
  }

  func resetInput(_ call: GuestCall) -> ServiceOutcome {
    pollInput(call.processor)
    boot?.consoles.keys = []
    boot?.consoles.partial = []
    return .success
  }

  /// The next key, or what to answer without one. A program that does nothing but ask lets the processor sleep in between.
  private func nextKey(_ processor: LogicalProcessor) -> (key: ConsoleState.Key?, outcome: ServiceOutcome) {
    if hasKey(processor), let key = boot?.consoles.keys.removeFirst() {
      boot?.consoles.lastMiss = nil
      boot?.waitEnd = nil
      boot?.consoles.misses = 0
      return (key, .success)
    }
    let now = processor.currentCycle
    if let end = boot?.waitEnd {
      if now < end { return (nil, .wait(until: end)) }
    } else if let last = boot?.consoles.lastMiss, now &- last < Self.spinTime {
      let end = now &+ Self.spinNap(boot?.consoles.misses ?? 0)
      boot?.waitEnd = end
      boot?.consoles.misses += 1
      return (nil, .wait(until: end))
    }
    if boot?.waitEnd == nil { boot?.consoles.misses = 0 }
    boot?.waitEnd = nil
    boot?.consoles.lastMiss = now
    return (nil, .status(.notReady))
  }

  /// in1 key.
  func readKeyStroke(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) != 0 else { return .status(.invalidParameter) }
    try call.check(call.argument(1), count: 4)
    let (key, outcome) = nextKey(call.processor)
    if let key {
      try call.store(call.argument(1), key.scanCode)
      try call.store(call.argument(1) &+ 2, key.character)
    }
    return outcome
  }

  /// in1 key data: the key, then shift state and toggle state, neither of which a terminal tells.
  func readKeyStrokeEx(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(1) != 0 else { return .status(.invalidParameter) }
    try call.check(call.argument(1), count: 12)
    let (key, outcome) = nextKey(call.processor)
    if let key {
      try call.store(call.argument(1), key.scanCode)
      try call.store(call.argument(1) &+ 2, key.character)
      try call.store(call.argument(1) &+ 4, UInt32(0))
      try call.store(call.argument(1) &+ 8, UInt8(0))
    }
    return outcome
  }
}
