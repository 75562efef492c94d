import Processor

/// Installing and finding protocols (EFI 1.10, section 5.3).
extension SystemFirmware {
  private func readGUID(_ pointer: UInt64, _ call: GuestCall) throws(GuestAccessFailure) -> GUID? {
    pointer == 0 ? nil : GUID(bytes: try call.read(pointer, count: 16))
  }

  /// Adds a protocol to `handle`, or to a new handle if it is nil; returns the handle.
  func install(_ guid: GUID, _ interface: UInt64, on handle: UInt64?) -> UInt64? {
    guard let count = boot?.handles.interfaceCount, count < HandleDatabase.capacity,
      let handle = handle ?? allocatePool(16, .bootServicesData), boot?.handles.install(guid, interface, on: handle) == true
    else { return nil }
    for event in boot?.handles.watchers(of: guid) ?? [] { boot?.events.signal(event) }
    return handle
  }

  /// in0 handle, in1 protocol, in2 kind of interface, in3 interface.
  func installProtocol(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(0) != 0, let guid = try readGUID(call.argument(1), call), UInt32(truncatingIfNeeded: call.argument(2)) == 0
    else { return .status(.invalidParameter) }
    let handle: UInt64 = try call.load(call.argument(0))
    try call.check(call.argument(0), count: 8)
    if handle != 0 {
      guard let known = boot?.handles[handle], !known.interfaces.contains(where: { $0.guid == guid }) else {
        return .status(.invalidParameter)
      }
    }
    guard let new = install(guid, call.argument(3), on: handle == 0 ? nil : handle) else { return .status(.outOfResources) }
    try call.store(call.argument(0), new)
    return .success
  }

  /// in0 handle, in1 protocol, in2 old interface, in3 new interface.
  func reinstallProtocol(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let guid = try readGUID(call.argument(1), call), let handle = boot?.handles[call.argument(0)] else {
      return .status(.invalidParameter)
    }
    guard handle.interfaces.contains(where: { $0.guid == guid && $0.address == call.argument(2) }) else {
      return .status(.notFound)
    }
    guard !isOpenByDriver(handle.id, guid) else { return .status(.accessDenied) }
    boot?.handles.reinstall(handle.id, guid, call.argument(3))
    for event in boot?.handles.watchers(of: guid) ?? [] { boot?.events.signal(event) }
    return .success
  }

  private func isOpenByDriver(_ handle: UInt64, _ guid: GUID) -> Bool {
    let opens = boot?.handles.interface(handle, guid)?.opens ?? []
    return opens.contains { $0.attributes & (OpenAttribute.byDriver | OpenAttribute.exclusive) != 0 }
  }

  /// in0 handle, in1 protocol, in2 interface.
  func uninstallProtocol(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let guid = try readGUID(call.argument(1), call) else { return .status(.invalidParameter) }
    return .status(uninstall(guid, call.argument(2), from: call.argument(0)))
  }

  func uninstall(_ guid: GUID, _ interface: UInt64, from handle: UInt64) -> EFIStatus {
    guard let known = boot?.handles[handle] else { return .invalidParameter }
    guard known.interfaces.contains(where: { $0.guid == guid && $0.address == interface }) else { return .notFound }
    guard !isOpenByDriver(handle, guid) else { return .accessDenied }
    if boot?.handles.remove(guid, from: handle) == true { _ = freePool(handle) }
    return .success
  }

  /// in0 handle, then pairs of protocol and interface up to a null pointer: all or nothing. The ninth argument and what follows lie
  /// on the stack, above the scratch area (software conventions, section 8.5).
  func installMultiple(_ call: GuestCall, uninstalls: Bool) throws(GuestAccessFailure) -> ServiceOutcome {
    func argument(_ n: Int) throws(GuestAccessFailure) -> UInt64 {
      n < 8 ? call.argument(n) : try call.load(call.register(12) &+ 16 &+ 8 &* UInt64(n - 8))
    }
    var pairs: [(guid: GUID, interface: UInt64)] = []
    var n = 1
    while let guid = try readGUID(argument(n), call) {
      pairs.append((guid, try argument(n + 1)))
      n += 2
      guard n < 256 else { return .status(.invalidParameter) }
    }
    if uninstalls {
      // All can go, or none does: the handle goes with its last protocol.
      let interfaces = boot?.handles[call.argument(0)]?.interfaces ?? []
      let canGo = pairs.allSatisfy { pair in
        interfaces.contains { $0.guid == pair.guid && $0.address == pair.interface } && !isOpenByDriver(call.argument(0), pair.guid)
      }
      guard canGo, Set(pairs.map(\.guid)).count == pairs.count else { return .status(.invalidParameter) }
      for pair in pairs { _ = uninstall(pair.guid, pair.interface, from: call.argument(0)) }
      return .success
    }
    let before = boot?.handles
    guard call.argument(0) != 0 else { return .status(.invalidParameter) }
    var handle: UInt64 = try call.load(call.argument(0))
    if handle != 0, boot?.handles[handle] == nil { return .status(.invalidParameter) }
    for pair in pairs {
      // The same device path must not name two handles.
      if pair.guid == .devicePath, let path = readDevicePath(pair.interface), find(path) != nil {
        if let before { boot?.handles = before }
        return .status(.alreadyStarted)
      }
      guard let new = install(pair.guid, pair.interface, on: handle == 0 ? nil : handle) else {
        if let before { boot?.handles = before }
        return .status(.invalidParameter)
      }
      handle = new
    }
    try call.store(call.argument(0), handle)
    return .success
  }

  /// in0 protocol, in1 event, in2 registration.
  func registerProtocolNotify(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let guid = try readGUID(call.argument(0), call), boot?.events.events[call.argument(1)] != nil, call.argument(2) != 0,
      (boot?.handles.registrations.count ?? 0) < 1024
    else { return .status(.invalidParameter) }
    try call.check(call.argument(2), count: 8)
    guard let key = allocatePool(16, .bootServicesData) else { return .status(.outOfResources) }
    boot?.handles.registrations.append(.init(key: key, guid: guid, event: call.argument(1)))
    try call.store(call.argument(2), key)
    return .success
  }

  // MARK: Finding

  /// What LocateHandle and LocateHandleBuffer search: all handles, those new to a registration, those with a protocol.
  private func search(_ kind: UInt64, _ guid: GUID?, _ key: UInt64) -> (handles: [UInt64], status: EFIStatus) {
    guard let database = boot?.handles else { return ([], .unsupported) }
    switch UInt32(truncatingIfNeeded: kind) {
    case 0: return (database.handles.map(\.id), .success)
    case 1:
      guard let index = database.registrations.firstIndex(where: { $0.key == key }) else { return ([], .invalidParameter) }
      guard let first = database.registrations[index].news.first else { return ([], .notFound) }
      return ([first], .success)
    case 2:
      guard let guid else { return ([], .invalidParameter) }
      let found = database.handles(with: guid)
      return (found, found.isEmpty ? .notFound : .success)
    default: return ([], .invalidParameter)
    }
  }

  /// A registration tells of each new handle once.
  private func consume(_ kind: UInt64, _ key: UInt64) {
    guard UInt32(truncatingIfNeeded: kind) == 1, let index = boot?.handles.registrations.firstIndex(where: { $0.key == key }) else {
      return
    }
    boot?.handles.registrations[index].news.removeFirst()
  }

  /// in0 kind of search, in1 protocol, in2 registration, in3 size, in4 buffer.
  func locateHandle(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(3) != 0 else { return .status(.invalidParameter) }
    let room: UInt64 = try call.load(call.argument(3))
    let guid = try readGUID(call.argument(1), call)
    let (handles, status) = search(call.argument(0), guid, call.argument(2))
    guard status == .success else { return .status(status) }
    let size = UInt64(handles.count * 8)
    guard room >= size else {
      try call.store(call.argument(3), size)
      return .status(.bufferTooSmall)
    }
    guard call.argument(4) != 0 else { return .status(.invalidParameter) }
    try call.check(call.argument(4), count: Int(size))
    try call.store(call.argument(3), size)
    try call.write(call.argument(4), handles.littleEndianBytes)
    consume(call.argument(0), call.argument(2))
    return .success
  }

  /// in0 kind of search, in1 protocol, in2 registration, in3 count, in4 buffer.
  func locateHandleBuffer(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(3) != 0, call.argument(4) != 0 else { return .status(.invalidParameter) }
    try call.check(call.argument(3), count: 8)
    try call.check(call.argument(4), count: 8)
    let guid = try readGUID(call.argument(1), call)
    let (handles, status) = search(call.argument(0), guid, call.argument(2))
    guard status == .success else {
      try call.store(call.argument(3), UInt64(0))
      try call.store(call.argument(4), UInt64(0))
      return .status(status)
    }
    guard let buffer = place(handles.littleEndianBytes) else { return .status(.outOfResources) }
    try call.store(call.argument(3), UInt64(handles.count))
    try call.store(call.argument(4), buffer)
    consume(call.argument(0), call.argument(2))
    return .success
  }

  /// in0 protocol, in1 registration, in2 interface.
  func locateProtocol(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let guid = try readGUID(call.argument(0), call), call.argument(2) != 0 else { return .status(.invalidParameter) }
    try call.check(call.argument(2), count: 8)
    let key = call.argument(1)
    let (handles, status) = search(key == 0 ? 2 : 1, guid, key)
    guard status == .success, let first = handles.first, let interface = boot?.handles.interface(first, guid) else {
      try call.store(call.argument(2), UInt64(0))
      return .status(status == .success ? .notFound : status)
    }
    try call.store(call.argument(2), interface.address)
    consume(key == 0 ? 2 : 1, key)
    return .success
  }

  /// in0 handle, in1 buffer, in2 count.
  func protocolsPerHandle(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let handle = boot?.handles[call.argument(0)], call.argument(1) != 0, call.argument(2) != 0 else {
      return .status(.invalidParameter)
    }
    try call.check(call.argument(1), count: 8)
    try call.check(call.argument(2), count: 8)
    // Pointers to GUIDs, which follow the pointers.
    let count = handle.interfaces.count
    guard let buffer = allocatePool(UInt64(24 * max(count, 1)), .bootServicesData) else { return .status(.outOfResources) }
    for (n, interface) in handle.interfaces.enumerated() {
      let place = buffer + UInt64(8 * count + 16 * n)
      host.memory.store(buffer + UInt64(8 * n), place)
      host.memory.write(place, interface.guid.bytes)
    }
    try call.store(call.argument(1), buffer)
    try call.store(call.argument(2), UInt64(count))
    return .success
  }

  /// in0 protocol, in1 device path (moved behind the part that was found), in2 handle: the handle whose path is the longest beginning.
  func locateDevicePath(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard let guid = try readGUID(call.argument(0), call), call.argument(1) != 0 else { return .status(.invalidParameter) }
    let pointer: UInt64 = try call.load(call.argument(1))
    guard pointer != 0, let path = readDevicePath(pointer) else { return .status(.invalidParameter) }
    var best: (handle: UInt64, length: Int)?
    for handle in boot?.handles.handles(with: guid) ?? [] {
      guard let own = devicePath(of: handle), own.nodes.count <= path.nodes.count,
        own.nodes.elementsEqual(path.nodes.prefix(own.nodes.count))
      else { continue }
      if best.map({ $0.length < own.nodes.count }) ?? true { best = (handle, own.nodes.count) }
    }
    guard let best else { return .status(.notFound) }
    guard call.argument(2) != 0 else { return .status(.invalidParameter) }
    try call.check(call.argument(2), count: 8)
    try call.store(call.argument(1), pointer &+ UInt64(path.nodes.prefix(best.length).reduce(0) { $0 + $1.count }))
    try call.store(call.argument(2), best.handle)
    return .success
  }

  func devicePath(of handle: UInt64) -> DevicePath? {
    boot?.handles.interface(handle, .devicePath).flatMap { readDevicePath($0.address) }
  }

  /// The handle with exactly this path.
  func find(_ path: DevicePath) -> UInt64? {
    boot?.handles.handles(with: .devicePath).first { devicePath(of: $0) == path }
  }
}

extension [UInt64] {
  var littleEndianBytes: [UInt8] { flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } } }
}
