/// A configuration on its way: keys that only make sense together are kept apart until all are read.
struct DomainDraft {
  var configuration: DomainConfiguration
  var warnings: [KeyedProblem] = []

  var kernel: String?
  var loader: String?
  var root = ""
  var extra = ""
  var commandLine: String?
  var directKernelArguments: String?
  /// The parts of the kernel's `ip=`.
  var network = (ip: "", gateway: "", netmask: "", hostname: "", interface: "eth0", dhcp: "off")
  var nfsServer: String?
  var nfsRoot: String?

  var maximumMemory: Int?
  var maximumProcessors: Int?
  var online: UInt64?
  var firstProcessor: Int?
  /// One for all, or one for each.
  var masks: [ProcessorMask] = []
  var hasMaskForEach = false

  /// xm assembles it in this order, and leaves out `root` if `extra` has one (XendConfig.update_with_image_sxp, 2007).
  func assembledCommandLine() throws(KeyedProblem) -> String {
    if let commandLine { return commandLine }
    var arguments = extra
    if let nfsRoot {
      guard let nfsServer else { throw KeyedProblem("nfs_root", "needs nfs_server, too") }
      arguments = Self.joined("nfsroot=\(nfsServer):\(nfsRoot)", arguments)
    }
    var address = network.ip.hasPrefix("ip=") ? String(network.ip.dropFirst(3)) : network.ip
    if !address.isEmpty || network.dhcp != "off" {
      // xm puts this address where there is no server: the kernel wants something there.
      address += ":" + (nfsServer ?? "1.2.3.4")
      address += ":\(network.gateway):\(network.netmask):\(network.hostname):\(network.interface):\(network.dhcp)"
      if !Self.words(arguments).contains(where: { $0.hasPrefix("ip=") }) { arguments = Self.joined("ip=" + address, arguments) }
    }
    let root = root.hasPrefix("root=") ? String(root.dropFirst(5)) : root
    if !root.isEmpty && !Self.words(arguments).contains(where: { $0.hasPrefix("root=") }) {
      arguments = Self.joined("root=" + root, arguments)
    }
    return arguments
  }

  private static func words(_ text: String) -> [Substring] { text.split(separator: " ") }
  private static func joined(_ first: String, _ rest: String) -> String { rest.isEmpty ? first : first + " " + rest }

  /// Puts together what depends on several keys.
  mutating func finish() throws(KeyedProblem) {
    try finishProcessors()
    try finishBoot()
    configuration.maximumMemory = maximumMemory ?? configuration.memory
    try configuration.check()
    if configuration.kind == .paravirtualized, configuration.serial != nil {
      warnings.append(KeyedProblem("serial", "only HVM domains have a serial port"))
    }
    if configuration.kind == .hardware, configuration.bootOrder.contains(.floppy) {
      warnings.append(KeyedProblem("boot", "this server has no floppy drive"))
    }
  }

  private mutating func finishProcessors() throws(KeyedProblem) {
    // xl: vcpus of maxvcpus are online.
    if let maximumProcessors {
      guard maximumProcessors >= configuration.virtualProcessors else {
        throw KeyedProblem("maxvcpus", "\(maximumProcessors) is less than vcpus, \(configuration.virtualProcessors)")
      }
      online = online ?? ProcessorMask.first(configuration.virtualProcessors).bits
      configuration.virtualProcessors = maximumProcessors
    }
    let count = configuration.virtualProcessors
    configuration.onlineProcessors = online.map(ProcessorMask.init(bits:)) ?? ProcessorMask.first(count)
    if hasMaskForEach {
      guard masks.count <= count else { throw KeyedProblem("cpus", "has \(masks.count) entries, but vcpus is \(count)") }
      configuration.affinity = (0..<count).map { $0 < masks.count ? masks[$0] : .all }
    } else {
      configuration.affinity = Array(repeating: masks.first ?? .all, count: count)
    }
    if let firstProcessor { configuration.affinity[0] = ProcessorMask(bits: 1 << UInt64(firstProcessor)) }
  }

  private mutating func finishBoot() throws(KeyedProblem) {
    switch configuration.kind {
    case .paravirtualized:
      configuration.kernel = kernel
      configuration.commandLine = try assembledCommandLine()
      if directKernelArguments != nil { throw KeyedProblem("epicure_append", "is for HVM domains; a PV domain has extra") }
      if loader != nil { warnings.append(KeyedProblem("loader", "a PV domain has no firmware")) }
    case .hardware:
      // Until Xen 3.4 the firmware stood in `kernel`.
      let kernelIsFirmware = kernel.map(Self.isFirmware) ?? false
      configuration.firmware = loader ?? (kernelIsFirmware ? kernel : nil)
      configuration.kernel = kernelIsFirmware ? nil : kernel
      configuration.commandLine = directKernelArguments ?? commandLine ?? ""
      if configuration.kernel == nil {
        if directKernelArguments != nil { throw KeyedProblem("epicure_append", "needs a kernel that is started directly") }
        if configuration.ramdisk != nil {
          warnings.append(KeyedProblem("ramdisk", "without a kernel to start directly, it is not used"))
        }
        configuration.ramdisk = nil
      }
      for (key, text) in [("root", root), ("extra", extra)] where !text.isEmpty {
        warnings.append(KeyedProblem(key, "an HVM kernel's command line is epicure_append"))
      }
    }
    // MAX_GUEST_CMDLINE of Xen's start_info.
    if configuration.kind == .paravirtualized && configuration.commandLine.utf8.count >= 1024 {
      warnings.append(KeyedProblem("extra", "the kernel's command line is longer than the 1023 bytes that a domain is given"))
    }
  }

  /// Xen's names: guest_firmware.bin, guest_firmware_2.6.18.bin, hvmloader.
  private static func isFirmware(_ path: String) -> Bool {
    let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    return name.contains("firmware") || name == "hvmloader" || name.hasSuffix(".fd")
  }
}

/// A problem that only several keys together have; `key` is the one to mention.
struct KeyedProblem: Error {
  var key: String
  var text: String
  init(_ key: String, _ text: String) { (self.key, self.text) = (key, text) }
}
