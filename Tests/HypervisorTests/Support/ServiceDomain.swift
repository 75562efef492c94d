import Hypervisor
import Processor

/// A domain for tests of the hypervisor's services: memory and a shared_info, nothing that runs.
final class ServiceDomain: ServicedDomain {
  let domainNumber: UInt16
  let memory: DomainMemory
  let sharedInfo: SharedInfo
  let virtualProcessorCount: Int
  /// Virtual processors that were told, in order.
  var upcalls: [Int] = []

  static let frames: UInt64 = 64

  init(_ number: UInt16, pool: FramePool, processors: Int = 2, frames: UInt64 = ServiceDomain.frames) throws {
    domainNumber = number
    memory = try DomainMemory(pool: pool, layout: [(0, frames * FramePool.frameSize)])
    try pool.reserve(1)
    let frame = pool.take()
    guard let page = pool.memory.host(UInt64(frame) << FramePool.frameShift, count: Int(FramePool.frameSize)) else {
      throw XenError.noMemory
    }
    sharedInfo = SharedInfo(page: page, machineFrame: frame)
    virtualProcessorCount = processors
  }

  func upcall(_ processor: Int) { upcalls.append(processor) }

  // MARK: What the guest's loads and stores reach, in RAM and outside of it

  func load<T: FixedWidthInteger>(_ address: UInt64, as: T.Type = T.self) -> T? {
    memory.machine(address).flatMap { memory.pool.memory.load($0) }
  }

  /// False: there is nothing that the guest may write to.
  @discardableResult func store<T: FixedWidthInteger>(_ address: UInt64, _ value: T) -> Bool {
    guard memory.isWritable(address), let machine = memory.machine(address) else { return false }
    return memory.pool.memory.store(machine, value)
  }

  /// What the guest does in its upcall: the ports it sees on a processor, lowest first.
  func takeEvents(_ processor: Int = 0) -> [Int] {
    sharedInfo.setUpcallPending(processor, false)
    let selector = sharedInfo.pendingSelector(processor)
    sharedInfo.setPendingSelector(processor, 0)
    var ports: [Int] = []
    for word in 0..<64 where selector >> UInt64(word) & 1 != 0 {
      for port in word * 64..<word * 64 + 64 where sharedInfo.isPending(port) && !sharedInfo.isMasked(port) {
        sharedInfo.setPending(port, false)
        ports.append(port)
      }
    }
    return ports
  }
}
