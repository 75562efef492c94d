import Foundation

/// Writes cpio archives in the "newc" format, which Linux unpacks as its first file system (Documentation/driver-api/early-userspace).
public struct CPIOArchive {
  private var entries: [UInt8] = []
  private var inode: UInt32 = 0

  public init() {}

  public mutating func add(file path: String, _ contents: [UInt8], mode: UInt32) {
    add(path, mode: 0o100000 | mode, size: contents.count)
    entries += contents
    pad()
  }

  public mutating func add(folder path: String) { add(path, mode: 0o040755, size: 0) }

  public mutating func add(characterDevice path: String, major: UInt32, minor: UInt32) {
    add(path, mode: 0o020600, size: 0, device: (major, minor))
  }

  /// The whole archive, its end included.
  public var bytes: [UInt8] {
    var copy = self
    copy.add("TRAILER!!!", mode: 0, size: 0)
    return copy.entries
  }

  private mutating func add(_ name: String, mode: UInt32, size: Int, device: (major: UInt32, minor: UInt32) = (0, 0)) {
    inode += 1
    // inode, mode, uid, gid, links, time, size, device, device of special files, length of the name, checksum (none).
    let fields: [UInt32] = [
      inode, mode, 0, 0, 1, 0, UInt32(size), 0, 0, device.major, device.minor, UInt32(name.utf8.count + 1), 0,
    ]
    entries += "070701".utf8
    for field in fields { entries += String(format: "%08X", field).utf8 }
    entries += Array(name.utf8) + [0]
    pad()
  }

  private mutating func pad() { while entries.count % 4 != 0 { entries.append(0) } }
}
