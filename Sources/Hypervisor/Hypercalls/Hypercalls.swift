import Processor

/// Hypercalls of one domain, PV or HVM (`xen/arch/ia64/xen/hypercall.c`): the number in r2, arguments in r32 to r36 of the caller's frame, the
/// result in r8.
final class Hypercalls {
  unowned let domain: Domain
  var memory: DomainMemory { domain.memory }
  /// Timers and watchdogs that guests set, by the machine's clock.
  let timers: HypercallTimers
  /// Where an HVM domain has put shared_info.
  var sharedInfoFrame: UInt64?
  /// HVM_PARAM_*.
  var parameters = [UInt64](repeating: 0, count: Hypercalls.parameterCount)

  init(_ domain: Domain) {
    self.domain = domain
    timers = HypercallTimers(domain)
  }

  /// How the guest goes on.
  enum Outcome: Equatable {
    /// Behind the call, with this in r8.
    case result(UInt64)
    /// The same with 0, once there is something for it to do.
    case wait
    /// The same, after others have had their turn.
    case yield
    /// Where it is: in its handler of a fault that came first.
    case stay
    /// Not at all for now: the processor is down, or the domain has ended.
    case stop
  }

  /// The operand of `break` that makes one.
  static let breakImmediate: UInt64 = 0x1000

  /// Short and stable: a key of statistics.
  static func name(_ number: UInt64) -> String {
    Number(rawValue: number).map { "\($0)" } ?? (number < 64 ? "\(number)" : "firmware")
  }

  /// Numbers that are implemented (table 1.4 of the ABI).
  enum Number: UInt64 {
    case schedOpCompat = 6
    case platformOp = 7
    case memoryOp = 12
    case multicall = 13
    case xenVersion = 17
    case consoleIO = 18
    case grantTableOp = 20
    case vcpuOp = 24
    case schedOp = 29
    case callbackOp = 30
    case xenoprofOp = 31
    case eventChannelOp = 32
    case physdevOp = 33
    case hvmOp = 34
    case sysctl = 35
    case domctl = 36
    case kexecOp = 37
    case dom0vpOp = 48
    case fastEOI = 49
    case debugOp = 50
    case optFeature = 0x700
  }

  /// Performs what the processor asks for with these arguments.
  func perform(_ number: UInt64, _ a: [UInt64], processor index: Int) -> Outcome {
    guard let number = Number(rawValue: number) else { return failure(.notImplemented) }
    do throws(XenError) {
      switch number {
      case .schedOpCompat: return try schedule(a[0], .value(a[1]), index)
      case .schedOp: return try schedule(a[0], .handle(GuestHandle(value: a[1])), index)
      case .memoryOp: return .result(try memoryOperation(a[0], GuestHandle(value: a[1])))
      case .multicall: return try multicall(GuestHandle(value: a[0]), a[1], index)
      case .xenVersion: return .result(try version(a[0], GuestHandle(value: a[1])))
      case .vcpuOp: return try processorOperation(a[0], a[1], GuestHandle(value: a[2]), index)
      case .callbackOp: return .result(try callback(a[0], GuestHandle(value: a[1]), index))
      case .eventChannelOp: return .result(try eventChannel(a[0], GuestHandle(value: a[1])))
      case .physdevOp: return .result(try physicalDevice(a[0], GuestHandle(value: a[1])))
      case .hvmOp: return .result(try hvmOperation(a[0], GuestHandle(value: a[1])))
      case .dom0vpOp: return .result(try physicalMemory(a))
      case .grantTableOp: return .result(try grantTable(a[0], GuestHandle(value: a[1]), a[2]))
      case .optFeature: return .result(try optionalFeature(GuestHandle(value: a[0])))
      case .fastEOI: return failure(.invalid)
      // Domain 0's; no guest here is that.
      case .platformOp, .sysctl, .domctl, .kexecOp, .consoleIO, .debugOp, .xenoprofOp: return failure(.notPermitted)
      }
    } catch {
      return failure(error)
    }
  }

  func failure(_ error: XenError) -> Outcome { .result(error.result) }

  // MARK: Arguments

  func read(_ handle: GuestHandle, count: Int) throws(XenError) -> [UInt8] {
    guard let bytes = handle.read(memory, count: count) else { throw .badAddress }
    return bytes
  }

  func write(_ handle: GuestHandle, _ bytes: [UInt8]) throws(XenError) {
    guard handle.write(memory, bytes) else { throw .badAddress }
  }

  /// No guest here may name another domain where Xen asks for privilege.
  func checkSelf(_ number: UInt16) throws(XenError) {
    guard number == DomainNumber.caller || number == domain.domainNumber else { throw .notPermitted }
  }

  // MARK: Several calls in one

  /// More elements in one call are refused, since the guest takes no event meanwhile. (Xen has no limit, and interrupts the call instead.)
  private static let largestArray: UInt64 = 4096
  private static let entrySize: UInt64 = 0x40

  private func multicall(_ list: GuestHandle, _ count: UInt64, _ index: Int) throws(XenError) -> Outcome {
    guard count <= Self.largestArray else { throw .invalid }
    for n in 0..<count {
      guard var entry = list.read(memory, count: Int(Self.entrySize), skip: n * Self.entrySize) else { throw .badAddress }
      let number: UInt64 = entry.field(0)
      // One inside of another is refused.
      let outcome =
        number == Number.multicall.rawValue
        ? failure(.invalid) : perform(number, (0..<5).map { entry.field(16 + 8 * $0) }, processor: index)
      switch outcome {
      case .result(let value): entry.setField(8, value)
      case .wait, .yield, .stay: entry.setField(8, 0 as UInt64)
      case .stop: return .stop
      }
      guard list.write(memory, entry, skip: n * Self.entrySize) else { throw .badAddress }
    }
    return .result(0)
  }

  // MARK: Services

  private func eventChannel(_ command: UInt64, _ handle: GuestHandle) throws(XenError) -> UInt64 {
    guard let size = EventChannels.argumentSize(command) else { throw .notImplemented }
    var arguments = try read(handle, count: size)
    let result = domain.services.events.perform(command, arguments: &arguments, for: domain)
    if result == 0 { try write(handle, arguments) }
    return UInt64(bitPattern: result)
  }

  /// Each element of the array has its own status.
  private func grantTable(_ command: UInt64, _ handle: GuestHandle, _ count: UInt64) throws(XenError) -> UInt64 {
    guard let size = GrantTables.elementSize(command) else { throw .notImplemented }
    guard count <= Self.largestArray else { throw .invalid }
    for n in 0..<count {
      guard var element = handle.read(memory, count: size, skip: n * UInt64(size)) else { throw .badAddress }
      let result = domain.services.grants.perform(command, element: &element, for: domain) { list, frames in
        let list = GuestHandle(value: list)
        return frames.enumerated().allSatisfy { list.setWord(memory, UInt64($0.offset), $0.element) }
      }
      guard result == 0 else { return UInt64(bitPattern: result) }
      guard handle.write(memory, element, skip: n * UInt64(size)) else { throw .badAddress }
    }
    return 0
  }

  private func physicalDevice(_ command: UInt64, _ handle: GuestHandle) throws(XenError) -> UInt64 {
    switch command {
    // IRQ_UNMASK_NOTIFY and end of interrupt: nothing waits for them.
    case 4, 12: return 0
    case 5:
      var query = try read(handle, count: 8)
      query.setField(4, 0 as UInt32)
      try write(handle, query)
      return 0
    case 13, 14: return 0
    case 6, 8, 9, 10, 11, 15, 16: throw .notPermitted
    default: throw .notImplemented
    }
  }
}
