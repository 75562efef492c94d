import Arithmetic

/// Registers that somebody else changes while the processor does not run. Values come from people and from networks: what the architecture
/// would not let in is refused. False: nothing has changed.
extension LogicalProcessor {
  public func edit(gr n: Int, _ value: UInt64) -> Bool {
    guard (1..<128).contains(n), n < 32 + state.pointee.sof else { return false }
    state.gr[n] = value
    state.setNaT(UInt8(n), false)
    return true
  }

  public func edit(fr n: Int, _ value: FloatRegister) -> Bool {
    guard (2..<128).contains(n), value.signExponent >> 18 == 0 else { return false }
    state.f(UInt8(n)).value = value
    return true
  }

  public func edit(br n: Int, _ value: UInt64) -> Bool {
    guard (0..<8).contains(n) else { return false }
    state.br[n] = value
    return true
  }

  /// The low four bits must be zero: the slot is in PSR.
  public func edit(ip value: UInt64) -> Bool {
    guard value & 0xF == 0 else { return false }
    state.pointee.ip = value
    leavesBlock()
    return true
  }

  /// Whether a guest runs in virtual-machine mode is not to be changed; nor, of a guest, what is translated, which its hypervisor would have
  /// to follow.
  public func edit(psr value: UInt64) -> Bool {
    let kept = PSR.vm | (guest == nil ? 0 : PSR.it | PSR.dt | PSR.rt)
    guard value & (PSR.reserved | PSR.is) == 0, (value ^ state.pointee.psr) & kept == 0, PSR.ri(value) < 3 else { return false }
    if value == state.pointee.psr { return true }
    setPSR(value)
    leavesBlock()
    return true
  }

  /// Those that can be set without moving the register stack.
  public func edit(ar n: Int, _ value: UInt64) -> Bool {
    switch n {
    case AR.k0...AR.k0 + 7, 21, 24...30, AR.ccv, AR.unat, AR.lc: break
    case AR.rsc: guard value & ~0x3FFF_001F == 0 else { return false }
    case AR.fpsr: guard value >> 58 == 0, validStatusFields(value) else { return false }
    case AR.pfs:
      guard validFrameMarker(value), value >> 38 & 0x3FFF == 0, value >> 58 & 0xF == 0 else { return false }
    case AR.ec: guard value < 64 else { return false }
    default: return false
    }
    state.ar[n] = value
    return true
  }

  /// Execution goes on somewhere else: what was left of a block is not.
  private func leavesBlock() { debug?.inside = nil }

  // MARK: The register stack, as if all of it lay in memory

  /// The address behind the current frame's last register.
  public var endOfFrame: UInt64 { BackingStore.advance(state.pointee.bsp, state.pointee.sof) }

  /// Whether an address is one of those that the register file's contents have in memory: from BSPSTORE to the end of the frame.
  private func isInFile(_ address: UInt64) -> Bool {
    address &- state.pointee.bspStore < endOfFrame &- state.pointee.bspStore
      && endOfFrame &- state.pointee.bspStore <= Self.largestFile
  }
  /// Bytes of 96 dirty registers, a frame of 96, and their NaT collections.
  private static let largestFile: UInt64 = (2 * 96 + 4) * 8

  /// Number of the register that the backing store has at `address`, counted from the current frame's first one: negative for dirty
  /// registers of older frames. Nil: it is not in the register file, or a collection of NaT bits is there.
  private func fileRegister(at address: UInt64) -> Int? {
    guard address & 7 == 0, isInFile(address), address & 0x1F8 != 0x1F8 else { return nil }
    return address >= state.pointee.bsp
      ? BackingStore.registers(from: state.pointee.bsp, to: address) : -BackingStore.registers(from: address, to: state.pointee.bsp)
  }

  /// The name of the frame's `n`-th register in its physical order, in the current rotation.
  private func name(ofFrameRegister n: Int) -> Int {
    let size = state.pointee.sor * 8
    return 32 + (n < size ? (n - state.pointee.rrbGR + size) % size : n)
  }

  private func fileIndex(_ n: Int) -> Int { ((state.pointee.bottomOfFrame + n) % 96 + 96) % 96 }

  /// The word that would be at `address` if the register stack had been written to memory, frame included; nil: memory itself says so.
  public func backingStoreWord(at address: UInt64) -> UInt64? {
    let s = state
    if let n = fileRegister(at: address) { return n >= 0 ? s.gr[name(ofFrameRegister: n)] : s.stacked[fileIndex(n)] }
    guard address & 0x1FF == 0x1F8, isInFile(address) else { return nil }
    return collection(at: address)
  }

  /// NaT bits of the 63 registers below `address`, as far as they have any: those that are in memory are in AR.RNAT.
  private func collection(at address: UInt64) -> UInt64 {
    let s = state
    var bits: UInt64 = 0
    for slot in 0..<UInt64(63) {
      let register = address &- 0x1F8 &+ slot << 3
      let isSet: Bool
      if let n = fileRegister(at: register) {
        isSet = n >= 0 ? s.nat(UInt8(name(ofFrameRegister: n))) : s.stackedNaT[fileIndex(n)] != 0
      } else if register < s.pointee.bspStore && s.pointee.bspStore &- register < 0x200 {
        isSet = s.pointee.rnat >> slot & 1 != 0
      } else {
        isSet = false
      }
      if isSet { bits |= 1 << slot }
    }
    return bits
  }

  /// AR.RNAT if the register stack had been written to memory.
  public var flushedCollection: UInt64 { collection(at: endOfFrame | 0x1F8) }

  /// Changes a register by its place in the backing store. False: it is not in the register file.
  public func editBackingStore(at address: UInt64, _ value: UInt64) -> Bool {
    guard let n = fileRegister(at: address) else { return false }
    if n >= 0 {
      state.gr[name(ofFrameRegister: n)] = value
      state.setNaT(UInt8(name(ofFrameRegister: n)), false)
    } else {
      state.stacked[fileIndex(n)] = value
      state.stackedNaT[fileIndex(n)] = 0
    }
    return true
  }
}
