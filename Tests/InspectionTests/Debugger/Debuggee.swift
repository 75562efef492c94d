import IA64
import Inspection
import Platform
import Processor

/// A small machine with a program, a debugger, and gdb's end of the line.
final class Debuggee {
  static let code: UInt64 = 0x10_0000
  static let data: UInt64 = 0x20_0000
  static let handlers: UInt64 = 0x8000

  let machine: Machine
  let debugger: Debugger
  let session: RemoteSession

  /// Physical mode, IP at the program, r5 the address of data, r4 the processor's number.
  init(_ program: String, processors: Int = 1) throws {
    machine = try Self.machine(program, processors)
    debugger = Debugger(machine, domain: nil) { [unowned machine] in machine.stop(1) }
    session = RemoteSession(debugger)
  }

  static func machine(_ program: String, _ processors: Int) throws -> Machine {
    let machine = try Machine(MachineConfiguration(memorySize: MachineConfiguration.smallestMemory, processors: processors))
    for (i, bundle) in try Assembler.assemble(program).enumerated() {
      machine.memory.store(code + UInt64(i) * 16, bundle.low)
      machine.memory.store(code + UInt64(i) * 16 + 8, bundle.high)
    }
    for (i, p) in machine.processors.enumerated() {
      p.setCFM(0)
      p.setPSR(PSR.ic)
      p.state.cr[CR.lid] = UInt64(i) << 24
      p.state.cr[CR.iva] = handlers
      p.state.pointee.bsp = 0x30_0000
      p.state.pointee.bspStore = 0x30_0000
      p.state.pointee.ip = code
      p.state.gr[4] = UInt64(i)
      p.state.gr[5] = data
    }
    return machine
  }

  /// Runs while nobody stops the machine, for so many cycles at most.
  func run(cycles: UInt64 = 100_000) {
    let end = machine.now + cycles
    while debugger.stop == nil, machine.now < end {
      let reason = machine.run(until: end)
      // A guest that faults for ever, or waits for nothing, goes no further.
      if reason == .deadlock || reason == .faultLoop { break }
    }
    if debugger.stop == nil { debugger.interrupt() }
    session.machineStopped()
  }

  /// Sends a packet, lets the machine run if it is to, and returns the packets that come back.
  func ask(_ packet: String) -> [String] {
    session.receive(PacketReader.frame(Array(packet.utf8)))
    if debugger.stop == nil { run() }
    return answers()
  }

  func answers() -> [String] {
    var reader = PacketReader()
    return reader.take(session.takeOutput()).compactMap { event in
      if case .packet(let bytes) = event { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
  }

  /// The value of a register by gdb's number, which travels in the guest's byte order.
  func register(_ number: Int) -> UInt64? {
    guard let text = ask("p" + String(number, radix: 16)).first, text.count == 16 else { return nil }
    return UInt64(text, radix: 16)?.byteSwapped
  }

  /// IP and the slot, from the registers of these numbers in gdb's ia64-tdep.h: IA64_IP_REGNUM, IA64_PSR_REGNUM; PSR.ri is bits 41 and 42.
  var position: UInt64? {
    guard let ip = register(331), let psr = register(332) else { return nil }
    return ip | psr >> 41 & 3
  }
}
