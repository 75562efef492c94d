import FoundationEssentials
import Processor

/// One gdb at the other end of a line: takes its bytes, answers them, and tells the debugger what it wants. Knows no sockets.
///
/// The protocol is that of gdb's manual, appendix "GDB Remote Serial Protocol". Threads are processors, and their numbers begin with 1. All
/// stop when one does.
public final class RemoteSession {
  /// What is to happen with the machine besides running and standing.
  public enum Wish: Equatable, Sendable {
    /// The client goes, the guest goes on.
    case detach
    case kill
  }

  let debugger: Debugger
  public private(set) var output: [UInt8] = []
  public internal(set) var wish: Wish?
  private var reader = PacketReader()
  /// What has come while the machine ran.
  private var waiting: [[UInt8]] = []
  var acknowledges = true
  private var lastSent: [UInt8] = []
  private var owesStop = false
  /// Processors that `H` has chosen: for looking, and for going on.
  var lookedAt = 0
  private var goesOn: Int?
  /// gdb understands why a breakpoint has stopped it.
  var knowsBreakpointReasons = false

  /// A client must not make the output grow without reading it.
  private static let largestOutput = 1 << 22
  private static let largestQueue = 64

  public init(_ debugger: Debugger) {
    self.debugger = debugger
    if let stop = debugger.stop { lookedAt = stop.processor }
  }

  // MARK: Another process

  /// What a session in another process needs to go on in this one's place. gdb waits for a stop then.
  private struct State: Codable {
    var acknowledges: Bool
    var lookedAt: Int
    var goesOn: Int?
    var knowsBreakpointReasons: Bool
    var hardware: Set<UInt64>
  }

  public var state: [UInt8] {
    let state = State(
      acknowledges: acknowledges, lookedAt: lookedAt, goesOn: goesOn, knowsBreakpointReasons: knowsBreakpointReasons,
      hardware: hardware)
    return (try? JSONEncoder().encode(state)).map { Array($0) } ?? []
  }

  public convenience init(_ debugger: Debugger, resuming text: [UInt8]) {
    self.init(debugger)
    owesStop = true
    guard let state = try? JSONDecoder().decode(State.self, from: Data(text)) else { return }
    (acknowledges, lookedAt, goesOn) = (state.acknowledges, state.lookedAt, state.goesOn)
    (knowsBreakpointReasons, hardware) = (state.knowsBreakpointReasons, state.hardware)
  }

  /// Takes what is to be sent.
  public func takeOutput() -> [UInt8] {
    defer { output = [] }
    return output
  }

  /// Nobody reads what is sent.
  public var isStuck: Bool { output.count > Self.largestOutput }

  // MARK: What comes

  public func receive(_ bytes: [UInt8]) {
    for event in reader.take(bytes) {
      switch event {
      case .packet(let packet):
        if acknowledges { output.append(UInt8(ascii: "+")) }
        if debugger.stop == nil {
          if waiting.count < Self.largestQueue { waiting.append(packet) }
        } else {
          handle(packet)
        }
      case .garbage: if acknowledges { output.append(UInt8(ascii: "-")) }
      case .rejected: if acknowledges { output += lastSent }
      case .acknowledged: break
      case .interrupt: if debugger.stop == nil { debugger.interrupt() }
      }
    }
  }

  /// The machine stands still again.
  public func machineStopped() {
    guard let stop = debugger.stop else { return }
    lookedAt = stop.processor
    if owesStop {
      owesStop = false
      switch stop.reason {
      case .failed(let text), .requested(let text): say("epicure: \(text)\n")
      default: break
      }
      send(stopReply(stop))
    }
    while !waiting.isEmpty, debugger.stop != nil { handle(waiting.removeFirst()) }
  }

  /// The machine has been switched off, or has ended for another reason: 0, or the exit status.
  public func machineEnded(status: UInt8) {
    guard owesStop else { return }
    owesStop = false
    send("W" + String(decoding: PacketReader.hexadecimal([status]), as: UTF8.self))
  }

  // MARK: What goes

  func send(_ contents: [UInt8]) {
    let packet = PacketReader.frame(contents)
    if acknowledges { lastSent = packet }
    output += packet
  }
  func send(_ text: String) { send(Array(text.utf8)) }
  func sendOK() { send("OK") }
  func send(error: UInt8) { send("E" + String(decoding: PacketReader.hexadecimal([error]), as: UTF8.self)) }

  /// Text for the user, in pieces that fit into packets.
  func say(_ text: String) {
    let bytes = Array(text.utf8)
    let piece = PacketReader.limit / 2 - 8
    for first in stride(from: 0, to: bytes.count, by: piece) {
      send([UInt8(ascii: "O")] + PacketReader.hexadecimal(bytes[first..<min(first + piece, bytes.count)]))
    }
  }

  /// Error numbers, which gdb only prints: those of Linux.
  enum Code {
    static let fault: UInt8 = 14
    static let invalid: UInt8 = 22
    static let noSpace: UInt8 = 28
  }

  /// Signal numbers of the protocol.
  private enum Signal {
    static let interrupt: UInt8 = 2
    static let trap: UInt8 = 5
    static let abort: UInt8 = 6
  }

  private func stopReply(_ stop: Debugger.Stop) -> [UInt8] {
    var signal = Signal.trap
    var reason = ""
    switch stop.reason {
    case .step, .requested, .start: break
    case .breakpoint(let address):
      if knowsBreakpointReasons { reason = hardware.contains(address) ? "hwbreak:;" : "swbreak:;" }
    case .watch(let address, let watch):
      let kind = watch.reads ? watch.writes ? "awatch" : "rwatch" : "watch"
      reason = "\(kind):\(String(address, radix: 16));"
    case .interrupted: signal = Signal.interrupt
    case .failed: signal = Signal.abort
    case .beginning: reason = "replaylog:begin;"
    }
    let text = "T" + String(decoding: PacketReader.hexadecimal([signal]), as: UTF8.self) + reason
    return Array((text + "thread:\(String(stop.processor + 1, radix: 16));").utf8)
  }
  /// Breakpoints that gdb has asked for as hardware's.
  private var hardware: Set<UInt64> = []

  // MARK: Packets

  private func handle(_ packet: [UInt8]) {
    var fields = PacketFields(packet)
    guard let command = fields.character() else { return send("") }
    switch Character(UnicodeScalar(command)) {
    case "?": if let stop = debugger.stop { send(stopReply(stop)) }
    case "g": sendRegisters()
    case "G": writeRegisters(fields.rest)
    case "p": sendRegister(&fields)
    case "P": writeRegister(&fields)
    case "m": readMemory(&fields)
    case "M": writeMemory(&fields, binary: false)
    case "X": writeMemory(&fields, binary: true)
    case "H": choose(&fields)
    case "T":
      if let index = processor(&fields) {
        isProcessor(index) ? sendOK() : send(error: Code.invalid)
      } else {
        send(error: Code.invalid)
      }
    case "Z": breakpoint(&fields, insert: true)
    case "z": breakpoint(&fields, insert: false)
    case "c", "C": proceed(&fields, signal: command == UInt8(ascii: "C"), step: false)
    case "s", "S": proceed(&fields, signal: command == UInt8(ascii: "S"), step: true)
    case "b": goBack(&fields)
    case "v": verb(&fields)
    case "q": query(&fields)
    case "Q": set(&fields)
    case "D":
      debugger.detach()
      sendOK()
      wish = .detach
    case "k": wish = .kill
    default: send("")
    }
  }

  func isProcessor(_ index: Int) -> Bool { 0..<debugger.processorCount ~= index }

  /// A thread that is one processor; nil otherwise.
  private func processor(_ fields: inout PacketFields) -> Int? {
    switch fields.thread() {
    case .one(let index): index
    case .any, .all: debugger.stop?.processor
    case nil: nil
    }
  }

  private func choose(_ fields: inout PacketFields) {
    let purpose = fields.character()
    guard let thread = fields.thread() else { return send(error: Code.invalid) }
    if case .one(let index) = thread, !isProcessor(index) { return send(error: Code.invalid) }
    switch (purpose, thread) {
    case (UInt8(ascii: "g"), .one(let index)): lookedAt = index
    case (UInt8(ascii: "g"), _): lookedAt = debugger.stop?.processor ?? 0
    case (UInt8(ascii: "c"), .one(let index)): goesOn = index
    case (UInt8(ascii: "c"), _): goesOn = nil
    default: return send(error: Code.invalid)
    }
    sendOK()
  }

  // MARK: Registers

  private static func text(_ register: [UInt8]?, _ number: Int) -> [UInt8] {
    register.map { PacketReader.hexadecimal($0) } ?? Array(repeating: UInt8(ascii: "x"), count: 2 * RemoteRegister.size(number))
  }

  private func sendRegisters() {
    send(debugger.remoteRegisters(lookedAt).enumerated().flatMap { Self.text($1, $0) })
  }

  private func sendRegister(_ fields: inout PacketFields) {
    guard let number = fields.number(), number < UInt64(RemoteRegister.count) else { return send(error: Code.invalid) }
    send(Self.text(debugger.remoteRegister(Int(number), lookedAt), Int(number)))
  }

  private func writeRegister(_ fields: inout PacketFields) {
    guard let number = fields.number(), number < UInt64(RemoteRegister.count), fields.skip("="),
      let bytes = PacketReader.bytes(fields.rest), debugger.setRemoteRegister(Int(number), bytes, lookedAt)
    else { return send(error: Code.invalid) }
    sendOK()
  }

  /// What cannot be changed stays as it is.
  private func writeRegisters(_ text: ArraySlice<UInt8>) {
    var rest = text
    for number in 0..<RemoteRegister.count {
      let digits = rest.prefix(2 * RemoteRegister.size(number))
      rest = rest.dropFirst(digits.count)
      guard let bytes = PacketReader.bytes(digits) else { continue }
      _ = debugger.setRemoteRegister(number, bytes, lookedAt)
    }
    sendOK()
  }

  // MARK: Memory

  private func readMemory(_ fields: inout PacketFields) {
    guard let address = fields.number(), fields.skip(","), let count = fields.number() else { return send(error: Code.invalid) }
    let bytes = debugger.read(address, count: Int(min(count, UInt64(PacketReader.limit / 2))), lookedAt)
    guard !bytes.isEmpty || count == 0 else { return send(error: Code.fault) }
    send(PacketReader.hexadecimal(bytes))
  }

  private func writeMemory(_ fields: inout PacketFields, binary: Bool) {
    guard let address = fields.number(), fields.skip(","), let count = fields.number(), fields.skip(":"),
      let bytes = binary ? Array(fields.rest) : PacketReader.bytes(fields.rest), UInt64(bytes.count) == count
    else { return send(error: Code.invalid) }
    debugger.write(address, bytes, lookedAt) ? sendOK() : send(error: Code.fault)
  }

  // MARK: Breakpoints

  private func breakpoint(_ fields: inout PacketFields, insert: Bool) {
    let type = fields.number()
    guard let type, fields.skip(","), let address = fields.number(), fields.skip(","), let length = fields.number() else {
      return send(error: Code.invalid)
    }
    do throws(Debugger.Failure) {
      switch type {
      case 0, 1:
        if insert {
          try debugger.insertBreakpoint(address)
          if type == 1 { hardware.insert(address) }
        } else {
          debugger.removeBreakpoint(address)
          hardware.remove(address)
        }
      case 2, 3, 4:
        let watch = DebugControl.Watch(address: address, length: length, reads: type != 2, writes: type != 3)
        if insert { try debugger.insertWatch(watch) } else { debugger.removeWatch(watch) }
      default: return send("")
      }
    } catch {
      return send(error: error == .notAnInstruction ? Code.invalid : Code.noSpace)
    }
    sendOK()
  }

  // MARK: Going on

  /// `c`, `s`, and with a signal, which a processor does not take, `C` and `S`; then perhaps an address.
  private func proceed(_ fields: inout PacketFields, signal: Bool, step: Bool) {
    if signal {
      _ = fields.number()
      _ = fields.skip(";")
    }
    let index = goesOn ?? lookedAt
    if let address = fields.number() {
      guard debugger.setPosition(address, index) else { return send(error: Code.invalid) }
    }
    resume(stepping: step ? index : nil)
  }

  private func resume(stepping index: Int?) {
    owesStop = true
    debugger.resume(stepping: index)
  }

  /// `vCont`: the leftmost action that fits a processor counts. One steps, or none; the others go on with it.
  func continueThreads(_ fields: inout PacketFields) {
    var stepping: Int?
    var goesOnAll = false
    while !fields.isEmpty {
      var action = PacketFields(fields.field(endingWith: ";"))
      guard let letter = action.character() else { continue }
      if letter == UInt8(ascii: "C") || letter == UInt8(ascii: "S") { _ = action.number() }
      var thread = PacketFields.Thread.all
      if action.skip(":") {
        guard let named = action.thread() else { return send(error: Code.invalid) }
        thread = named
      }
      switch Character(UnicodeScalar(letter)) {
      case "c", "C": if thread == .all { goesOnAll = true }
      case "s", "S":
        switch thread {
        case .one(let index):
          guard isProcessor(index) else { return send(error: Code.invalid) }
          if stepping == nil { stepping = index }
        case .any, .all: if stepping == nil && !goesOnAll { stepping = lookedAt }
        }
      default: return send(error: Code.invalid)
      }
    }
    resume(stepping: stepping)
  }

  private func goBack(_ fields: inout PacketFields) {
    guard let reverse = debugger.reverse else { return send("") }
    let stop: Debugger.Stop
    switch fields.character() {
    case UInt8(ascii: "s"): stop = reverse.stepBack(processor: goesOn ?? lookedAt)
    case UInt8(ascii: "c"): stop = reverse.continueBack()
    default: return send("")
    }
    debugger.arrived(stop)
    owesStop = true
    machineStopped()
  }
}

extension Debugger {
  /// Continues somewhere else: a bundle's address with the slot in the low bits.
  public func setPosition(_ address: UInt64, _ index: Int) -> Bool {
    guard address & 0xF <= 2 else { return false }
    return change(index) { processor in
      let psr = processor.state.pointee.psr & ~PSR.riMask | (address & 3) << PSR.riShift
      return processor.edit(psr: psr) && processor.edit(ip: address & ~0xF)
    }
  }

  /// What a processor does, in a few words without any mark-up.
  public func summary(_ index: Int) -> String {
    let s = machine.processors[index].state
    if s.pointee.halted { return "waits for an interrupt" }
    if s.pointee.pausedUntil != 0 { return "pauses" }
    let level = inspect(index) { PSR.cpl($0.state.pointee.psr) }
    return "privilege level \(level)"
  }
}
