import Hypervisor
import IA64
import Loading
import Platform
import Processor

/// A PV domain as the hypervisor's loop sees one.
final class ParavirtualGuest: ScheduledDomain {
  let domain: ParavirtualDomain
  let connections: DomainBuilder.Connections
  /// What has ended the domain.
  private(set) var end: Machine.StopReason?

  /// `program`: placed where `code` is, with the shared pages at their default addresses.
  static let code: UInt64 = 0x400_0000

  init(_ program: String, number: Int = 1, pool: FramePool, services: HostServices, processors: Int = 1) throws {
    var configuration = ParavirtualDomain.Configuration(memorySize: 128 << 20, processors: processors, number: number)
    configuration.tableShift = 16
    domain = try ParavirtualDomain(configuration, pool: pool, services: services)
    let bundles = try Assembler.program(program, at: Self.code, symbols: [:]).bundles
    connections = try DomainBuilder(kernel: Self.kernel(bundles)).build(domain)
    domain.hasShutDown = { [unowned self] _ in domain.machine.stop(1) }
  }

  /// An ELF file with one segment.
  private static func kernel(_ bundles: [Bundle]) throws -> ELFProgram {
    var file = [UInt8](repeating: 0, count: 120)
    func put<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
      withUnsafeBytes(of: value.littleEndian) { for (n, byte) in $0.enumerated() { file[offset + n] = byte } }
    }
    put(0x464C_457F as UInt32, 0)
    (file[4], file[5], file[6]) = (2, 1, 1)
    put(2 as UInt16, 16)
    put(50 as UInt16, 18)
    put(1 as UInt32, 20)
    put(code, 24)
    put(64 as UInt64, 32)
    put(64 as UInt16, 52)
    put(56 as UInt16, 54)
    put(1 as UInt16, 56)
    put(64 as UInt16, 58)
    put(1 as UInt32, 64)
    put(7 as UInt32, 68)
    put(120 as UInt64, 72)
    put(code, 80)
    put(code, 88)
    put(UInt64(bundles.count * 16), 96)
    put(UInt64(bundles.count * 16), 104)
    put(16 as UInt64, 112)
    for bundle in bundles {
      for word in [bundle.low, bundle.high] { withUnsafeBytes(of: word.littleEndian) { file += $0 } }
    }
    return try ELFProgram(compressedOrNot: file, limit: 1 << 20, file: "test")
  }

  func place(_ bundles: [Bundle], at address: UInt64) {
    for (i, bundle) in bundles.enumerated() {
      domain.memory.store(address + UInt64(i) * 16, bundle.low)
      domain.memory.store(address + UInt64(i) * 16 + 8, bundle.high)
    }
  }

  // MARK: ScheduledDomain

  var virtualProcessorCount: Int { domain.processors.count }
  var nextEvent: UInt64 { end == nil ? domain.machine.nextEvent : .max }
  var hasWork: ((UInt64) -> Void)? {
    get { domain.machine.hasWork }
    set { domain.machine.hasWork = newValue }
  }
  func nextCycle(of index: Int) -> UInt64? { end == nil ? domain.machine.nextCycle(of: index) : nil }
  func setMayRun(_ allowed: Bool, processor index: Int, at cycle: UInt64) {
    domain.machine.setMayRun(allowed, processor: index, at: cycle)
  }
  func advance(to cycle: UInt64) {
    guard end == nil else { return }
    switch domain.machine.run(until: cycle) {
    case .limit, .deadlock: break
    case let reason: end = reason
    }
  }
  func revive() { end = nil }
}
