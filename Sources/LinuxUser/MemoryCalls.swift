import Glibc
import Processor

/// brk, mmap and their kin.
extension UserProcess {
  private enum MapFlag {
    static let shared: UInt64 = 1
    static let type: UInt64 = 0xF
    static let fixed: UInt64 = 0x10
    static let anonymous: UInt64 = 0x20
    static let fixedNoReplace: UInt64 = 0x10_0000
  }

  func memoryCall(_ number: UInt64, _ a: CallArguments) throws(SystemError) -> CallResult? {
    switch number {
    case Call.brk: return .value(setHeapEnd(a[0]))
    case Call.mmap: return .value(try map(a, offset: a[5]))
    case Call.mmap2:
      // The offset counts pages.
      guard a[5] < 1 << 49 else { throw .invalid }
      return .value(try map(a, offset: a[5] << PagePool.shift))
    case Call.munmap:
      let length = try pageLength(a[0], a[1])
      space.unmap(from: a[0], to: a[0] &+ length)
    case Call.mprotect:
      if a[1] == 0 { return .value(0) }
      let length = try pageLength(a[0], a[1], unmappable: ENOMEM)
      guard space.protect(from: a[0], to: a[0] &+ length, Protection(rawValue: UInt8(a[2] & 7))) else { throw .noMemory }
    case Call.mremap: return .value(try remap(a))
    case Call.msync:
      let length = try pageLength(a[0], a[1], unmappable: ENOMEM)
      space.writeBackAll(from: a[0], to: a[0] &+ length)
    case Call.madvise: try advise(a)
    case Call.mlock, Call.munlock, Call.mlockall, Call.munlockall: break
    case Call.mincore:
      let length = try pageLength(a[0], a[1], unmappable: ENOMEM)
      guard space.covers(from: a[0], to: a[0] &+ length) else { throw .noMemory }
      for page in 0..<length >> PagePool.shift {
        try space.store(a[2] &+ page, UInt8(space.pages[a[0] >> PagePool.shift + page] == nil ? 0 : 1))
      }
    default: return nil
    }
    return .value(0)
  }

  /// Checks a page-aligned range and rounds its length up.
  private func pageLength(_ start: UInt64, _ length: UInt64, unmappable: Int32 = EINVAL) throws(SystemError) -> UInt64 {
    guard start & PagePool.offsetMask == 0, length > 0 else { throw .invalid }
    guard length <= AddressSpace.regionLimit else { throw SystemError(unmappable) }
    let rounded = (length + PagePool.offsetMask) & ~PagePool.offsetMask
    guard AddressSpace.isValid(start, rounded) else { throw SystemError(unmappable) }
    return rounded
  }

  /// The heap's end moves to `end` if that can be; the result is where it is then.
  private func setHeapEnd(_ end: UInt64) -> Int {
    guard end >= heapStart, AddressSpace.isValid(heapStart, end - heapStart) else { return Int(bitPattern: UInt(heapEnd)) }
    let old = (heapEnd + PagePool.offsetMask) & ~PagePool.offsetMask
    let new = (end + PagePool.offsetMask) & ~PagePool.offsetMask
    if new > old {
      guard space.areas(from: old, to: new).isEmpty, isAffordable(new - old),
        space.map(Area(start: old, end: new, protection: [.read, .write]))
      else { return Int(bitPattern: UInt(heapEnd)) }
    } else if new < old {
      space.unmap(from: new, to: old)
    }
    heapEnd = end
    return Int(bitPattern: UInt(heapEnd))
  }

  /// Linux's heuristic overcommit refuses what could never be there.
  private func isAffordable(_ bytes: UInt64) -> Bool { bytes <= processor.memory.size }

  private func map(_ a: CallArguments, offset: UInt64) throws(SystemError) -> Int {
    let flags = a[3]
    let anonymous = flags & MapFlag.anonymous != 0
    let shared = flags & MapFlag.type == MapFlag.shared || flags & MapFlag.type == 3
    guard a[1] > 0, flags & MapFlag.type != 0, anonymous || offset & PagePool.offsetMask == 0 else { throw .invalid }
    guard a[1] <= AddressSpace.regionLimit else { throw .noMemory }
    let length = (a[1] &+ PagePool.offsetMask) & ~PagePool.offsetMask
    let protection = Protection(rawValue: UInt8(a[2] & 7))
    // Memory that nobody may touch is only a reservation.
    guard protection.isEmpty || isAffordable(length) else { throw .noMemory }
    var file: SharedFile?
    if !anonymous {
      guard !offset.addingReportingOverflow(length).overflow, offset + length <= UInt64(Int64.max) else {
        throw SystemError(EOVERFLOW)
      }
      file = try openForMapping(a.int(4), offset: offset, shared: shared, protection)
    }
    let start = try place(a[0], length, flags)
    if anonymous && shared {
      space.unmap(from: start, to: start + length)
      guard space.mapShared(from: start, to: start + length, protection) else { throw .noMemory }
      return Int(bitPattern: UInt(start))
    }
    guard space.map(Area(start: start, end: start + length, protection: protection, sharedFile: shared ? file : nil)) else {
      throw .noMemory
    }
    if let file, !shared { try copy(file, to: start, length) }
    return Int(bitPattern: UInt(start))
  }

  /// Checks a file that is to be mapped. A shared mapping keeps a descriptor of its own.
  private func openForMapping(
    _ descriptor: Int32, offset: UInt64, shared: Bool, _ protection: Protection
  ) throws(SystemError) -> SharedFile {
    let mode = fcntl(descriptor, F_GETFL)
    guard mode >= 0 else { throw .badDescriptor }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError(ENODEV) }
    guard mode & O_ACCMODE != O_WRONLY else { throw SystemError(EACCES) }
    let writable = mode & O_ACCMODE == O_RDWR
    if shared && protection.contains(.write) && !writable { throw SystemError(EACCES) }
    // High up, out of the way of the descriptors that programs expect to get.
    let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 700)
    guard duplicate >= 0 else { throw SystemError(errno) }
    return SharedFile(handle: SharedFileHandle(descriptor: duplicate, isWritable: shared && writable), offset: offset)
  }

  /// A private mapping of a file is a copy. Only pages that the file has are made.
  private func copy(_ file: SharedFile, to start: UInt64, _ length: UInt64) throws(SystemError) {
    var status = stat()
    guard fstat(file.handle.descriptor, &status) == 0 else { throw SystemError(errno) }
    let size = UInt64(max(status.st_size, 0))
    guard size > file.offset else { return }
    let end = min(length, (size - file.offset + PagePool.offsetMask) & ~PagePool.offsetMask)
    var offset: UInt64 = 0
    while offset < end {
      guard let page = space.pool.allocate() else {
        space.unmap(from: start, to: start + length)
        throw .noMemory
      }
      file.read(page: offset, into: page, space.pool.memory)
      space.setPage((start + offset) >> PagePool.shift, page)
      offset += PagePool.pageSize
    }
  }

  /// Where a mapping goes.
  private func place(_ hint: UInt64, _ length: UInt64, _ flags: UInt64) throws(SystemError) -> UInt64 {
    if flags & (MapFlag.fixed | MapFlag.fixedNoReplace) != 0 {
      guard hint & PagePool.offsetMask == 0 else { throw .invalid }
      guard AddressSpace.isValid(hint, length) else { throw .noMemory }
      if flags & MapFlag.fixedNoReplace != 0, !space.areas(from: hint, to: hint + length).isEmpty { throw SystemError(EEXIST) }
      return hint
    }
    let wanted = hint & ~PagePool.offsetMask
    if wanted != 0, AddressSpace.isValid(wanted, length), space.areas(from: wanted, to: wanted + length).isEmpty { return wanted }
    guard let free = space.findFree(length) else { throw .noMemory }
    return free
  }

  private func remap(_ a: CallArguments) throws(SystemError) -> Int {
    let mayMove = a[3] & 1 != 0
    let fixed = a[3] & 2 != 0
    guard a[3] & ~3 == 0, !fixed || mayMove, a[2] > 0 else { throw .invalid }
    let old = try pageLength(a[0], a[1])
    guard a[2] <= AddressSpace.regionLimit else { throw .noMemory }
    let new = (a[2] &+ PagePool.offsetMask) & ~PagePool.offsetMask
    let start = a[0]
    guard let area = space.area(at: start), area.end - start >= old else { throw .badAddress }
    if !fixed {
      if new <= old {
        if new < old { space.unmap(from: start + new, to: start + old) }
        return Int(bitPattern: UInt(start))
      }
      guard isAffordable(new), !area.isShared else { throw .noMemory }
      let end = start + old
      if area.end == end, AddressSpace.isValid(start, new), space.areas(from: end, to: start + new).isEmpty {
        guard space.map(extension: area, from: start, at: end, to: start + new) else { throw .noMemory }
        return Int(bitPattern: UInt(start))
      }
      guard mayMove else { throw .noMemory }
    }
    guard isAffordable(new) else { throw .noMemory }
    let target = try place(fixed ? a[4] : 0, new, fixed ? MapFlag.fixed : 0)
    guard target >= start + old || target + new <= start else { throw .invalid }
    guard space.move(area, from: start, min(old, new), to: target, new) else { throw .noMemory }
    space.unmap(from: start, to: start + old)
    return Int(bitPattern: UInt(target))
  }

  private func advise(_ a: CallArguments) throws(SystemError) {
    guard a[1] > 0 else { return }
    let length = try pageLength(a[0], a[1])
    // MADV_DONTNEED is the one with a visible effect: anonymous memory reads as zeros again.
    guard a.int(2) == 4 else { return }
    guard space.covers(from: a[0], to: a[0] &+ length) else { throw .noMemory }
    space.discard(from: a[0], to: a[0] &+ length)
  }
}

extension AddressSpace {
  /// More of the same area behind it.
  func map(extension area: Area, from start: UInt64, at end: UInt64, to newEnd: UInt64) -> Bool {
    var added = area
    added.start = end
    added.end = newEnd
    added.sharedFile?.offset &+= end - area.start
    return map(added)
  }

  /// Moves the pages of a range to `target`, where an area like the old one of `size` bytes comes to be.
  func move(_ area: Area, from start: UInt64, _ count: UInt64, to target: UInt64, _ size: UInt64) -> Bool {
    var moved = area
    moved.start = target
    moved.end = target + size
    moved.sharedFile?.offset &+= start - area.start
    guard map(moved) else { return false }
    var taken: [(UInt64, UInt64)] = []
    forEachPage(from: start, to: start + count) { number, physical in taken.append((number, physical)) }
    for (number, physical) in taken {
      setPage(number, nil)
      setPage(number - start >> PagePool.shift + target >> PagePool.shift, physical)
    }
    processor.purgeAllTranslations()
    return true
  }

  /// Gives back the pages of private anonymous memory.
  func discard(from start: UInt64, to end: UInt64) {
    for area in areas(from: start, to: end) where !area.isShared && area.sharedFile == nil {
      forEachPage(from: max(start, area.start), to: min(end, area.end)) { number, physical in
        setPage(number, nil)
        pool.release(physical)
      }
    }
    processor.purgeAllTranslations()
  }
}
