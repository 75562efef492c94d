import HostResources
import Hypervisor
import Inspection
import Loading
import Pipeline
import Platform
import SystemFirmware

/// One machine, or one partition of a machine, and what it boots.
struct GuestConfiguration {
  /// An ELF kernel or an EFI application. Nil: what the disks have; without disks, the built-in self-test guest.
  var kernel: String?
  var initrd: String?
  /// Of the domain, as it is told.
  var name = "guest"
  var uuid = "00000000-0000-0000-0000-000000000000"
  var commandLine = ""
  var processors = 1
  /// Bytes.
  var memory: UInt64
  var disks: [DiskSpecification] = []
  /// What all disks are parts of, perhaps with those of other machines; nil: each is one of its own.
  var medium: MediumTiming?
  /// The file of the non-volatile EFI variables; nil: they are forgotten when the machine is switched off.
  var variables: String?
  /// Nodes that the guest is told of; nil: one, not worth a word.
  var topology: NUMATopology?
  var adapters: [NICSpecification] = []
  /// Virtio devices beside disks and adapters.
  var virtioDevices: [VirtioSpecification] = []
  /// The initial RAM disk itself, in the place of a file's name.
  var initrdContents: [UInt8]?
  /// Builds the domain that the guest runs in; nil: it has the bare machine.
  var domain: ((MachineConfiguration) throws -> Domain)?
  /// There is a screen (a VGA, or a PV domain's frame buffer), with or without somebody who looks at it.
  var hasVideo = false
  /// CDs come before disks when the firmware looks for something to boot.
  var bootsDiscsFirst = false
  /// The processor whose cycles are counted; nil: functional timing.
  var timing: MachineDescription?

  /// What is written down of the run, or repeated.
  var tape = Tape()

  /// Reads all files, and puts the machine together, about to be switched on.
  func makeServer(networks: Networks? = nil) throws -> Server {
    var adapters = adapters
    return try makeServer(networks: networks, adapters: &adapters)
  }

  /// `adapters`: come back with their addresses.
  func makeServer(networks: Networks?, adapters: inout [NICSpecification]) throws -> Server {
    do throws(any Error) {
      let configuration = MachineConfiguration(memorySize: memory, processors: processors, hasVideo: hasVideo)
      let domain = try self.domain?(configuration)
      if let domain = domain as? ParavirtualDomain { return try paravirtualServer(domain, networks: networks, adapters: &adapters) }
      let server = try BoardServer(configuration, domain: domain as? HVMDomain, name: name)
      tape.journal.attach(server.machine)
      if let domain = domain as? HVMDomain { try server.offerParavirtualization(domain, name: name, uuid: uuid) }
      try server.attach(disks.map { (disk) throws(StorageProblem) in try tape.open(disk) }, medium: medium)
      if bootsDiscsFirst { server.bootDiscsFirst() }
      server.firmware.topology = topology
      try server.attach(virtioDevices)
      if let networks { adapters = try networks.plug(adapters, into: server) }
      if let timing { server.count(cyclesOf: timing) }
      if let variables { try server.keepVariables(in: ReplacedFile(path: variables), tape.journal) }
      try start(server)
      return server
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(CommandFailure.badInput, "\(error)")
    }
  }

  private func paravirtualServer(
    _ domain: ParavirtualDomain, networks: Networks?, adapters: inout [NICSpecification]
  ) throws -> ParavirtualServer {
    guard let kernel else {
      throw CommandFailure(CommandFailure.badInput, "a PV domain has no firmware: it needs a kernel (--kernel)")
    }
    for (isGiven, option) in [
      (!virtioDevices.isEmpty, "--virtio"), (variables != nil, "--nvram"),
    ] where isGiven {
      throw CommandFailure(CommandFailure.badInput, "\(option) is for machines with a PCI bus and firmware, not for PV domains")
    }
    let image = try KernelImage.load(path: kernel, limit: memory)
    let disk = try initrdContents ?? initrd.map { (path) throws(ImageError) in try HostFile.read(path, limit: memory) }
    let server = try ParavirtualServer(
      domain, DomainBuilder(kernel: image.program, ramdisk: disk, commandLine: commandLine), name: name, uuid: uuid)
    tape.journal.attach(server.machine)
    try server.attach(disks.map { (disk) throws(StorageProblem) in try tape.open(disk) }, medium: medium)
    if let networks { adapters = try networks.plug(adapters, into: server) }
    if hasVideo { try server.attachScreen() }
    if let timing { server.count(cyclesOf: timing) }
    return server
  }

  private func start(_ server: BoardServer) throws {
    guard let firmware = server.firmware else { return }
    guard let kernel else {
      guard disks.isEmpty else { return try firmware.bootMedia() }
      return try firmware.boot(kernel: SelfTestGuest.load(limit: memory), commandLine: commandLine)
    }
    if let application = try EFIApplication.read(kernel, limit: memory) {
      guard initrd == nil else {
        throw CommandFailure(CommandFailure.badInput, "--initrd is for Linux kernels; \(kernel) is an EFI application")
      }
      return try firmware.boot(application: application, name: kernel, options: commandLine)
    }
    let image = try KernelImage.load(path: kernel, limit: memory)
    // The initial RAM disk goes to low memory.
    let room = min(memory, MemoryMap.lowMemoryLimit)
    let disk = try initrdContents ?? initrd.map { (path) throws(ImageError) in try HostFile.read(path, limit: room) }
    try firmware.boot(kernel: image, initrd: disk, commandLine: commandLine)
  }
}

/// EFI applications among the files that --kernel may name.
private enum EFIApplication {
  /// The file's contents if it is a PE image.
  static func read(_ path: String, limit: UInt64) throws(ImageError) -> [UInt8]? {
    let bytes = try HostFile.read(path, limit: min(limit, 1 << 30))
    return bytes.starts(with: Array("MZ".utf8)) ? bytes : nil
  }
}
