import HostResources
import Loading
import Platform
import SystemFirmware

/// One machine, or one partition of a machine, and what it boots.
struct GuestConfiguration {
  /// Nil: the built-in self-test guest.
  var kernel: String?
  var initrd: String?
  var commandLine = ""
  var processors = 1
  /// Bytes.
  var memory: UInt64
  var disks: [DiskSpecification] = []
  /// Nodes that the guest is told of; nil: one, not worth a word.
  var topology: NUMATopology?

  /// Reads all files, and puts the machine together, about to be switched on.
  func makeServer() throws -> Server {
    do throws(any Error) {
      let image: KernelImage
      if let kernel {
        image = try KernelImage.load(path: kernel, limit: memory)
      } else {
        image = try SelfTestGuest.load(limit: memory)
      }
      // The initial RAM disk goes to low memory.
      let room = min(memory, MemoryMap.lowMemoryLimit)
      let disk = try initrd.map { (path) throws(ImageError) in try HostFile.read(path, limit: room) }
      let server = try Server(memorySize: memory, processors: processors)
      try server.attach(disks.map { (disk) throws(StorageProblem) in try OpenDisk(disk) })
      server.firmware.topology = topology
      try server.firmware.boot(kernel: image, initrd: disk, commandLine: commandLine)
      return server
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(CommandFailure.badInput, "\(error)")
    }
  }
}
