import Platform
import Processor

/// What to load when the machine is switched on.
struct BootRequest: Sendable {
  /// A Linux kernel, handed over to without boot services.
  var kernel: KernelImage?
  /// An EFI application; its name is for messages.
  var application: (name: String, bytes: [UInt8])?
  var initrd: [UInt8]?
  var commandLine = ""
  /// Where the initial RAM disk goes.
  var initrdAddress: UInt64?
}

extension SystemFirmware {
  /// Switches the machine on with a Linux kernel, the way the elilo boot loader hands over: everything is checked now; the
  /// bootstrap processor then loads it when it runs from its reset vector, now and after every reset.
  public func boot(kernel: KernelImage, initrd: [UInt8]? = nil, commandLine: String = "") throws(BootError) {
    do {
      try kernel.validate(in: host.memory)
    } catch { throw .image(error) }
    guard !kernel.program.segments.contains(where: { $0.physicalAddress < BootBlock.region.upperBound }) else {
      throw .overlapsBootData(kernel.file)
    }
    guard commandLine.utf8.count <= BootBlock.maximumCommandLine else { throw .commandLineTooLong(commandLine.utf8.count) }
    var request = BootRequest(kernel: kernel, application: nil, initrd: initrd, commandLine: commandLine)
    if let initrd, !initrd.isEmpty {
      guard let address = initrdAddress(bytes: initrd.count, kernel: kernel) else {
        throw .initrdDoesNotFit(bytes: initrd.count)
      }
      request.initrdAddress = address
    }
    self.request = request
    try reset()
  }

  /// Switches the machine on with an EFI application, a PE32+ image; `options` become its load options.
  public func boot(application bytes: [UInt8], name: String, options: String = "") throws(BootError) {
    do throws(PEImage.Failure) { _ = try PEImage(bytes) } catch { throw .notAnApplication(name, damaged: error == .damaged) }
    request = BootRequest(kernel: nil, application: (name, bytes), initrd: nil, commandLine: options)
    try reset()
  }

  /// Switches the machine on with the boot manager, which starts what it finds on ``media``.
  public func bootMedia() throws(BootError) {
    request = BootRequest()
    try reset()
  }

  /// Alignment of what the loader places: the largest page that operating systems here use.
  private static let granularity: UInt64 = 0x1_0000

  private static func rounded(_ range: Range<UInt64>) -> Range<UInt64> {
    let mask = granularity - 1
    return range.lowerBound & ~mask..<(range.upperBound + mask) & ~mask
  }

  /// What the kernel's segments occupy, in whole units of `granularity`, disjoint and ascending.
  private static func footprint(_ kernel: KernelImage) -> [Range<UInt64>] {
    let ranges = kernel.program.segments.map { rounded($0.physicalAddress..<$0.physicalAddress + $0.memorySize) }
    var merged: [Range<UInt64>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  /// The highest place in low memory that is free of the kernel.
  private func initrdAddress(bytes: Int, kernel: KernelImage) -> UInt64? {
    let ram = host.memory.ranges.last { $0.lowerBound < MemoryMap.lowMemoryLimit }
    guard let low = ram?.upperBound else { return nil }
    let size = UInt64(bytes)
    let taken = Self.footprint(kernel)
    // At the top of memory, else right below a part of the kernel.
    for top in [low] + taken.reversed().map({ min(low, $0.lowerBound) }) where top >= size {
      let address = (top - size) & ~(Self.granularity - 1)
      let range = address..<top
      if address >= BootBlock.region.upperBound && host.memory.isRAM(address, count: size)
        && !taken.contains(where: { $0.overlaps(range) })
      {
        return address
      }
    }
    return nil
  }

  /// Gate of the reset vector: loads the request and returns the registers that the trampoline hands over.
  func powerOn(_ call: GuestCall) -> GateOutcome {
    guard let request else {
      // Nothing to boot: the processor returns from nowhere and the machine reports it.
      host.perform(.imageReturned(EFIStatus.notFound.rawValue))
      return .stop
    }
    guard let kernel = request.kernel else { return startEFI(call) }
    let memory = host.memory
    kernel.place(in: memory)
    self.request?.kernel?.hollow()
    var used: [(range: Range<UInt64>, type: EFIMemoryType)] = [(BootBlock.region, .loaderData)]
    used += Self.footprint(kernel).map { ($0, .loaderData) }
    var initrd: Range<UInt64>?
    if let bytes = request.initrd, let address = request.initrdAddress {
      memory.write(address, bytes)
      let range = address..<address + UInt64(bytes.count)
      initrd = range
      used.append((Self.rounded(range), .loaderData))
    }
    let block = BootBlock(
      systemTable: tables.systemTable, softwareAssist: tables.softwareAssistInterface, initrd: initrd,
      map: efiMemoryMap(used: used))
    block.write(to: memory, commandLine: request.commandLine)
    call.set(8, FirmwareLayout.backingStore(processor: call.index))
    call.set(9, FirmwareLayout.stackPointer(processor: call.index))
    call.set(10, kernel.program.entry)
    call.set(11, 0)
    call.set(14, BootBlock.parameters)
    call.set(15, 0)
    call.set(3, tables.systemTable)
    return .proceed
  }
}
