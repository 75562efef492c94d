#if canImport(Glibc)
  import Glibc
#endif

/// How an image's bytes become a medium's. Everything but `raw` is read by qemu-nbd, whose names these are.
public enum ImageFormat: String, Sendable, CaseIterable {
  case raw, qcow2, qcow, qed, vdi, vhdx, vmdk, vpc, parallels

  /// Only qcow2 is recognised: other headers are too short, or not at the start.
  static func probe(_ start: UnsafeRawBufferPointer) -> ImageFormat {
    start.count >= 4 && start.prefix(4).elementsEqual([0x51, 0x46, 0x49, 0xFB]) ? .qcow2 : .raw
  }

  /// The format of a file, from its first bytes. What cannot be read is raw: opening it will say why.
  public static func probe(path: String) -> ImageFormat {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return .raw }
    let file = StorageFile(adopting: descriptor)
    var start: UInt32 = 0
    return withUnsafeMutableBytes(of: &start) { buffer in
      guard let count = try? file.read(at: 0, into: buffer), count == 4 else { return .raw }
      return probe(UnsafeRawBufferPointer(buffer))
    }
  }
}
