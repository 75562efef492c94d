import Processor

/// AllocatePages to FreePool (EFI 1.10, section 5.2).
extension SystemFirmware {
  /// in0 how, in1 type, in2 pages, in3 address.
  func allocatePages(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    let type = EFIMemoryType(rawValue: UInt32(truncatingIfNeeded: call.argument(1)))
    let pages = call.argument(2)
    guard call.argument(3) != 0, type.isAllocatable else { return .status(.invalidParameter) }
    let address: UInt64 = try call.load(call.argument(3))
    let found: UInt64?
    switch UInt32(truncatingIfNeeded: call.argument(0)) {
    case 0: found = boot?.memory.take(pages: pages, below: .max, type)
    // The last byte may lie at the address.
    case 1: found = boot?.memory.take(pages: pages, below: address == .max ? address : address + 1, type)
    case 2:
      let (end, overflow) = address.addingReportingOverflow(pages &* MemoryLedger.pageSize)
      guard address & (MemoryLedger.pageSize - 1) == 0, !overflow, pages < 1 << 40 else { return .status(.notFound) }
      guard boot?.memory.take(address..<end, type) == true else { return .status(.notFound) }
      found = address
    default: return .status(.invalidParameter)
    }
    guard let found else { return .status(.outOfResources) }
    try call.store(call.argument(3), found)
    return .success
  }

  func freePages(_ call: GuestCall) -> ServiceOutcome {
    let (address, pages) = (call.argument(0), call.argument(1))
    guard address & (MemoryLedger.pageSize - 1) == 0, pages > 0, pages < 1 << 40 else { return .status(.invalidParameter) }
    let (end, overflow) = address.addingReportingOverflow(pages * MemoryLedger.pageSize)
    guard !overflow, boot?.memory.release(address..<end) == true else { return .status(.notFound) }
    return .success
  }

  /// in0 size, in1 map, in2 key, in3 size of a descriptor, in4 version.
  func getMemoryMap(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(0) != 0, let memory = boot?.memory else { return .status(.invalidParameter) }
    let room: UInt64 = try call.load(call.argument(0))
    let map = efiMemoryMap(used: memory.spans.map { ($0.start..<$0.end, $0.type) })
    let bytes = map.flatMap(\.bytes)
    let fits = room >= UInt64(bytes.count)
    guard !fits || call.argument(1) != 0 else { return .status(.invalidParameter) }
    if fits { try call.check(call.argument(1), count: bytes.count) }
    for pointer in call.arguments(2...3) where pointer != 0 { try call.check(pointer, count: 8) }
    if call.argument(4) != 0 { try call.store(call.argument(4), UInt32(EFIMemoryDescriptor.version)) }
    if call.argument(3) != 0 { try call.store(call.argument(3), UInt64(EFIMemoryDescriptor.stride)) }
    if fits, call.argument(2) != 0 { try call.store(call.argument(2), memory.key) }
    try call.store(call.argument(0), UInt64(bytes.count))
    guard fits else { return .status(.bufferTooSmall) }
    try call.write(call.argument(1), bytes)
    return .success
  }

  /// in0 type, in1 size, in2 address.
  func allocatePool(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    let type = EFIMemoryType(rawValue: UInt32(truncatingIfNeeded: call.argument(0)))
    guard call.argument(2) != 0, type.isAllocatable else { return .status(.invalidParameter) }
    try call.check(call.argument(2), count: 8)
    guard let address = allocatePool(call.argument(1), type) else { return .status(.outOfResources) }
    try call.store(call.argument(2), address)
    return .success
  }

  func freePool(_ call: GuestCall) -> ServiceOutcome {
    freePool(call.argument(0)) ? .success : .status(.invalidParameter)
  }

  // MARK: For the firmware itself

  func allocatePool(_ size: UInt64, _ type: EFIMemoryType) -> UInt64? {
    guard size < 1 << 50, (boot?.pool.blocks.count ?? 0) < PoolLedger.mostBlocks else { return nil }
    if size > PoolLedger.largestSmall {
      let pages = (size + MemoryLedger.pageSize - 1) / MemoryLedger.pageSize
      guard let address = boot?.memory.take(pages: pages, below: .max, type) else { return nil }
      boot?.pool.blocks[address] = .init(size: pages * MemoryLedger.pageSize, type: type)
      return address
    }
    let shelf = PoolLedger.Shelf(type: type, size: PoolLedger.rounded(size))
    if boot?.pool.free[shelf, default: []].isEmpty != false {
      guard let page = boot?.memory.take(pages: 1, below: .max, type) else { return nil }
      let pieces = stride(from: page, to: page + MemoryLedger.pageSize, by: UInt64.Stride(shelf.size))
      boot?.pool.free[shelf] = pieces.reversed()
    }
    guard let address = boot?.pool.free[shelf]?.popLast() else { return nil }
    boot?.pool.blocks[address] = .init(size: shelf.size, type: type)
    return address
  }

  func freePool(_ address: UInt64) -> Bool {
    guard let block = boot?.pool.blocks.removeValue(forKey: address) else { return false }
    if block.size > PoolLedger.largestSmall {
      _ = boot?.memory.release(address..<address + block.size)
    } else {
      boot?.pool.free[.init(type: block.type, size: block.size), default: []].append(address)
    }
    return true
  }

  /// A copy of `bytes` in the pool.
  func place(_ bytes: [UInt8], _ type: EFIMemoryType = .bootServicesData) -> UInt64? {
    guard let address = allocatePool(UInt64(max(bytes.count, 1)), type) else { return nil }
    host.memory.write(address, bytes)
    return address
  }
}
