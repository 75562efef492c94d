import Hypervisor
import IA64
import Platform
import Processor
import TestSupport
import Testing

/// A neighbour that does everything that a guest can do wrong: random bundles at every privilege level, in every mode of translation, with
/// random registers and control registers, jumps into the firmware, references to devices. The other domain, on a physical processor of
/// its own, must not notice: not in its memory, not in its registers, not in its clock.
@Suite("Isolation of domains", .ends(withinMinutes: 10))
struct IsolationTests {
  /// Computes for ever; each round stores the state and the time.
  static let work = """
    movl r14=0x200000
    movl r15=0x9E3779B97F4A7C15
    mov r16=1 ;;
    again:
    mov r17=ar.itc
    shl r18=r16,13 ;;
    xor r16=r16,r18 ;;
    shr.u r18=r16,7 ;;
    xor r16=r16,r18 ;;
    shl r18=r16,17 ;;
    xor r16=r16,r18 ;;
    dep.z r19=r16,3,12 ;;
    add r19=r14,r19 ;;
    st8 [r19]=r16
    st8 [r14]=r17 ;;
    br.cond.sptk.many again
    """

  private static let rounds = 300
  private static let cyclesOfRound: UInt64 = 40_000

  /// The busy domain's state after all rounds. `neighbour`: 0 for none, else the seed of what it does.
  private func run(neighbour seed: UInt64, rounds: Int = rounds) throws -> (fingerprint: [UInt64], exits: UInt64) {
    let pool = try FramePool(size: 512 << 20, kept: 64 << 20)
    let hypervisor = try Hypervisor(processors: 2, cyclesPerSecond: LogicalProcessor.frequency)
    let busy = try GuestDomain(number: 1, pool: pool)
    try busy.load(Self.work)
    try hypervisor.add(busy, number: 1, affinities: [1])
    let hostile = seed == 0 ? nil : try GuestDomain(number: 2, pool: pool, processors: 2, withFirmware: true)
    if let hostile { try hypervisor.add(hostile, number: 2, affinities: [2]) }
    var random = SeededGenerator(state: seed)
    for _ in 0..<rounds {
      if let hostile { misbehave(hostile, &random) }
      hypervisor.advance(to: hypervisor.now + Self.cyclesOfRound)
    }
    return (busy.fingerprint, hostile?.domain.processors.reduce(0) { $0 + $1.exits.total } ?? 0)
  }

  private func misbehave(_ guest: GuestDomain, _ random: inout SeededGenerator) {
    guest.revive()
    // The handlers are random as well, now and then; otherwise they skip what has faulted.
    for vector in stride(from: UInt64(0), to: 0x8000, by: 0x100) where random.next() % 4 == 0 {
      guest.place((0..<16).map { _ in Self.bundle(&random) }, at: GuestDomain.handlers + vector)
    }
    guest.place((0..<64).map { _ in Self.bundle(&random) }, at: GuestDomain.code)
    for index in guest.domain.processors.indices {
      guest.restart(index) { processor in
        let s = processor.state
        for n in 1..<128 { s.gr[n] = Self.value(&random) }
        for n in 0..<8 { s.br[n] = Self.value(&random) }
        for n in 0..<8 { s.rr[n] = (random.next() & 0x3FFFF) << 8 | 14 << 2 | random.next() & 1 }
        for n in 0..<8 { s.ar[n] = random.next() }
        s.cr[CR.pta] = random.next() & ~0x7FFF | 20 << 2 | random.next() & 0x101
        s.cr[CR.itm] = random.next() & 0xFFFF
        s.cr[CR.itv] = 0x40
        processor.setCFM(random.next() % 97)
        let modes = PSR.it | PSR.dt | PSR.rt | PSR.ic | PSR.i | PSR.bn | PSR.cplMask | PSR.ac | PSR.be | PSR.pk | PSR.ss | PSR.db
        var psr = random.next() & modes
        if random.next() % 3 != 0 { psr &= ~PSR.it }
        processor.setPSR(psr)
        if random.next() % 4 == 0 { s.pointee.ip = MemoryMap.firmware + (random.next() % 0x1000) * 16 }
        for _ in 0..<4 {
          processor.insertTranslation(
            instruction: random.next() & 1 != 0, virtual: Self.value(&random), physical: Self.value(&random) & ((1 << 50) - 1),
            pageShift: [12, 14, 16, 24, 28][Int(random.next() % 5)], accessRights: UInt8(random.next() & 7),
            privilegeLevel: UInt8(random.next() & 3), attribute: [0, 4, 6, 7][Int(random.next() & 3)])
        }
      }
    }
  }

  private static func bundle(_ random: inout SeededGenerator) -> Bundle { Bundle(low: random.next(), high: random.next()) }

  /// Addresses that lead somewhere, and others.
  private static func value(_ random: inout SeededGenerator) -> UInt64 {
    let spread = random.next()
    switch random.next() % 8 {
    case 0: return MemoryMap.portSpace + spread % MemoryMap.portSpaceSize
    case 1: return MemoryMap.interruptBlock + spread % MemoryMap.interruptBlockSize
    case 2: return MemoryMap.ioSAPIC + spread % 0x100
    case 3: return MemoryMap.firmware + spread % MemoryMap.firmwareSize
    case 4: return spread % (64 << 20)
    case 5: return spread & 0xE000_0000_03FF_FFF8
    case 6: return spread & ((1 << 50) - 1)
    default: return spread
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func neighboursDoNotNotice(_ seed: UInt64) throws {
    let alone = try run(neighbour: 0)
    let (beside, exits) = try run(neighbour: seed)
    #expect(alone.fingerprint == beside, "seed \(seed)")
    // The neighbour has kept the hypervisor busy.
    #expect(exits > 10_000, "seed \(seed): \(exits) exits")
  }

  /// Nothing of a domain that is gone is left for the next one.
  @Test func memoryComesBackEmpty() throws {
    let pool = try FramePool(size: 256 << 20, kept: 0)
    let free = pool.free
    do {
      let domain = try GuestDomain(number: 1, pool: pool)
      for page in stride(from: UInt64(0), to: 64 << 20, by: 1 << 14) { domain.domain.memory.store(page, ~0 as UInt64) }
      #expect(pool.free < free)
    }
    #expect(pool.free == free)
    let next = try GuestDomain(number: 2, pool: pool)
    let used = (0..<(64 << 6)).filter { next.domain.memory.load(UInt64($0) << 14, as: UInt64.self) != 0 }
    #expect(used.isEmpty)
  }
}
