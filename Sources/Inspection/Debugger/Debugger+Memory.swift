import Hypervisor
import Platform
import Processor

extension Debugger {
  /// Where an address of the guest's leads, as a processor sees it now; before the kernel has switched translation on, where its segments say
  /// that it lies.
  public func translate(_ address: UInt64, _ index: Int) -> InspectedTranslation? {
    inspect(index) { translation(address, $0) }
  }

  private func translation(_ address: UInt64, _ processor: LogicalProcessor) -> InspectedTranslation? {
    if domain is ParavirtualDomain, address >> 61 != 0 {
      // Its metaphysical mode is one of region 0.
      return processor.inspectingMapped { lookUp(address, processor) }
    }
    return lookUp(address, processor)
  }

  private func lookUp(_ address: UInt64, _ processor: LogicalProcessor) -> InspectedTranslation? {
    if let found = processor.inspectedTranslation(address) { return found }
    for segment in segments where address &- segment.virtual < segment.size && segmentsAreLoaded {
      return InspectedTranslation(physical: segment.physical &+ (address &- segment.virtual), route: .identity)
    }
    return nil
  }

  /// The firmware has brought the kernel into memory. Before that there are zeros, which gdb would take for `break 0`: it steps over breakpoints
  /// that a program has of its own by changing IP, and the instruction that will be there would be left out.
  private var segmentsAreLoaded: Bool {
    guard let first = segments.first, let start = machine.memory.read(first.physical, count: Int(min(first.size, 4096))) else {
      return false
    }
    return start.contains { $0 != 0 }
  }

  /// Bytes as the processor's loads would find them, as many of `count` as can be read. What the register stack has not written to its
  /// backing store yet comes from the register file, as if it had.
  public func read(_ address: UInt64, count: Int, _ index: Int) -> [UInt8] {
    inspect(index) { processor in
      var bytes: [UInt8] = []
      while bytes.count < count {
        let next = address &+ UInt64(bytes.count)
        // To the end of a page of 4 KiB at most: the next one may be anywhere.
        let limit = min(count - bytes.count, Int(4096 - (next & 0xFFF)))
        guard let found = translation(next, processor), let piece = machine.memory.read(found.physical, count: limit) else { break }
        bytes += piece
      }
      overlay(&bytes, from: address, processor)
      return bytes
    }
  }

  /// What the register file has of a range of memory.
  private func overlay(_ bytes: inout [UInt8], from address: UInt64, _ processor: LogicalProcessor) {
    guard !bytes.isEmpty else { return }
    let end = processor.endOfFrame
    var word = max(address & ~7, processor.state.pointee.bspStore)
    while word < end, word < address &+ UInt64(bytes.count) {
      defer { word &+= 8 }
      guard let value = processor.backingStoreWord(at: word) else { continue }
      for n in 0..<UInt64(8) {
        let place = Int(bitPattern: UInt(word &+ n &- address))
        if bytes.indices.contains(place) { bytes[place] = UInt8(truncatingIfNeeded: value >> (8 * n)) }
      }
    }
  }

  public func readWord(_ address: UInt64, _ index: Int) -> UInt64? {
    let bytes = read(address, count: 8, index)
    guard bytes.count == 8 else { return nil }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Writes bytes where the processor's stores would go, read-only pages included; registers that the register stack has not written yet
  /// change in the register file. False: not all of it is memory, and nothing has been written.
  public func write(_ address: UInt64, _ bytes: [UInt8], _ index: Int) -> Bool {
    let pieces: [(physical: UInt64, bytes: ArraySlice<UInt8>)]? = inspect(index) { processor in
      var pieces: [(physical: UInt64, bytes: ArraySlice<UInt8>)] = []
      var done = 0
      while done < bytes.count {
        let next = address &+ UInt64(done)
        let count = min(bytes.count - done, Int(4096 - (next & 0xFFF)))
        guard let found = translation(next, processor), machine.memory.isRAM(found.physical, count: UInt64(count)),
          machine.memory.isWritable(found.physical)
        else { return nil }
        pieces.append((found.physical, bytes[done..<done + count]))
        done += count
      }
      return pieces
    }
    guard let pieces else { return false }
    for piece in pieces { machine.memory.write(piece.physical, Array(piece.bytes)) }
    editRegisterFile(address, bytes, index)
    return true
  }

  private func editRegisterFile(_ address: UInt64, _ bytes: [UInt8], _ index: Int) {
    change(index) { processor in
      var word = (address &+ 7) & ~7
      while word &+ 8 &- address <= UInt64(bytes.count) {
        let first = Int(word &- address)
        let value = bytes[first..<first + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        _ = processor.editBackingStore(at: word, value)
        word &+= 8
      }
    }
  }
}
