import HostResources
import Platform

/// An ATA hard disk (ATA/ATAPI-6): a medium of the host behind the general feature set, 48-bit addresses, a write cache.
public final class ATADisk: ATADevice {
  /// Everything that a saved machine needs of it besides ``ATADevice/Interface``.
  struct State: Sendable, Equatable, Codable {
    static let version = 1
    var geometry: ATAGeometry
    /// Sectors for each interrupt of READ and WRITE MULTIPLE; 0: those commands are off.
    var multiple: UInt8 = ATADisk.largestMultiple
    var writeCache: Bool
    var lookAhead = true
    var revertsOnReset = false
    var mode = ATATransferMode()
    var smart = true
    var isStandingBy = false
    var operation: Operation?
  }
  /// The command that is going on.
  struct Operation: Sendable, Equatable, Codable {
    enum Kind: Sendable, Equatable, Codable {
      /// Ends when its time is over.
      case nothing
      case fails(UInt8)
      /// The buffer of an answer goes to the host.
      case answer
      case read, write, readDMA, writeDMA, verify, flush, sleep
    }
    var kind: Kind
    /// Next sector, and how many there are from it on.
    var lba: UInt64 = 0
    var left: UInt64 = 0
    /// Sectors for each interrupt.
    var block = 1
    var isExtended = false
    /// Data must be on stable storage at the end, cache or not.
    var isForced = false
  }
  var state: State
  let medium: any BlockStorage
  let timing: MediumTiming
  private let cacheAtStart: Bool
  let serial: String
  let sectors: UInt64

  static let largestMultiple: UInt8 = 16
  /// Sectors that 28-bit commands reach.
  static let reach28: UInt64 = 1 << 28
  static let reach48: UInt64 = 1 << 48

  /// `writeCache`: whether the cache is on until the guest decides. Without it each write is on stable storage when it is done.
  public init(
    medium: any BlockStorage, serial: String, writeCache: Bool = true, timing: MediumTiming = MediumTiming(), events: EventQueue,
    clock: any VirtualClock
  ) {
    self.medium = medium
    self.timing = timing
    self.serial = serial
    cacheAtStart = writeCache
    sectors = min(medium.size / UInt64(BlockSize.sector), Self.reach48)
    state = State(geometry: ATAGeometry(sectors: sectors), writeCache: writeCache)
    super.init(events: events, clock: clock)
  }

  override func execute(_ command: UInt8) { begin(command) }

  override func resetOperation(hard: Bool) {
    let old = state
    state = State(geometry: ATAGeometry(sectors: sectors), writeCache: cacheAtStart)
    // SRST leaves what SET FEATURES has chosen, unless that says otherwise (section 8.46.10), and the mode of transfers always.
    if !hard {
      state.mode = old.mode
      state.geometry = old.geometry
      state.smart = old.smart
      state.revertsOnReset = old.revertsOnReset
      if !old.revertsOnReset {
        state.multiple = old.multiple
        state.writeCache = old.writeCache
        state.lookAhead = old.lookAhead
      }
    }
  }

  // MARK: Starting

  func start(_ operation: Operation, after cycles: UInt64 = IDETiming.command) {
    state.operation = operation
    work(for: cycles)
  }
  /// Nothing but a moment.
  func finish() { start(Operation(kind: .nothing), after: IDETiming.register) }
  func abort() { start(Operation(kind: .fails(ATAError.aborted)), after: IDETiming.register) }

  /// Starts a command that names sectors.
  func startTransfer(_ kind: Operation.Kind, extended: Bool, block: Int = 1, forced: Bool = false) {
    let registers = interface.registers
    let count = extended ? registers.count48 : registers.count28
    var operation = Operation(kind: kind, left: count, block: block, isExtended: extended, isForced: forced)
    if extended {
      // There is no 48-bit address of cylinders and heads.
      guard registers.device & ATARegisters.useLBA != 0 else { return abort() }
      operation.lba = registers.lba48
    } else if registers.device & ATARegisters.useLBA != 0 {
      operation.lba = registers.lba28
    } else if let lba = state.geometry.lba(registers) {
      operation.lba = lba
    } else {
      return start(Operation(kind: .fails(ATAError.notFound)))
    }
    state.isStandingBy = false
    let reach = extended ? sectors : min(sectors, Self.reach28)
    guard operation.lba < reach, count <= reach - operation.lba else {
      setAddress(max(operation.lba, reach), operation)
      return start(Operation(kind: .fails(ATAError.notFound)))
    }
    switch kind {
    case .write:
      state.operation = operation
      demand(blockBytes(operation), interrupt: false)
    case .readDMA, .writeDMA:
      prepareChunk(&operation)
      start(operation, after: mediumTime(operation))
    default: start(operation)
    }
  }

  /// Cycles until the medium and the way to it have done all of a transfer by DMA.
  private func mediumTime(_ operation: Operation) -> UInt64 {
    let now = clock.now
    return timing.request(operation.left * UInt64(BlockSize.sector), isWrite: operation.kind == .writeDMA, now: now) - now
  }

  private func blockBytes(_ operation: Operation) -> Int { Int(min(operation.left, UInt64(operation.block))) * BlockSize.sector }

  /// An empty buffer for the next part of a transfer by DMA; a read fills it when its time has come.
  private func prepareChunk(_ operation: inout Operation) {
    operation.block = Int(min(operation.left, UInt64(IDETiming.chunk / BlockSize.sector)))
    interface.buffer = [UInt8](repeating: 0, count: operation.block * BlockSize.sector)
    interface.position = 0
  }

  // MARK: Going on

  override func proceed() {
    guard let operation = state.operation else { return succeed() }
    switch operation.kind {
    case .nothing: end()
    case .fails(let error): end(error)
    case .answer: offerRest(interface.buffer.count)
    case .sleep:
      end()
      interface.phase = .asleep
    case .flush: flushAndEnd()
    case .read: if fill(blockBytes(operation)) { offerRest(interface.buffer.count) }
    case .write: if store() { advance() }
    case .verify: if fill(Int(min(operation.left, UInt64(IDETiming.chunk / BlockSize.sector))) * BlockSize.sector) { advance() }
    case .readDMA:
      // With the position at 0 this may be the second try after a bus master that was late: reading again does no harm.
      if interface.position == 0, !fill(interface.buffer.count) { return }
      if storeBuffer() { advance() }
    case .writeDMA: if fetchBuffer(), store() { advance() }
    }
  }

  override func offerWasRead() {
    if state.operation?.kind == .answer {
      state.operation = nil
      interface.ready = ATAStatus.ready | ATAStatus.seekComplete
    } else {
      advance()
    }
  }

  override func bufferWasWritten() { work(for: IDETiming.register) }

  /// The buffer's sectors are done.
  private func advance() {
    guard var operation = state.operation else { return }
    let done = UInt64(interface.buffer.count / BlockSize.sector)
    operation.lba += done
    operation.left -= min(done, operation.left)
    state.operation = operation
    guard operation.left > 0 else {
      switch operation.kind {
      // The host has its data: the last block ends without an interrupt.
      case .read: state.operation = nil
      case .write, .writeDMA:
        if state.writeCache && !operation.isForced { end() } else { flushAndEnd() }
      default: end()
      }
      return
    }
    switch operation.kind {
    case .write: demand(blockBytes(operation), interrupt: true)
    case .readDMA, .writeDMA:
      // The medium's time for all of it has passed.
      prepareChunk(&operation)
      start(operation, after: 0)
    case .verify: work(for: IDETiming.transfer(interface.buffer.count))
    default: work(for: IDETiming.register)
    }
  }

  private func end(_ error: UInt8? = nil) {
    state.operation = nil
    if let error { fail(error) } else { succeed() }
  }

  // MARK: The medium

  /// Reads into the buffer; false: the command has failed.
  private func fill(_ count: Int) -> Bool {
    guard let operation = state.operation else { return false }
    interface.buffer = [UInt8](repeating: 0, count: count)
    interface.position = 0
    return move(operation) { (offset, range) throws(StorageFailure) in
      try medium.read(at: offset, into: &interface.buffer, range)
    }
  }

  /// Writes the buffer; false: the command has failed.
  private func store() -> Bool {
    guard let operation = state.operation else { return false }
    return move(operation) { (offset, range) throws(StorageFailure) in
      try medium.write(at: offset, from: interface.buffer, range)
    }
  }

  /// All at once; if that fails, sector by sector, to find the one that is to blame.
  private func move(_ operation: Operation, _ transfer: (UInt64, Range<Int>) throws(StorageFailure) -> Void) -> Bool {
    let count = interface.buffer.count
    let start = operation.lba * UInt64(BlockSize.sector)
    do throws(StorageFailure) { try transfer(start, 0..<count) } catch {
      for first in stride(from: 0, to: count, by: BlockSize.sector) {
        do throws(StorageFailure) { try transfer(start + UInt64(first), first..<first + BlockSize.sector) } catch {
          setAddress(operation.lba + UInt64(first / BlockSize.sector), operation)
          // Bit 6 is "uncorrectable" where data is read, and "write protected" where it is written: either way the medium's fault.
          end(ATAError.uncorrectable)
          return false
        }
      }
    }
    return true
  }

  private func flushAndEnd() {
    do throws(StorageFailure) {
      try medium.flush()
      end()
    } catch {
      end(ATAError.uncorrectable)
    }
  }

  /// Where the command has failed, in the form in which the host gave its address.
  private func setAddress(_ lba: UInt64, _ operation: Operation) {
    if operation.isExtended {
      interface.registers.setLBA48(lba)
    } else if interface.registers.device & ATARegisters.useLBA != 0 {
      interface.registers.setLBA28(lba)
    } else {
      state.geometry.set(&interface.registers, lba)
    }
  }
}
