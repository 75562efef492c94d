/// State of the EFI boot services, from power-on until ExitBootServices.
struct BootServicesState: Sendable, Equatable, Codable {
  var memory: MemoryLedger
  var pool = PoolLedger()
  var handles = HandleDatabase()
  var events = EventDatabase()
  /// Services that wait for the guest's code, innermost last.
  var frames: [CallFrame] = []
  /// What interrupts have suspended while notification functions run, innermost last.
  var contexts: [InterruptedContext] = []
  /// The handle of the firmware itself.
  var firmwareImage: UInt64 = 0
  /// By handle.
  var images: [UInt64: LoadedImage] = [:]
  var consoles = ConsoleState()
  /// By the address of the interface.
  var files: [UInt64: OpenFile] = [:]
  /// Media and partitions by the address of their Block I/O, Disk I/O and Simple File System interfaces.
  var volumes: [UInt64: Int] = [:]
  var monotonicCount: UInt32 = 0
  /// Cycles at which services end that are waiting, by the number of interrupts that surround them.
  private var waits: [Int: UInt64] = [:]
  /// Cycle at which the watchdog resets the machine.
  var watchdog: UInt64?
  var manager = BootManagerState()

  init(memory: MemoryLedger) { self.memory = memory }

  /// When the service ends that is waiting now.
  var waitEnd: UInt64? {
    get { waits[contexts.count] }
    set { waits[contexts.count] = newValue }
  }

  /// Gives up services and interrupts from this depth on.
  mutating func abandon(from depth: Int) {
    contexts.removeLast(max(0, contexts.count - depth))
    waits = waits.filter { $0.key < depth }
  }

  /// The frame of the service that has called the guest's code last.
  var innermost: CallFrame? {
    get { frames.last }
    set { if let newValue, !frames.isEmpty { frames[frames.count - 1] = newValue } }
  }
}
