import Platform

/// The SCRIPTS processor: starting, stopping, waiting, fetching (chapter 5).
extension LSI53C895A {
  /// DSP was written, or DCNTL.STD.
  func start() {
    state.isFetched = false
    state.move = nil
    guard state.run != .running else { return }
    cancel(.handshakeTimer)
    state.run = .running
    // A script that starts the chip again goes on in its slice.
    if !isInSlice { schedule(.slice, after: Self.startTime) }
  }

  func stop() {
    state.isFetched = false
    state.move = nil
    guard state.run != .stopped else { return }
    state.run = .stopped
    cancel(.slice)
    cancel(.handshakeTimer)
  }

  /// What the instruction waited for may be there.
  func resume() {
    guard state.run == .waitingForBus || state.run == .waitingForReselection else { return }
    cancel(.handshakeTimer)
    state.run = .running
    if !isInSlice { schedule(.slice, after: Self.responseTime) }
  }

  /// Leaves the instruction to be carried out again when the bus has changed.
  func wait(for run: Run = .waitingForBus) {
    state.isFetched = true
    state.run = run
    if run == .waitingForBus { startHandshakeTimer() }
  }

  public func busChanged() {
    switch state.run {
    case .waitingForBus: resume()
    case .waitingForReselection where bus.reselector != nil: resume()
    case .stopped where !state.isConnected && state.selecting == nil && bus.reselector != nil:
      // Nobody waits: the chip answers all the same, if it may, and says so.
      if state[LSIRegister.sien0] & UInt8(LSIBit.SIST0.rsl) != 0 { acceptReselection() }
    default: break
    }
  }

  func runSlice() {
    guard state.run == .running else { return }
    isInSlice = true
    defer { isInSlice = false }
    var cycles: UInt64 = 0
    var budget = Self.sliceLength
    while state.run == .running, budget > 0, cycles < Self.longestSlice {
      if state.move == nil && !state.isFetched {
        guard fetch() else { break }
        statistics.instructions &+= 1
        state.isFetched = true
      }
      // What others notice happens when the time of all before it has passed.
      if cycles > 0 && isNoticed { break }
      budget -= 1
      cycles += Self.instructionTime + step()
    }
    if state.run == .running { schedule(.slice, after: max(cycles, Self.instructionTime)) }
  }

  private static let longestSlice = Cycles.from(nanoseconds: 40_000)

  /// The next instruction, or the rest of a move, does something to the bus, or interrupts.
  private var isNoticed: Bool {
    guard state.move == nil else { return true }
    let command = state[LSIRegister.dcmd]
    return switch command >> 6 {
    case 0: true
    case 1: command >> 3 & 7 < 5
    case 2: command >> 3 & 7 == 3
    default: false
    }
  }

  /// One instruction that has been fetched, or one part of a long one. Returns the cycles that it took beside its own time.
  private func step() -> UInt64 {
    if state.move != nil { return continueMove() }
    state.isFetched = false
    var cycles: UInt64 = 0
    let command = state[LSIRegister.dcmd]
    switch command >> 6 {
    case 0: cycles = beginMove(command)
    case 1: executeIOOrRegister(command)
    case 2: executeTransferControl(command)
    default: cycles = executeMemory(command)
    }
    if state.run == .running, !state.isFetched, state.move == nil, state[LSIRegister.dcntl] & LSIBit.DCNTL.ssm != 0 {
      raise(dma: LSIBit.DSTAT.ssi)
    }
    return cycles
  }

  private func fetch() -> Bool {
    let dsp = state.dsp
    let at = address(LSIRegister.sfs, dsp)
    guard dsp & 3 == 0 else {
      illegal()
      return false
    }
    guard let first = loadLong(at), let second = loadLong(at &+ 4) else { return busFault() }
    state.setLong(LSIRegister.dbc, first)
    state.setLong(LSIRegister.dsps, second)
    state.setLong(LSIRegister.dnad, second)
    var length: UInt32 = 8
    let hasThird = first >> 29 == 6 || (first >> 28 == 0 && state[LSIRegister.ccntl1] & LSIBit.CCNTL1.direct64 != 0)
    if hasThird {
      guard let third = loadLong(at &+ 8) else { return busFault() }
      state.setLong(first >> 29 == 6 ? LSIRegister.temp : LSIRegister.dbms, third)
      length = 12
    }
    state.dsp = dsp &+ length
    return true
  }

  func illegal() { raise(dma: LSIBit.DSTAT.iid) }

  /// A memory access that nobody answered.
  @discardableResult
  func busFault() -> Bool {
    raise(dma: LSIBit.DSTAT.bf)
    return false
  }

  /// 24 bits with a sign.
  func signed(_ value: UInt32) -> UInt32 { UInt32(bitPattern: Int32(bitPattern: value << 8) >> 8) }

  /// The address of an I/O instruction's alternative, bit 26 being relative addressing.
  var alternate: UInt32 { state[LSIRegister.dcmd] & 0x04 != 0 ? state.dsp &+ signed(state.dsps) : state.dsps }
}
