import Platform
import Processor

/// sched_op (hypercall 29, and 6 for old callers): `xen/include/public/sched.h`.
extension Hypercalls {
  enum Argument { case value(UInt64), handle(GuestHandle) }

  func schedule(_ command: UInt64, _ argument: Argument, _ index: Int) throws(XenError) -> Outcome {
    switch command {
    case 0: return .yield
    case 1:
      domain.sharedInfo.setUpcallMasked(index, false)
      return .wait
    case 2:
      guard let reason = Domain.ShutdownReason(rawValue: try reason(argument)) else { throw .invalid }
      if reason == .crash { domain.crash("the guest says that it has crashed") } else { domain.shutDown(reason) }
      return .stop
    case 3:
      guard case .handle(let handle) = argument else { throw .notImplemented }
      return try poll(handle, index)
    // remote_shutdown: domain 0's.
    case 4: throw .notPermitted
    // shutdown_code: the reason is kept, nothing ends.
    case 5: return .result(0)
    case 6:
      guard case .handle(let handle) = argument else { throw .notImplemented }
      let bytes = try read(handle, count: 8)
      return .result(try timers.setWatchdog(bytes.field(0), seconds: bytes.field(4)))
    default: throw .notImplemented
    }
  }

  private func reason(_ argument: Argument) throws(XenError) -> UInt32 {
    switch argument {
    case .value(let value): UInt32(truncatingIfNeeded: value)
    case .handle(let handle): try read(handle, count: 4).field(0)
    }
  }

  private func poll(_ handle: GuestHandle, _ index: Int) throws(XenError) -> Outcome {
    let bytes = try read(handle, count: 0x18)
    let count: UInt32 = bytes.field(8)
    let timeout: UInt64 = bytes.field(0x10)
    guard count <= UInt32(EventChannels.pollLimit) else { throw .invalid }
    let list = count == 0 ? [] : try read(GuestHandle(value: bytes.field(0)), count: Int(count) * 4)
    let ports = (0..<Int(count)).map { list.field($0 * 4, as: UInt32.self) }
    guard try domain.services.events.poll(ports, by: index, in: domain.domainNumber) else { return .result(0) }
    timers.setPollTimeout(index, nanoseconds: timeout)
    return .wait
  }
}
