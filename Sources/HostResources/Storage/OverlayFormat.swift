#if canImport(Glibc)
  import Glibc
#endif

/// What an overlay remembers of the image that it lies on: that image must not change any more.
public struct BaseIdentity: Equatable, Sendable {
  var size: UInt64
  /// Time of the last change, in nanoseconds since 1970.
  var modified: UInt64

  /// Nil: there is no such file.
  public init?(path: String) {
    var information = stat()
    guard stat(path, &information) == 0 else { return nil }
    // Device nodes have times of their own that say nothing about the contents.
    let isFile = information.st_mode & S_IFMT == S_IFREG
    size = UInt64(truncatingIfNeeded: information.st_size)
    modified =
      isFile ? UInt64(truncatingIfNeeded: information.st_mtim.tv_sec &* 1_000_000_000 &+ information.st_mtim.tv_nsec) : 0
  }
}

/// The overlay's file: a header of 4096 bytes; two bitmaps with one bit for each cluster of 4096 bytes, in whole clusters; the clusters at
/// their own places behind them. What was never written is a hole. All numbers are little-endian.
///
/// | offset | header |
/// | --- | --- |
/// | 0 | `EPICOVL` and a zero |
/// | 8 | version, 4 bytes: 1 |
/// | 12 | cluster size, 4 bytes: 4096 |
/// | 16 | size of the medium, 8 bytes |
/// | 24 | size of the base's file, 8 bytes |
/// | 32 | its time of modification, 8 bytes: nanoseconds since 1970 |
/// | 40 | checksum of the bytes before, 8 bytes: FNV-1a |
/// | 64 | the host's boot in which the overlay was last used, 36 bytes: Linux's `boot_id` |
///
/// A bit that is set says that the cluster behind it is complete. Bits of the first bitmap become durable after the clusters that they
/// stand for, so it is right whenever the host stops. Bits of the second one are written together with the clusters, in any order as
/// far as the disk is concerned: it is right as long as the host has not stopped, which its boot tells, whatever happened to the writer.
struct OverlayHeader: Equatable {
  var mediumSize: UInt64
  var base: BaseIdentity

  static let cluster: UInt64 = 4096
  static let size = 4096
  private static let magic: [UInt8] = Array("EPICOVL\0".utf8)
  private static let version: UInt32 = 1
  private static let checked = 40
  static let bootOffset = 64
  static let bootSize = 36
  /// Nobody has larger disks, and the bitmap must fit into memory.
  static let largestMedium: UInt64 = 1 << 46

  var clusters: UInt64 { (mediumSize + Self.cluster - 1) / Self.cluster }
  var bitmapSize: UInt64 { ((clusters + 7) / 8 + Self.cluster - 1) & ~(Self.cluster - 1) }
  var durableStart: UInt64 { UInt64(Self.size) }
  var currentStart: UInt64 { durableStart + bitmapSize }
  var dataStart: UInt64 { currentStart + bitmapSize }
  var fileSize: UInt64 { dataStart + clusters * Self.cluster }

  var bytes: [UInt8] {
    var bytes = Self.magic
    func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    put(Self.version)
    put(UInt32(Self.cluster))
    put(mediumSize)
    put(base.size)
    put(base.modified)
    put(FNV1a.hash(bytes))
    return bytes + [UInt8](repeating: 0, count: Self.size - bytes.count)
  }

  init(mediumSize: UInt64, base: BaseIdentity) { (self.mediumSize, self.base) = (mediumSize, base) }

  /// Throws the reason why this is no header.
  init(_ bytes: [UInt8]) throws(Damage) {
    func value<T: FixedWidthInteger>(_ offset: Int, as: T.Type = T.self) -> T {
      (0..<MemoryLayout<T>.size).reduce(T.zero) { $0 | T(truncatingIfNeeded: bytes[offset + $1]) << T(8 * $1) }
    }
    guard bytes.count == Self.size, bytes.starts(with: Self.magic) else { throw Damage(reason: "is not an overlay") }
    guard value(40) == FNV1a.hash(bytes[..<Self.checked]) else { throw Damage(reason: "the overlay's header is damaged") }
    let version: UInt32 = value(8)
    guard version == Self.version else { throw Damage(reason: "is an overlay of version \(version); this program reads 1") }
    mediumSize = value(16)
    guard value(12, as: UInt32.self) == UInt32(Self.cluster), mediumSize <= Self.largestMedium else {
      throw Damage(reason: "the overlay's header makes no sense")
    }
    base = BaseIdentity(size: value(24), modified: value(32))
  }

  /// What tells this boot of the host from all others; nil: the host does not say.
  static var boot: [UInt8]? {
    let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    let file = StorageFile(adopting: descriptor)
    var bytes = [UInt8](repeating: 0, count: bootSize)
    guard let count = try? file.read(at: 0, into: &bytes, 0..<bootSize), count == bootSize else { return nil }
    return bytes
  }

  struct Damage: Error { var reason: String }
}

extension BaseIdentity {
  init(size: UInt64, modified: UInt64) { (self.size, self.modified) = (size, modified) }
}
