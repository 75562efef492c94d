import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Several processors in PAL and SAL: Volume 2, chapter 11 (PAL_LOGICAL_TO_PHYSICAL, PAL_CACHE_SHARED_INFO, PAL_FIXED_ADDR), SAL specification
/// (SAL_PHYSICAL_ID_INFO, application processor initialization, INIT). The topology: boards of four sockets with two cores.
@Suite("Firmware for several processors", .ends(withinMinutes: 5)) struct ProcessorTopologyTests {
  private final class Host: FirmwareHost {
    let machine: Machine
    var actions: [PowerAction] = []
    /// The machine calls it for as long as it runs.
    var firmware: SystemFirmware?
    var memory: any GuestMemory { machine.memory }
    var processors: [LogicalProcessor] { machine.processors }
    init(_ count: Int) throws { machine = try Machine(MachineConfiguration(memorySize: 64 << 20, processors: count)) }
    func perform(_ action: PowerAction) {
      actions.append(action)
      machine.stop(1)
    }
  }

  private func make(_ count: Int) throws -> (Host, SystemFirmware) {
    let host = try Host(count)
    let firmware = try SystemFirmware(host: host)
    host.firmware = firmware
    let kernel = try KernelImage.load(bytes: TestImage().bytes, file: "kernel", limit: 64 << 20)
    try firmware.boot(kernel: kernel)
    host.machine.bus.firmware = { [unowned firmware] in firmware.gate($0, processor: $1) }
    host.machine.bus.initialization = { [unowned firmware] in firmware.initialize($0) }
    return (host, firmware)
  }

  private func pal(_ firmware: SystemFirmware, _ processor: LogicalProcessor, _ index: UInt64, _ a: UInt64 = 0, _ b: UInt64 = 0)
    -> [UInt64]
  {
    let gr = processor.state.gr
    (gr[28], gr[29], gr[30], gr[31]) = (index, a, b, 0)
    _ = firmware.gate(Gate.pal, processor: processor)
    return [gr[8], gr[9], gr[10], gr[11]]
  }

  @Test func places() throws {
    let (host, firmware) = try make(11)
    for (index, p) in host.processors.enumerated() {
      let cores: UInt64 = index == 10 ? 1 : 2
      let (board, socket, core) = (UInt64(index / 8), UInt64(index % 8 / 2), UInt64(index % 2))
      let overview = cores | 1 << 16 | cores << 32 | socket << 48
      #expect(pal(firmware, p, 42, .max) == [0, overview, core << 32, 2 * socket + core])
      #expect(pal(firmware, p, 42, 0) == [0, overview, 0, 2 * socket])
      #expect(pal(firmware, p, 42, cores) == [UInt64(bitPattern: -2), 0, 0, 0])
      #expect(pal(firmware, p, 43, 2, 2) == [0, 1, core << 32, 2 * socket + core])
      #expect(pal(firmware, p, 43, 3, 2) == [UInt64(bitPattern: -2), 0, 0, 0])
      #expect(pal(firmware, p, 12) == [0, 2 * socket + core, 0, 0])
      p.state.pointee.sof = 8
      for n in 0..<8 { p.state.gr[32 + n] = n == 0 ? 0x0100_0013 : 0 }
      _ = firmware.gate(Gate.sal, processor: p)
      #expect(p.state.gr[8] == 0 && p.state.gr[9] == board)
      #expect(p.state.cr[CR.lid] == UInt64(index) << 24)
    }
  }

  /// Waiting processors sleep; the wake-up interrupt takes them to the handler, another one does not; they come back when it returns.
  @Test func wakeUp() throws {
    let (host, firmware) = try make(3)
    let machine = host.machine
    // The bootstrap processor has nothing to do: all wait, for ever.
    host.processors[0].state.pointee.halted = true
    #expect(machine.run(until: 10_000) == .deadlock)
    for p in host.processors { #expect(p.state.pointee.halted) }
    // nop.m 0, nop.i 0, br.ret.sptk.many b0, as GNU as encodes it
    machine.memory.store(0x200_0000, UInt64(0x0000_0001_0000_0011))
    machine.memory.store(0x200_0008, UInt64(0x0084_0008_8000_0200))
    let boot = host.processors[0]
    boot.state.pointee.sof = 8
    for (n, value) in ([0x0100_0000, 2, 0x200_0000, 0x1234, 0, 0, 0, 0] as [UInt64]).enumerated() { boot.state.gr[32 + n] = value }
    _ = firmware.gate(Gate.sal, processor: boot)
    #expect(boot.state.gr[8] == 0)
    func send(_ processor: UInt64, _ vector: UInt64) {
      machine.bus.write(physical: MemoryMap.interruptBlock | processor << 12, size: 8, value: vector)
    }
    let second = host.processors[1]
    let before = second.state.pointee.instructions
    send(1, 0x80)
    #expect(machine.run(until: 20_000) == .deadlock)
    #expect(second.state.pointee.halted && second.state.pointee.instructions > before && second.state.gr[1] != 0x1234)
    send(1, 0xFF)
    #expect(machine.run(until: 30_000) == .deadlock)
    #expect(second.state.gr[1] == 0x1234 && second.state.pointee.halted, "it has been in the handler and has come back")
    #expect(host.processors[2].state.gr[1] != 0x1234)
    #expect(host.actions.isEmpty)
  }

  @Test func initialization() throws {
    let (host, firmware) = try make(2)
    let machine = host.machine
    let boot = host.processors[0]
    // Where it will go on.
    boot.state.pointee.ip = 0x200_0200
    boot.state.pointee.halted = true
    #expect(machine.run(until: 10_000) == .deadlock)
    boot.state.pointee.sof = 8
    for (n, value) in ([0x0100_0000, 1, 0x200_0000, 0x11, 0, 0x200_0100, 0x22, 0] as [UInt64]).enumerated() {
      boot.state.gr[32 + n] = value
    }
    _ = firmware.gate(Gate.sal, processor: boot)
    for address in [0x200_0000, 0x200_0100, 0x200_0200] as [UInt64] {
      // nop.m 0, nop.i 0, a branch to itself, as GNU as encodes it
      machine.memory.store(address, UInt64(0x0000_0001_0000_0011))
      machine.memory.store(address + 8, UInt64(0x4000_0000_0000_0200))
    }
    machine.bus.write(physical: MemoryMap.interruptBlock | 1 << 12, size: 8, value: 5 << 8)
    #expect(machine.run(until: 20_000) == .limit)
    machine.bus.write(physical: MemoryMap.interruptBlock, size: 8, value: 5 << 8)
    #expect(machine.run(until: 30_000) == .limit)
    let (slave, monarch) = (host.processors[0], host.processors[1])
    #expect(monarch.state.pointee.ip == 0x200_0000 && monarch.state.gr[1] == 0x11)
    #expect(slave.state.pointee.ip == 0x200_0100 && slave.state.gr[1] == 0x22)
    for p in [slave, monarch] {
      #expect(p.state.pointee.psr & ~PSR.riMask == PSR.mc)
      #expect(p.state.gr[8] != 0 && p.state.gr[9] != 0 && p.state.gr[11] == 0 && p.state.gr[17] != 0)
      #expect(p.state.gr[18] >> 16 & 1 == 1 && p.state.gr[18] >> 60 & 1 == 0)
      let saved = try #require(machine.memory.load(p.state.gr[17] + 51 * 8, as: UInt64.self))
      #expect(saved != p.state.pointee.ip)
      // Back through the address in r12.
      p.state.gr[8] = 0
      p.state.gr[22] = p.state.gr[17]
      p.state.pointee.ip = p.state.gr[12]
      p.setPSR(PSR.mc)
    }
    #expect(machine.run(until: 40_000) == .limit)
    #expect(host.actions.isEmpty)
    for p in [slave, monarch] { #expect(p.state.pointee.psr & PSR.mc == 0) }
  }

  @Test func initializationWithoutHandlerResets() throws {
    let (host, _) = try make(1)
    host.processors[0].state.pointee.halted = true
    host.machine.bus.write(physical: MemoryMap.interruptBlock, size: 8, value: 5 << 8)
    #expect(host.machine.run(until: 1000) == .requested(1))
    #expect(host.actions == [.warmReset])
  }
}
