import Platform
import Processor

/// Misses of the machine's TLB and VHPT: the guest's translation, composed with the domain's memory; and references to what is not memory.
extension VirtualProcessor {
  func miss(_ fault: PendingInterruption) {
    let isFetch = fault.isr & ISR.x != 0
    let address = fault.ifa
    let page: Translation
    let translation = processor.translateMiss(of: guest)
    if !guest.changes.isEmpty { followChanges() }
    switch translation {
    case .page(let found): page = machineView(found)
    case .delivered:
      // The guest's own miss.
      note(.reflected(fault.vector.rawValue), address)
      return adoptMode()
    case .deferred: return note(.dataMiss, address)
    }
    let physical = page.physical | address & page.mask
    if let machine = memory.machine(physical) {
      note(isFetch ? .instructionMiss : .dataMiss, address)
      processor.insertMachineTranslation(
        memory.isWritable(physical) ? page : page.readOnly, address: address, physical: machine, instruction: isFetch)
    } else if isFetch {
      // Nothing answers there: the fetch finds bundles of ones.
      note(.instructionMiss, address)
      processor.insertMachineTranslation(
        page, address: address, physical: Self.device(physical), instruction: true, inTable: false)
    } else if fault.isr & ISR.rs != 0 {
      // The register stack engine works between instructions. What it has once been given it keeps until something is purged.
      note(Self.kind(physical), physical)
      processor.insertMachineTranslation(
        page, address: address, physical: Self.device(physical), instruction: false, inTable: false)
    } else if domain.isDirect?(physical) == true {
      // The guest has the device for itself: what it has once been given it keeps until something is purged. Pages of 4 KiB, so that it gets
      // no more than the device's.
      note(.dataMiss, address)
      var small = page
      small.pageShift = min(page.pageShift, 12)
      processor.insertMachineTranslation(
        small, address: address, physical: Self.device(physical), instruction: false, inTable: false)
    } else {
      reachDevice(page, address, physical)
    }
  }

  /// The machine address that stands for a guest-physical one outside of RAM.
  private static func device(_ physical: UInt64) -> UInt64 {
    // Beyond what the machine can tell apart nothing answers, as in the hole below.
    physical < GuestBus.deviceBit ? physical | GuestBus.deviceBit : GuestBus.deviceBit | 1 << 48 | physical & 0x3FFF
  }

  /// The instruction is executed with a translation that is there for it alone: so every form of load, store and semaphore reaches devices,
  /// as on the bare machine.
  private func reachDevice(_ page: Translation, _ address: UInt64, _ physical: UInt64) {
    note(Self.kind(physical), physical)
    processor.insertMachineTranslation(page, address: address, physical: Self.device(physical), instruction: false, inTable: false)
    let interrupted = processor.stepGuest()
    processor.dropDataTranslation(address)
    if interrupted { pendingInterruption = true }
  }

  private static func kind(_ physical: UInt64) -> ExitKind {
    func isIn(_ start: UInt64, _ size: UInt64) -> Bool { physical &- start < size }
    if isIn(MemoryMap.portSpace, MemoryMap.portSpaceSize) { return .port }
    if isIn(MemoryMap.interruptBlock, MemoryMap.interruptBlockSize) { return .interruptBlock }
    if isIn(MemoryMap.ioSAPIC, MemoryMap.ioSAPICSize) { return .ioSAPIC }
    return .deviceMemory
  }
}
