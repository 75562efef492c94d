/// Memory moves (section 5.6), loads and stores (section 5.7).
extension LSI53C895A {
  func executeMemory(_ command: UInt8) -> UInt64 {
    if command & 0x20 == 0 { return moveMemory(command) }
    loadOrStore(command)
    return 0
  }

  /// A part of a move; the registers remember the rest: DBC the count, DSPS the source, TEMP the destination.
  private func moveMemory(_ command: UInt8) -> UInt64 {
    let source = state.dsps
    let destination = state.long(LSIRegister.temp)
    let remaining = state.dbc
    // Both addresses must be aligned alike.
    guard command & 0x1E == 0, remaining != 0, (source ^ destination) & 3 == 0 else {
      illegal()
      return 0
    }
    let count = Int(min(remaining, UInt32(Self.largestStep)))
    let part = UnsafeMutableRawBufferPointer(rebasing: staging[..<count])
    guard load(address(LSIRegister.mmrs, source), into: part),
      store(address(LSIRegister.mmws, destination), from: UnsafeRawBufferPointer(part))
    else {
      busFault()
      return 0
    }
    // A move to the chip's own registers may have stopped or redirected it.
    guard state.run == .running else { return 0 }
    state.dbc = remaining - UInt32(count)
    state.setLong(LSIRegister.dsps, source &+ UInt32(count))
    state.setLong(LSIRegister.temp, destination &+ UInt32(count))
    state.isFetched = state.dbc != 0
    return UInt64(count) * Self.memoryMoveCyclesPerByte
  }
  /// Read and write of a dword on a 33 MHz bus with its overhead.
  private static let memoryMoveCyclesPerByte: UInt64 = 24

  private func loadOrStore(_ command: UInt8) {
    let flags = state.long(LSIRegister.dbc)
    let register = Int(flags >> 16 & 0xFF)
    let count = Int(flags & 7)
    let isLoad = command & 1 != 0
    let isRelative = command & 0x10 != 0
    let low = isRelative ? state.long(LSIRegister.dsa) &+ signed(state.dsps) : state.dsps
    // At most a dword, in one dword on both sides, and at the same place in it.
    guard command & 0x0C == 0, (1...4).contains(count), Int(low & 3) + count <= 4, Int(low & 3) == register & 3 else {
      illegal()
      return
    }
    let at = address(isRelative ? LSIRegister.drs : isLoad ? LSIRegister.mmrs : LSIRegister.mmws, low)
    var bytes: UInt32 = 0
    let isDone = withUnsafeMutableBytes(of: &bytes) { whole in
      let part = UnsafeMutableRawBufferPointer(rebasing: whole[..<count])
      if isLoad {
        guard load(at, into: part) else { return false }
        for n in 0..<count { writeRegister(register + n, part[n]) }
        return true
      }
      for n in 0..<count { part[n] = readRegister(register + n) }
      return store(at, from: UnsafeRawBufferPointer(part))
    }
    if !isDone { busFault() }
  }
}
