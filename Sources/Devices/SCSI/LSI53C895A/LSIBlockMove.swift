/// Block moves between memory and the bus (section 5.2), with chained odd bytes (section 2.2.18) and phase mismatches (4.4).
extension LSI53C895A {
  /// The instruction's count, address and phase. Returns the cycles of the first part of the transfer.
  func beginMove(_ command: UInt8) -> UInt64 {
    // A target's moves need an initiator, and there is none but this chip.
    guard state[LSIRegister.scntl0] & LSIBit.SCNTL0.targetMode == 0, state.selecting == nil, bus.phase != nil else {
      wait()
      return 0
    }
    latchPhase()
    let is64Bit = command & 0x30 == 0 && state[LSIRegister.ccntl1] & LSIBit.CCNTL1.direct64 != 0
    let instruction = state.dsp &- (is64Bit ? 12 : 8)
    var move = BlockMove(
      phase: command & 7, isChained: command & 8 == 0, head: command, address: 0, remaining: state.dbc, instruction: instruction,
      entry: instruction)
    if command & 0x10 != 0 {
      let entry = state.long(LSIRegister.dsa) &+ signed(state.dsps)
      let at = address(LSIRegister.drs, entry)
      guard let size = loadLong(at), let low = loadLong(at &+ 4) else {
        busFault()
        return 0
      }
      guard let high = tableAddressHigh(size) else {
        illegal()
        return 0
      }
      move.remaining = size & 0xFF_FFFF
      move.head = UInt8(size >> 24)
      move.entry = entry
      move.address = UInt64(high) << 32 | UInt64(low)
    } else if command & 0x20 != 0 {
      guard let low = loadLong(address(LSIRegister.sfs, state.dsps)) else {
        busFault()
        return 0
      }
      move.address = address(LSIRegister.sbms, low)
    } else {
      move.address = address(is64Bit ? LSIRegister.dbms : LSIRegister.sbms, state.dsps)
    }
    guard move.remaining != 0 else {
      illegal()
      return 0
    }
    show(move)
    state.move = move
    return continueMove()
  }

  /// Bits 63:32 of a table entry's address, by its first dword (CCNTL1.EN64TIBMV, 64TIMOD); nil: an index without a register.
  private func tableAddressHigh(_ size: UInt32) -> UInt32? {
    let mode = state[LSIRegister.ccntl1]
    guard mode & LSIBit.CCNTL1.table64 != 0 else { return state.long(LSIRegister.sbms) }
    // 40-bit addresses, the upper byte in the entry.
    if mode & LSIBit.CCNTL1.table40 != 0 { return size >> 24 }
    // Or the number of the register that has the upper half: SCRATCHC to SCRATCHR, then the selectors.
    let index = Int(size >> 24 & 0x1F)
    guard index <= 0x15 else { return nil }
    return state.long(index < 0x10 ? LSIRegister.scratchC + 4 * index : LSIRegister.mmrs + 4 * (index - 0x10))
  }

  /// The registers that follow a transfer.
  private func show(_ move: BlockMove) {
    state.dbc = move.remaining
    state.setLong(LSIRegister.dnad, UInt32(truncatingIfNeeded: move.address))
    state.setLong(LSIRegister.dnad64, UInt32(truncatingIfNeeded: move.address >> 32))
    state.setLong(LSIRegister.sbc, move.transferred & 0xFF_FFFF)
  }

  /// Moves what the target lets pass now.
  func continueMove() -> UInt64 {
    guard var move = state.move else { return 0 }
    guard let phase = bus.phase else {
      wait()
      return 0
    }
    latchPhase()
    guard phase.rawValue == move.phase else {
      mismatch(move)
      return 0
    }
    let before = bus.agreement
    let moved = phase.isInput ? receive(&move, phase) : send(&move, phase)
    guard state.run == .running else { return 0 }
    guard let moved else {
      busFault()
      return 0
    }
    if phase.isData { state.setLong(LSIRegister.csbc, state.long(LSIRegister.csbc) &+ UInt32(moved)) }
    show(move)
    let isOver = move.remaining == 0
    state.move = isOver ? nil : move
    state.isFetched = false
    noteBus()
    if state.run == .running, moved == 0, !isOver, bus.phase == phase { wait() }
    return phase.isData ? before.cycles(for: moved) : SCSIAgreement().cycles(for: moved)
  }

  /// Both sides agree on 16 bits.
  private var isWide: Bool { state[LSIRegister.scntl3] & LSIBit.SCNTL3.ews != 0 && bus.agreement.isWide }

  /// Bytes moved; nil: memory did not take them.
  private func receive(_ move: inout BlockMove, _ phase: SCSIBusPhase) -> Int? {
    let wide = phase == .dataIn && isWide
    if phase == .dataIn, move.isChained, state[LSIRegister.scntl2] & LSIBit.SCNTL2.wsr != 0 {
      // The odd byte of the move before comes first.
      let residue = state[LSIRegister.swide]
      guard withUnsafeBytes(of: residue, { store(move.address, from: $0) }) else { return nil }
      state[LSIRegister.scntl2] &= ~LSIBit.SCNTL2.wsr
      move.advance(1)
      if move.remaining == 0 { return 1 }
    }
    let isSynchronous = phase.isData && bus.agreement.isSynchronous
    let wanted = Int(min(move.remaining, UInt32(Self.largestStep)))
    let room = wide ? (wanted + 1) & ~1 : wanted
    let count = bus.receive(into: UnsafeMutableRawBufferPointer(rebasing: staging[..<room]))
    guard count > 0 else { return 0 }
    if !isSynchronous {
      if move.transferred == 0 { state[LSIRegister.sfbr] = staging[0] }
      state[LSIRegister.sidl] = staging[count - 1]
    }
    let kept = min(count, wanted)
    guard store(move.address, from: UnsafeRawBufferPointer(rebasing: staging[..<kept])) else { return nil }
    if count > kept {
      state[LSIRegister.swide] = staging[kept]
      state[LSIRegister.scntl2] |= LSIBit.SCNTL2.wsr
    }
    move.advance(UInt32(kept))
    if phase == .messageIn {
      // ACK stays after the last byte, so that SCRIPTS can look at the message before the target goes on.
      bus.hold()
      if move.remaining > 0 { bus.release() }
    }
    return count
  }

  private func send(_ move: inout BlockMove, _ phase: SCSIBusPhase) -> Int? {
    var wanted = Int(min(move.remaining, UInt32(Self.largestStep)))
    let isLast = wanted == Int(move.remaining)
    let wide = phase == .dataOut && isWide
    // The odd byte of the chained move before.
    let before = wide && move.isChained && state[LSIRegister.scntl2] & LSIBit.SCNTL2.wss != 0 ? 1 : 0
    if wide && !isLast && (wanted + before) & 1 != 0 { wanted -= 1 }
    guard load(move.address, into: UnsafeMutableRawBufferPointer(rebasing: staging[before..<before + wanted])) else { return nil }
    if before == 1 { staging[0] = state[LSIRegister.sodl] }
    var count = before + wanted
    var holdsBack = false
    if wide && count & 1 != 0 {
      if move.isChained {
        // Waits for the first byte of the next move.
        holdsBack = true
        count -= 1
      } else {
        staging[count] = 0
        count += 1
      }
    }
    var taken = 0
    if phase == .messageOut && isLast {
      // ATN goes away before the last byte.
      if count > 1 { taken = bus.send(UnsafeRawBufferPointer(rebasing: staging[..<(count - 1)])) }
      bus.attention = false
      taken += bus.send(UnsafeRawBufferPointer(rebasing: staging[(count - 1)..<count]))
    } else if count > 0 {
      taken = bus.send(UnsafeRawBufferPointer(rebasing: staging[..<count]))
    }
    if taken < count {
      if taken > 0 { state[LSIRegister.scntl2] &= ~LSIBit.SCNTL2.wss }
      move.advance(UInt32(min(max(taken - before, 0), wanted)))
      return taken
    }
    state[LSIRegister.scntl2] &= before == 1 ? ~LSIBit.SCNTL2.wss : 0xFF
    if holdsBack {
      state[LSIRegister.sodl] = staging[before + wanted - 1]
      state[LSIRegister.scntl2] |= LSIBit.SCNTL2.wss
    }
    move.advance(UInt32(wanted))
    return wanted
  }

  /// The target has changed the phase in the middle of a move: a jump, or an interrupt.
  private func mismatch(_ move: BlockMove) {
    statistics.phaseMismatches &+= 1
    show(move)
    let hasOddByte = state[LSIRegister.scntl2] & LSIBit.SCNTL2.wsr != 0
    // An odd byte that waits for this move counts as received, although memory has not got it yet.
    let uncounted: UInt32 = move.phase == SCSIBusPhase.dataIn.rawValue && move.isChained && hasOddByte ? 1 : 0
    state.setLong(LSIRegister.rbc, UInt32(move.head) << 24 | (move.remaining - uncounted) & 0xFF_FFFF)
    state.setLong(LSIRegister.ua, UInt32(truncatingIfNeeded: move.address))
    state.setLong(LSIRegister.ia, move.instruction)
    state.setLong(LSIRegister.esa, move.entry)
    state.move = nil
    state.isFetched = false
    let control = state[LSIRegister.ccntl0]
    let isData = move.phase & 6 == 0
    guard control & LSIBit.CCNTL0.enpmj != 0, isData || control & LSIBit.CCNTL0.enndj != 0 else {
      raise(scsi: LSIBit.SIST0.ma)
      return
    }
    let usesSecond = control & LSIBit.CCNTL0.pmjctl != 0 ? move.phase & 1 != 0 : hasOddByte
    state.dsp = state.long(usesSecond ? LSIRegister.pmjad2 : LSIRegister.pmjad1)
  }
}

extension LSI53C895A.BlockMove {
  mutating func advance(_ count: UInt32) {
    address &+= UInt64(count)
    remaining -= min(count, remaining)
    transferred &+= count
  }
}
