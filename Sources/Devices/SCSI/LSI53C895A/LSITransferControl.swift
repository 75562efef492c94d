/// JUMP, CALL, RETURN, INT and INTFLY with their conditions (section 5.5), and the instructions on registers (section 5.4).
extension LSI53C895A {
  func executeTransferControl(_ command: UInt8) {
    let flags = state.long(LSIRegister.dbc)
    let comparesPhase = flags & 1 << 17 != 0
    if flags & 1 << 16 != 0 {
      // Wait for valid phase: a selection must be over, and REQ asserted.
      guard state.selecting == nil, bus.phase != nil else { return wait() }
    }
    latchPhase()
    var condition = true
    if flags & 1 << 21 != 0 {
      condition = state.carry
    } else {
      if comparesPhase && state.phase != command & 7 { condition = false }
      if flags & 1 << 18 != 0 {
        // Bits set in the mask do not take part.
        let mask = ~UInt8(truncatingIfNeeded: flags >> 8)
        if (state[LSIRegister.sfbr] ^ UInt8(truncatingIfNeeded: flags)) & mask != 0 { condition = false }
      }
    }
    guard condition == (flags & 1 << 19 != 0) else { return }
    let destination = flags & 1 << 23 != 0 ? state.dsp &+ signed(state.dsps) : state.dsps
    switch command >> 3 & 7 {
    case 0: state.dsp = destination
    case 1:
      state.setLong(LSIRegister.temp, state.dsp)
      state.dsp = destination
    case 2: state.dsp = state.long(LSIRegister.temp)
    case 3:
      if flags & 1 << 20 != 0 {
        state.intf = true
        statistics.interrupts &+= 1
        updateInterrupt()
      } else {
        statistics.interrupts &+= 1
        raise(dma: LSIBit.DSTAT.sir)
      }
    default: illegal()
    }
  }

  /// The phase of the last REQ (SSTAT1).
  func latchPhase() {
    if let phase = bus.phase { state.phase = phase.rawValue }
  }

  func executeIOOrRegister(_ command: UInt8) {
    switch command >> 3 & 7 {
    case 0: executeSelect(command)
    case 1: executeWaitDisconnect()
    case 2: executeWaitReselect()
    case 3: executeSetOrClear(true)
    case 4: executeSetOrClear(false)
    case let opcode: executeRegister(opcode, operation: command & 7)
    }
  }

  /// Opcode 5: SFBR to register; 6: register to SFBR; 7: register to itself.
  private func executeRegister(_ opcode: UInt8, operation: UInt8) {
    let flags = state.long(LSIRegister.dbc)
    let register = Int(flags >> 16 & 0x7F | flags & 0x80)
    let data = flags & 1 << 23 != 0 ? state[LSIRegister.sfbr] : UInt8(truncatingIfNeeded: flags >> 8)
    // Loading a constant reads nothing.
    let operand = operation == 0 ? 0 : opcode == 5 ? state[LSIRegister.sfbr] : readRegister(register)
    let result: UInt8
    switch operation {
    case 0: result = data
    case 1:
      // Shifts go through the carry bit.
      result = operand << 1 | (state.carry ? 1 : 0)
      state.carry = operand & 0x80 != 0
    case 2: result = operand | data
    case 3: result = operand ^ data
    case 4: result = operand & data
    case 5:
      result = operand >> 1 | (state.carry ? 0x80 : 0)
      state.carry = operand & 1 != 0
    default:
      let sum = UInt16(operand) + UInt16(data) + (operation == 7 && state.carry ? 1 : 0)
      result = UInt8(truncatingIfNeeded: sum)
      state.carry = sum > 0xFF
    }
    if opcode == 6 { state[LSIRegister.sfbr] = result } else { writeRegister(register, result) }
  }
}
