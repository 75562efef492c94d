extension DomainConfiguration {
  /// MiB. 16 TiB are more than any Itanium server had.
  static let memoryRange = 1...1 << 24
  static let processorRange = 1...64
  /// Weights are 16 bits, and 0 means "unchanged" (Xen's public/domctl.h).
  static let weightRange = 1...65535
  /// The smallest VHPT of the architecture is 32 KiB.
  static let vhptRange = 15...30

  /// What a configuration file may not say cannot come in as JSON either: call this for a configuration from elsewhere.
  public func validate() throws(SettingProblem) {
    do {
      try check()
    } catch {
      throw SettingProblem("\(error.key): \(error.text)")
    }
  }

  /// The rules, with the key that a message should name.
  func check() throws(KeyedProblem) {
    func require(_ condition: Bool, _ key: String, _ text: @autoclosure () -> String) throws(KeyedProblem) {
      if !condition { throw KeyedProblem(key, text()) }
    }
    func inRange(_ value: Int, _ range: ClosedRange<Int>, _ key: String) throws(KeyedProblem) {
      try require(range.contains(value), key, "expected an integer from \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
    do {
      _ = try DomainKey.checkedName(name)
      if let uuid { _ = try DomainKey.checkedUUID(uuid) }
    } catch {
      throw KeyedProblem("name", error.description)
    }
    try inRange(memory, Self.memoryRange, "memory")
    try inRange(maximumMemory, Self.memoryRange, "maxmem")
    try require(maximumMemory >= memory, "maxmem", "\(maximumMemory) MiB is less than memory, \(memory) MiB")
    try inRange(virtualProcessors, Self.processorRange, "vcpus")
    let outside = onlineProcessors.bits & ~ProcessorMask.first(virtualProcessors).bits
    try require(
      outside == 0, "vcpu_avail", "names processor \(63 - outside.leadingZeroBitCount), but there are \(virtualProcessors)")
    try require(onlineProcessors.contains(0), "vcpu_avail", "a domain starts on its processor 0: bit 0 is missing")
    try require(affinity.count == virtualProcessors, "cpus", "has \(affinity.count) entries, but vcpus is \(virtualProcessors)")
    try require(affinity.allSatisfy { $0.bits != 0 }, "cpus", "leaves no processor")
    try inRange(weight, Self.weightRange, "cpu_weight")
    try require(
      0...100 * virtualProcessors ~= cap, "cpu_cap",
      "expected an integer from 0 to \(100 * virtualProcessors), 100 for each processor, found \(cap)")
    if vhpt != 0 { try inRange(vhpt, Self.vhptRange, "vhpt") }
    try checkDisks()
    try require(kind == .hardware || kernel != nil || bootloader != nil, "kernel", "a PV domain needs kernel or bootloader")
    for (key, action) in [("on_poweroff", onPoweroff), ("on_reboot", onReboot)] {
      try require(
        action != .coredumpDestroy && action != .coredumpRestart, key, "'\(action.rawValue)' is only possible with on_crash")
    }
  }

  private func checkDisks() throws(KeyedProblem) {
    var seen: [UInt32: VirtualDevice] = [:]
    for disk in disks {
      if disk.target == nil && !disk.isOptical {
        throw KeyedProblem("disk", "\(disk.device) has no file; only a CD drive may be empty")
      }
      guard let other = seen.updateValue(disk.device, forKey: disk.device.number) else { continue }
      throw KeyedProblem(
        "disk", other == disk.device ? "\(other) is there twice" : "\(other) and \(disk.device) are the same device")
    }
  }
}
