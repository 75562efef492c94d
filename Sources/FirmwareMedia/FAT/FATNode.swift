/// Where a file's short directory entry is: enough to find it again, whatever has been written to it since.
public struct FATLocation: Hashable, Sendable, Codable {
  /// First cluster of the directory; 0: the root directory.
  public var directory: UInt32
  /// Byte offset of the short entry in it; nil: the root directory itself.
  public var offset: Int?

  public static let root = FATLocation(directory: 0, offset: nil)
}

/// A time as directory entries have it.
public struct FATTime: Hashable, Sendable, Codable {
  public var year: Int
  public var month: Int
  public var day: Int
  public var hour: Int
  public var minute: Int
  public var second: Int

  public init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    (self.year, self.month, self.day, self.hour, self.minute, self.second) = (year, month, day, hour, minute, second)
  }

  init(date: UInt16, time: UInt16) {
    year = 1980 + Int(date >> 9)
    month = Int(date >> 5 & 0xF)
    day = Int(date & 0x1F)
    hour = Int(time >> 11)
    minute = Int(time >> 5 & 0x3F)
    second = Int(time & 0x1F) * 2
  }

  var date: UInt16 {
    let year = UInt16(min(max(self.year, 1980), 2107) - 1980)
    return year << 9 | UInt16(min(max(month, 1), 12)) << 5 | UInt16(min(max(day, 1), 31))
  }
  var time: UInt16 {
    UInt16(min(max(hour, 0), 23)) << 11 | UInt16(min(max(minute, 0), 59)) << 5 | UInt16(min(max(second, 0), 59) / 2)
  }
}

/// Attributes of a directory entry.
public enum FATAttribute {
  public static let readOnly: UInt8 = 0x01
  public static let hidden: UInt8 = 0x02
  public static let system: UInt8 = 0x04
  public static let volumeLabel: UInt8 = 0x08
  public static let directory: UInt8 = 0x10
  public static let archive: UInt8 = 0x20
  static let longName: UInt8 = 0x0F
}

/// A file or directory.
public struct FATNode: Hashable, Sendable {
  public internal(set) var location: FATLocation
  public internal(set) var name: [UInt16]
  public internal(set) var attributes: UInt8
  public internal(set) var firstCluster: UInt32
  public internal(set) var size: UInt32
  public internal(set) var created: FATTime
  public internal(set) var accessed: FATTime
  public internal(set) var modified: FATTime
  /// Byte offset of the first entry that belongs to it: long entries precede the short one.
  var start: Int

  public var isDirectory: Bool { attributes & FATAttribute.directory != 0 }
  public var isRoot: Bool { location.offset == nil }
}
