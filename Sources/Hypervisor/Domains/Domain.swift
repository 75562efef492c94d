import Platform
import Processor

/// A domain: memory, virtual processors, the machine that they make up, and what it shares with the hypervisor. How its guest is virtualized is
/// the subclass's: ``HVMDomain``, ``ParavirtualDomain``.
public class Domain: VirtualizationMonitor, ServicedDomain {
  public let domainNumber: UInt16
  public let memory: DomainMemory
  public let services: HostServices
  public let sharedInfo: SharedInfo
  /// 16 bytes; zero: nobody has given it one.
  public var uuid = [UInt8](repeating: 0, count: 16)
  /// Set by ``assemble(_:)``.
  public private(set) var machine: Machine! = nil
  private(set) var hypercalls: Hypercalls! = nil

  /// Why a domain has stopped itself (sched_op's shutdown).
  public enum ShutdownReason: UInt32, Sendable {
    case powerOff = 0
    case reboot = 1
    case suspend = 2
    case crash = 3
    case watchdog = 4
  }
  /// Told when the guest shuts down, from inside its hypercall; its run ends with it.
  public var hasShutDown: ((ShutdownReason) -> Void)?
  /// What it has given as reason; nil: it runs.
  public private(set) var shutdownReason: ShutdownReason?
  /// The machine has been reset: the guest begins anew.
  public func restarted() { shutdownReason = nil }

  /// Nil: nobody looks, and that costs nothing.
  public var exitObserver: (any ExitObserver)?

  /// The hypervisor has given up on the guest: what it has done.
  public private(set) var crash: String?

  /// Whether a guest-physical address is a register of a device that the domain has for itself. Set by whoever owns the devices.
  public var isDirect: ((_ physical: UInt64) -> Bool)?
  /// They have moved.
  public func directDevicesChanged() { translationsAreStale = true }
  /// One of them interrupts: the hypervisor takes that, and hands it on.
  public func noteDirectInterrupt() { virtualProcessors.first?.note(.externalInterrupt, 0) }

  /// Frames of the domain are others than before: what the machine holds of its translations is dropped before the guest goes on.
  private var translationsAreStale = false

  init(number: UInt16, memory: DomainMemory, services: HostServices) throws(FramePool.Failure) {
    (self.domainNumber, self.memory, self.services) = (number, memory, services)
    let pool = memory.pool
    try pool.reserve(1)
    let frame = pool.take()
    guard let page = pool.memory.host(UInt64(frame) << FramePool.frameShift, count: Int(FramePool.frameSize)) else {
      preconditionFailure("a frame of the pool is not memory")
    }
    sharedInfo = SharedInfo(page: page, machineFrame: frame)
    memory.forgetsTranslations = { [unowned self] in translationsAreStale = true }
  }

  /// The machine is there, its processors among ``virtualProcessors``: the guest can be loaded. `grantsAt`: where it sees its grant table; nil:
  /// where it will say.
  func assemble(_ machine: Machine, grantsAt place: UInt64? = nil) throws(XenError) {
    self.machine = machine
    hypercalls = Hypercalls(self)
    for processor in virtualProcessors {
      processor.purgeElsewhere = { [unowned self] from, start, last, rid in
        for other in virtualProcessors where other.index != from { other.purgeByOther(start: start, last: last, rid: rid) }
      }
    }
    try services.grants.add(self, tableAt: place)
    services.events.add(self)
    machine.monitor = self
  }

  /// Takes the domain out of the host's services. Its machine does not run any more.
  public func leaveServices() {
    nodes?.remove(from: services.store)
    nodes = nil
    if services.store.isIntroduced(domainNumber) { services.store.release(domainNumber) }
    services.events.remove(domainNumber)
    services.grants.remove(domainNumber)
  }

  deinit {
    memory.forgetsTranslations = nil
    leaveServices()
    memory.pool.giveBack(sharedInfo.machineFrame)
    memory.pool.release(1)
  }

  /// In the order of the machine's processors.
  public var virtualProcessors: [VirtualProcessor] { preconditionFailure("each kind of domain has its own") }

  public var virtualProcessorCount: Int { virtualProcessors.count }

  // MARK: Running

  @inline(__always) func settleTranslations() {
    guard translationsAreStale else { return }
    translationsAreStale = false
    for processor in virtualProcessors { processor.processor.purgeMachine() }
  }

  public func run(_ index: Int, until cycle: UInt64) -> ExitReason {
    settleTranslations()
    return virtualProcessors[index].run(until: cycle)
  }

  public func turn(_ index: Int, _ extent: Extent, until cycle: UInt64) -> ExitReason? {
    settleTranslations()
    return virtualProcessors[index].turn(extent, until: cycle)
  }

  public func localIdentifier(of index: Int) -> UInt64 { virtualProcessors[index].guest.descriptor.vcr[CR.lid] }

  public func post(_ vector: UInt8, to index: Int) {
    let virtual = virtualProcessors[index]
    virtual.processor.post(vector: vector, to: virtual.guest)
  }

  public func postInitialization(to index: Int) { preconditionFailure("only HVM domains have an interrupt block") }

  /// What XenStore has of it.
  private var nodes: DomainNodes?

  /// Puts the domain into XenStore, and connects it.
  public func enter(store nodes: DomainNodes) throws(StoreError) {
    try nodes.write(to: services.store)
    self.nodes = nodes
    try services.store.introduce(domainNumber, frame: nodes.storeFrame, port: nodes.storePort)
  }

  /// Tells the guest's balloon driver how much memory to keep.
  public func ask(forMemory kibibytes: UInt64) throws(StoreError) {
    guard let nodes else { throw .noEntry }
    try services.store.write(nodes.home + "/memory/target", "\(kibibytes)")
  }

  /// Asks the guest to end, as its user would: `reason` is "poweroff", "reboot", "halt" or "suspend".
  public func ask(toShutDown reason: String) throws(StoreError) {
    guard let nodes else { throw .noEntry }
    try services.store.write(nodes.home + "/control/shutdown", reason)
  }

  /// A processor that was down goes on.
  func resume(_ index: Int) { preconditionFailure("only PV domains' processors go down by themselves") }

  // MARK: Ends

  func shutDown(_ reason: ShutdownReason) {
    guard shutdownReason == nil else { return }
    shutdownReason = reason
    hasShutDown?(reason)
  }

  /// The guest has done what no guest may: the domain is over, the others go on.
  func crash(_ what: String) {
    guard crash == nil else { return }
    crash = what
    shutDown(.crash)
  }

  // MARK: ServicedDomain

  public func upcall(_ processor: Int) { preconditionFailure("each kind of domain has its own") }

  /// The guest wants to be told again of what it may have been told before.
  func upcallAgain() {
    for index in 0..<virtualProcessorCount where sharedInfo.upcallPending(index) && !sharedInfo.upcallMasked(index) {
      upcall(index)
    }
  }
}
