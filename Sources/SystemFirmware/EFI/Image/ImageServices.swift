import Platform
import Processor

/// LoadImage to ExitBootServices (EFI 1.10, section 5.4).
extension SystemFirmware {
  /// in0 boot policy, in1 parent, in2 device path, in3 source, in4 its size, in5 handle.
  func loadImage(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    guard call.argument(5) != 0, boot?.images[call.argument(1)] != nil else { return .status(.invalidParameter) }
    try call.check(call.argument(5), count: 8)
    let path = call.argument(2) == 0 ? nil : readDevicePath(call.argument(2))
    let bytes: [UInt8]
    if call.argument(3) != 0 {
      guard call.argument(4) <= UInt64(PEImage.largest) else { return .status(.loadError) }
      bytes = try call.read(call.argument(3), count: Int(call.argument(4)))
    } else {
      guard let path else { return .status(call.argument(2) == 0 ? .notFound : .invalidParameter) }
      switch readFile(path) {
      case .success(let contents): bytes = contents
      case .failure(let status): return .status(status.status)
      }
    }
    switch load(bytes, path: path, parent: call.argument(1)) {
    case .success(let handle):
      try call.store(call.argument(5), handle)
      return .success
    case .failure(let failure): return .status(failure.status)
    }
  }

  /// Places an image in memory and installs Loaded Image on a new handle.
  func load(_ bytes: [UInt8], path: DevicePath?, parent: UInt64) -> Result<UInt64, ServiceFailure> {
    let image: PEImage
    do throws(PEImage.Failure) { image = try PEImage(bytes) } catch {
      return .failure(ServiceFailure(error == .damaged ? .loadError : .unsupported))
    }
    let slack = max(image.alignment, MemoryLedger.pageSize) - MemoryLedger.pageSize
    let pages = (UInt64(image.size) + slack + MemoryLedger.pageSize - 1) / MemoryLedger.pageSize
    guard let start = boot?.memory.take(pages: pages, below: .max, image.subsystem.codeType) else {
      return .failure(ServiceFailure(.outOfResources))
    }
    let range = start..<start + pages * MemoryLedger.pageSize
    let base = (start + slack) & ~slack
    var belongings: [UInt64] = []
    func give(back status: EFIStatus) -> Result<UInt64, ServiceFailure> {
      _ = boot?.memory.release(range)
      belongings.forEach { _ = freePool($0) }
      return .failure(ServiceFailure(status))
    }
    do throws(PEImage.Failure) {
      host.memory.write(base, try image.placed(at: base))
    } catch { return give(back: error == .damaged ? .loadError : .unsupported) }

    // The device is the one with the file system; what follows in the path is the file.
    var device: UInt64 = 0
    var filePath = path ?? DevicePath([DevicePath.memory(range, type: image.subsystem.codeType)])
    if let path, let found = fileSystem(in: path) {
      device = found.handle
      filePath = DevicePath(Array(path.nodes.dropFirst(found.length)))
    }
    guard let pathAddress = place(filePath.bytes) else { return give(back: .outOfResources) }
    belongings.append(pathAddress)
    var w = ByteWriter()
    w.put(UInt64(0x1000))  // revision
    w.put(parent)
    w.put(tables.systemTable)
    w.put(device)
    w.put(pathAddress)
    w.zeros(24)  // reserved, load options
    w.put(base)
    w.put(UInt64(image.size))
    w.put(image.subsystem.codeType.rawValue)
    w.put(image.subsystem.dataType.rawValue)
    w.put(UInt64(0))  // Unload
    guard let interface = place(w.bytes) else { return give(back: .outOfResources) }
    belongings.append(interface)
    guard let handle = install(.loadedImage, interface, on: nil) else { return give(back: .outOfResources) }
    boot?.images[handle] = LoadedImage(
      base: base, size: UInt64(image.size), pages: range, entry: base + image.entryOffset, subsystem: image.subsystem,
      interface: interface, belongings: belongings, parent: parent)
    return .success(handle)
  }

  private func unload(_ handle: UInt64) {
    guard let image = boot?.images.removeValue(forKey: handle) else { return }
    boot?.handles.closeAll(agent: handle)
    _ = uninstall(.loadedImage, image.interface, from: handle)
    _ = boot?.memory.release(image.pages)
    image.belongings.forEach { _ = freePool($0) }
  }

  // MARK: Running

  /// in0 image, in1 size of the exit data, in2 exit data.
  func startImage(_ call: GuestCall) throws(GuestAccessFailure) -> ServiceOutcome {
    for pointer in call.arguments(1...2) where pointer != 0 { try call.check(pointer, count: 8) }
    return start(call.argument(0), exitDataSize: call.argument(1), exitData: call.argument(2))
  }

  func start(_ handle: UInt64, exitDataSize: UInt64 = 0, exitData: UInt64 = 0) -> ServiceOutcome {
    guard let image = boot?.images[handle], !image.isStarted else { return .status(.invalidParameter) }
    boot?.images[handle]?.isStarted = true
    return .call(
      GuestFunction(descriptor: image.entry, arguments: [handle, tables.systemTable]),
      then: .imageEnded(image: handle, exitDataSize: exitDataSize, exitData: exitData))
  }

  /// An application goes with its return; a driver stays unless it has failed.
  func imageEnded(_ handle: UInt64, status: UInt64, _ sizeAddress: UInt64, _ dataAddress: UInt64, _ call: GuestCall)
    -> ServiceOutcome
  {
    let image = boot?.images[handle]
    if sizeAddress != 0 { try? call.store(sizeAddress, image?.exitData.0 ?? 0) }
    if dataAddress != 0 { try? call.store(dataAddress, image?.exitData.1 ?? 0) }
    if image?.subsystem == .application || status != 0 { unload(handle) }
    return .value(status)
  }

  /// in0 image, in1 status, in2 size of the exit data, in3 exit data.
  func exitImage(_ call: GuestCall, gate: UInt64) -> ServiceOutcome {
    let handle = call.argument(0)
    guard let image = boot?.images[handle] else { return .status(.invalidParameter) }
    guard image.isStarted else {
      unload(handle)
      return .success
    }
    // Only the image that was started last can exit; calls that its drivers make in between end with it.
    func isStart(_ frame: CallFrame) -> Bool {
      if case .imageEnded = frame.continuation { true } else { false }
    }
    guard let index = boot?.frames.lastIndex(where: isStart), let frame = boot?.frames[index],
      case .imageEnded(handle, _, _) = frame.continuation
    else { return .status(.invalidParameter) }
    boot?.images[handle]?.exitData = (call.argument(2), call.argument(3))
    return unwind(to: index, value: call.argument(1), gate: gate, call).map { .arranged($0) } ?? .status(.invalidParameter)
  }

  func unloadImage(_ call: GuestCall) -> ServiceOutcome {
    let handle = call.argument(0)
    guard let image = boot?.images[handle] else { return .status(.invalidParameter) }
    if image.isStarted {
      guard let function: UInt64 = host.memory.load(image.interface + 88), function != 0 else { return .status(.unsupported) }
      return .call(GuestFunction(descriptor: function, arguments: [handle]), then: .imageUnloads(image: handle))
    }
    unload(handle)
    return .success
  }

  func imageUnloads(_ handle: UInt64, status: UInt64) -> ServiceOutcome {
    if status == 0 { unload(handle) }
    return .value(status)
  }

  // MARK: The end

  /// in0 image, in1 key of the memory map.
  func exitBootServices(_ call: GuestCall) -> ServiceOutcome {
    guard boot?.images[call.argument(0)] != nil, call.argument(1) == boot?.memory.key else { return .status(.invalidParameter) }
    boot?.events.signal(type: EventType.exitBootServices)
    boot?.events.signal(group: .exitBootServicesGroup)
    return exitAfterNotifications(call)
  }

  /// Notification functions run while there still are boot services.
  func exitAfterNotifications(_ call: GuestCall) -> ServiceOutcome {
    if let level = boot?.events.level, let next = boot?.events.next() {
      boot?.events.level = next.event.level
      return .call(
        GuestFunction(descriptor: next.event.function, arguments: [next.handle, next.event.context]),
        then: .exiting(level: level))
    }
    call.processor.maskIntervalTimer()
    while call.processor.serviceInterrupt() != 15 {}
    storages.removeAll()
    boot = nil
    tables.endBootServices(in: host.memory)
    return .success
  }
}

/// An EFI status as an error.
struct ServiceFailure: Error, Equatable {
  let status: EFIStatus
  init(_ status: EFIStatus) { self.status = status }
}
