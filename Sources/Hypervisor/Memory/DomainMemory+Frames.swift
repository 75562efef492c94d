import Processor

/// Frames that come and go while a domain runs: given up and populated again (ballooning), moved to another domain (transfers of pages),
/// shown by another domain (grants) or by the hypervisor (shared pages).
extension DomainMemory {
  /// Frame numbers here are the domain's (addresses divided by ``FramePool/frameSize``) unless they are said to be the machine's.
  private func own(_ frame: UInt64) -> UnsafeMutablePointer<Slot>? {
    frame < 1 << (50 - FramePool.frameShift) ? slot(frame << FramePool.frameShift) : nil
  }

  /// Empties a frame, and gives what was the domain's own back to the pool. The promise for it remains.
  private func empty(_ frame: UInt64, _ slot: UnsafeMutablePointer<Slot>) {
    forgetsTranslations?()
    if slot.pointee.isOwn {
      pool.giveBack(slot.pointee.frame)
      populated -= 1
    }
    set(frame, slot, .absent)
  }

  private func set(_ frame: UInt64, _ slot: UnsafeMutablePointer<Slot>, _ value: Slot) {
    slot.pointee = value
    exposed?.set(frame, value)
  }

  /// The domain gives a frame of RAM up: the machine no longer keeps one for it. False: there is none.
  public func giveUp(_ frame: UInt64) -> Bool {
    guard let slot = own(frame), slot.pointee != .absent, !slot.pointee.isForeign else { return false }
    empty(frame, slot)
    promised -= 1
    pool.release(1)
    return true
  }

  /// Makes a frame that was given up RAM again. False: it is not one, or the machine has none.
  public func populate(_ frame: UInt64) -> Bool {
    guard let slot = own(frame), slot.pointee == .absent else { return false }
    do throws(FramePool.Failure) { try pool.reserve(1) } catch { return false }
    promised += 1
    slot.pointee = .unpopulated
    // Who can read the table finds the frame there.
    if exposed?.covered.contains(frame) == true { _ = machine(frame << FramePool.frameShift) }
    return true
  }

  /// Whether a frame is RAM of the domain's own, populated or not.
  public func isOwn(_ frame: UInt64) -> Bool {
    guard let slot = own(frame) else { return false }
    return slot.pointee == .unpopulated || slot.pointee.isOwn
  }

  /// A frame of the domain's own leaves it with its contents and its promise: the machine's number of it; nil: there is none.
  public func detach(_ frame: UInt64) -> UInt32? {
    guard isOwn(frame), machine(frame << FramePool.frameShift) != nil, let slot = own(frame) else { return nil }
    forgetsTranslations?()
    let detached = slot.pointee.frame
    set(frame, slot, .absent)
    populated -= 1
    promised -= 1
    return detached
  }

  /// What ``detach(_:)`` took from another domain becomes this one's, in the place of what was there. False: there is no place of that number.
  public func attach(_ detached: UInt32, at frame: UInt64) -> Bool {
    guard let slot = own(frame) else { return false }
    let hadPromise = slot.pointee == .unpopulated || slot.pointee.isOwn
    empty(frame, slot)
    set(frame, slot, .own(detached))
    populated += 1
    promised += 1
    if hadPromise {
      promised -= 1
      pool.release(1)
    }
    return true
  }

  /// Shows a frame of another domain, or of the hypervisor, at a frame of this one, in RAM or outside of it; what was the domain's own there
  /// goes back to the pool. `machine`: the machine's number, 1 at least.
  public func show(_ machine: UInt32, at frame: UInt64, readOnly: Bool = false) {
    if let slot = own(frame) {
      let hadPromise = slot.pointee == .unpopulated || slot.pointee.isOwn
      empty(frame, slot)
      set(frame, slot, .foreign(machine, readOnly: readOnly))
      if hadPromise {
        promised -= 1
        pool.release(1)
      }
    } else {
      forgetsTranslations?()
      outside[frame] = .foreign(machine, readOnly: readOnly)
    }
  }

  /// The machine's number of the foreign frame that ``show(_:at:readOnly:)`` has put somewhere; nil: none is there.
  public func shown(at frame: UInt64) -> UInt32? {
    let slot = own(frame)?.pointee ?? outside[frame] ?? .absent
    return slot.isForeign ? slot.frame : nil
  }

  /// Takes it away again: nothing is there then. False: none was.
  public func hide(_ frame: UInt64) -> Bool {
    guard shown(at: frame) != nil else { return false }
    forgetsTranslations?()
    if let slot = own(frame) { set(frame, slot, .absent) } else { outside[frame] = nil }
    return true
  }
}
