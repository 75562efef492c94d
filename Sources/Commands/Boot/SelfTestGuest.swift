import Loading
import SystemFirmware

/// The guest that comes with the program: `GuestImages/selftest`, booted when no kernel is named.
enum SelfTestGuest {
  static func load(limit: UInt64) throws(ImageError) -> KernelImage {
    try KernelImage.load(bytes: PackageResources.selftest_elf_gz, file: "the self-test guest", limit: limit)
  }
}
