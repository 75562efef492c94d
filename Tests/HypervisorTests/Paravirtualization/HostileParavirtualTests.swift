import Hypervisor
import IA64
import Platform
import Processor
import TestSupport
import Testing

/// A PV guest that asks its hypervisor for everything with arguments that mean nothing, and writes anything into the pages that it shares with
/// it. It must be served or refused; its neighbour must not notice.
@Suite("Hostile PV guests", .ends(withinMinutes: 10))
struct HostileParavirtualTests {
  /// One of each: a hypercall, all hyperprivops, and privileged instructions; then the same again.
  private static let code: String = {
    var text = "again:\n"
    for n in 1...26 { text += "break.m \(n) ;;\nbreak.m 0x1000 ;;\n" }
    for instruction in [
      "mov cr.ifa=r3", "mov cr.itir=r4", "itc.d r5", "itr.i itr[r6]=r7", "mov rr[r8]=r9", "ptc.ga r10,r11", "ptc.e r12",
      "tpa r13=r14",
      "mov r15=psr", "mov psr.l=r16", "mov pkr[r17]=r18", "mov dbr[r19]=r20", "mov ibr[r21]=r22", "mov pmc[r23]=r24", "ssm 0x2000",
      "rsm 0x4000", "mov cr.tpr=r25", "mov cr.itv=r26", "mov cr.itm=r27", "mov r28=cr.ivr", "bsw.0", "bsw.1", "thash r29=r30",
      "ttag r31=r1", "mov cr.pta=r2", "mov cr.dcr=r3", "mov cr.ipsr=r4", "rfi",
    ] { text += instruction + " ;;\nbreak.m 0x1000 ;;\n" }
    return text + "br.cond.sptk.many again ;;\n"
  }()

  private static let interestingHypercalls: [UInt64] = [
    6, 12, 13, 17, 20, 24, 29, 30, 32, 33, 34, 48, 49, 0x300, 0x304, 0x309, 0x400, 0x501, 0x600, 0x700, 0x1000, 0x1100, 0x1200,
  ]

  private static func value(_ random: inout SeededGenerator, _ domain: ParavirtualDomain) -> UInt64 {
    let inMemory = random.next() % (domain.memory.frames << 14)
    switch random.next() % 8 {
    case 0: return random.next()
    case 1: return random.next() % 16
    case 2: return inMemory | 1 << 63
    case 3: return inMemory & ~7
    case 4: return inMemory >> 14
    case 5: return 0xF500_0000_0000_0000 + random.next() % 0x6000
    case 6: return UInt64.max - random.next() % 64
    default: return random.next() >> (random.next() % 64)
    }
  }

  private func run(hostile seed: UInt64, rounds: Int) throws -> (fingerprint: [UInt64], calls: UInt64, lives: Int) {
    let pool = try FramePool(size: 768 << 20, kept: 64 << 20)
    let services = HostServices(pool: pool)
    let hypervisor = try Hypervisor(processors: 2, cyclesPerSecond: LogicalProcessor.frequency)
    let busy = try GuestDomain(number: 1, pool: pool)
    try busy.load(IsolationTests.work)
    try hypervisor.add(busy, number: 1, affinities: [1])
    var (calls, lives): (UInt64, Int) = (0, 0)
    var hostile: ParavirtualGuest?
    var random = SeededGenerator(state: seed)
    for _ in 0..<rounds {
      if seed != 0 {
        if hostile == nil || hostile?.end != nil {
          if let old = hostile {
            calls += old.domain.processors.reduce(0) { $0 + $1.exits.total }
            try hypervisor.remove(2)
            old.domain.leaveServices()
          }
          let new = try ParavirtualGuest(Self.code, number: 2, pool: pool, services: services, processors: 2)
          try new.domain.enter(
            store: DomainNodes(
              number: 2, name: "hostile", uuid: "0", memoryTarget: 1, processors: 2, storeFrame: new.connections.storeFrame,
              storePort: new.connections.storePort))
          try hypervisor.add(new, number: 2, affinities: [2])
          hostile = new
          lives += 1
        }
        if let hostile { misbehave(hostile, &random) }
      }
      hypervisor.advance(to: hypervisor.now + 20_000)
    }
    calls += hostile?.domain.processors.reduce(0) { $0 + $1.exits.total } ?? 0
    return (busy.fingerprint, calls, lives)
  }

  private func misbehave(_ guest: ParavirtualGuest, _ random: inout SeededGenerator) {
    let domain = guest.domain
    for _ in 0..<200 {
      domain.memory.store((random.next() % (domain.memory.frames << 14)) & ~7, Self.value(&random, domain))
    }
    // The rings of XenStore and console, and start_info.
    for _ in 0..<50 {
      domain.memory.store(
        (domain.memory.frames - 1 - random.next() % 4) << 14 | random.next() % 0x1000 & ~7, Self.value(&random, domain))
    }
    for processor in domain.processors {
      let s = processor.processor.state
      for n in 1..<128 { s.gr[n] = Self.value(&random, domain) }
      s.gr[2] = Self.interestingHypercalls[Int(random.next() % UInt64(Self.interestingHypercalls.count))]
      processor.processor.setCFM(8 + random.next() % 80)
      s.pointee.ip = ParavirtualGuest.code + (random.next() % 160) * 16
      for _ in 0..<20 where random.next() & 1 != 0 {
        processor.scribble(at: Int(random.next() % 512) * 8, Self.value(&random, domain))
      }
      if random.next() % 4 == 0 { processor.processor.wake() }
    }
    for _ in 0..<40 {
      domain.sharedInfo.setWord(Int(random.next() % 0x224) * 8, random.next())
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func theNeighbourNoticesNothing(_ seed: UInt64) throws {
    let alone = try run(hostile: 0, rounds: 300)
    let together = try run(hostile: seed, rounds: 300)
    #expect(alone.fingerprint == together.fingerprint, "seed \(seed)")
    #expect(together.calls > 5_000, "the hostile guest has done too little: \(together.calls) exits, seed \(seed)")
  }
}
