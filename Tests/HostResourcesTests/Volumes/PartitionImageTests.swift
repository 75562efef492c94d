import Foundation
import HostResources
import TestSupport
import Testing

/// Partitions of a volume that several have open.
@Suite(.ends(withinMinutes: 5)) struct PartitionImageTests {
  let folder: StorageFolder
  init() throws { folder = try StorageFolder() }

  /// A table of the kind that IBM's and Microsoft's DOS wrote: entries at 446, type at 4, start and count at 8 and 12, 55 AA at 510.
  private func table(_ entries: [(type: UInt8, start: Int, count: Int)]) -> [UInt8] {
    var sector = [UInt8](repeating: 0, count: 512)
    for (n, entry) in entries.enumerated() {
      sector[446 + 16 * n + 4] = entry.type
      for byte in 0..<4 {
        sector[446 + 16 * n + 8 + byte] = UInt8(truncatingIfNeeded: entry.start >> (8 * byte))
        sector[446 + 16 * n + 12 + byte] = UInt8(truncatingIfNeeded: entry.count >> (8 * byte))
      }
    }
    (sector[510], sector[511]) = (0x55, 0xAA)
    return sector
  }

  /// 1: 8 sectors at 8; 2: overlaps it by one; 3: extended, with 5 and 6; 4: begins with the table.
  private func volume() throws -> String {
    var bytes = pattern(128 * 512)
    bytes.replaceSubrange(0..<512, with: table([(0x83, 8, 8), (0x83, 15, 4), (0x05, 32, 64), (0x83, 0, 4)]))
    bytes.replaceSubrange(32 * 512..<33 * 512, with: table([(0x83, 4, 8), (0x05, 32, 32)]))
    bytes.replaceSubrange(64 * 512..<65 * 512, with: table([(0x83, 8, 16)]))
    return try folder.write("disk", bytes)
  }

  private func open(_ text: String) throws -> OpenDisk { try OpenDisk(DiskSpecification(parsing: text)) }

  @Test func byNumber() throws {
    let path = try volume()
    for (number, start, count) in [(1, 8, 8), (5, 36, 8), (6, 72, 16)] {
      let disk = try open("\(path),partition=\(number)")
      #expect(disk.storage.size == UInt64(count * 512))
      try disk.storage.put(512, pattern(512, number + 40))
      #expect(throws: StorageFailure.outside) { try disk.storage.put(UInt64(count * 512), pattern(512)) }
      try disk.finish()
      #expect(try Array(folder.read("disk")[(start + 1) * 512..<(start + 2) * 512]) == pattern(512, number + 40))
    }
    #expect(problem { _ = try open("\(path),partition=3") } == "\(path): there is no partition 3; there are 1, 2, 4, 5, 6")
    #expect(problem { _ = try open("\(path),partition=4") } == "\(path): partition 4 covers the partition table itself")
    let empty = try folder.write("empty", [UInt8](repeating: 0, count: 4096))
    #expect(problem { _ = try open("\(empty),partition=1") } == "\(empty): has no partition table")
  }

  /// Locks of one process's descriptors exclude each other as those of two processes do.
  @Test func together() throws {
    let path = try volume()
    let one = try open("\(path),partition=1")
    let five = try open("\(path),partition=5")
    #expect(problem { _ = try open("\(path),partition=1") } == "\(path): partition 1, or one that overlaps it, is in use")
    #expect(problem { _ = try open("\(path),partition=2") } == "\(path): partition 2, or one that overlaps it, is in use")
    #expect(problem { _ = try open("\(path),partition=1,readonly") } == "\(path): partition 1, or one that overlaps it, is in use")
    // All of it is not to be had; nor a part of what somebody has all of.
    #expect(problem { _ = try open(path) } == "\(path): is in use by another process")
    #expect(problem { _ = try open("\(path),readonly") } == "\(path): is in use by another process, which writes it")
    withExtendedLifetime((one, five)) {}
  }

  @Test func readersTogether() throws {
    let path = try volume()
    do {
      let readers = [
        try open("\(path),partition=1,readonly"), try open("\(path),partition=2,snapshot=on"), try open("\(path),readonly"),
      ]
      #expect(problem { _ = try open("\(path),partition=5") } == "\(path): is in use by another process")
      withExtendedLifetime(readers) {}
    }
    do {
      let readers = [try open("\(path),partition=1,readonly"), try open("\(path),partition=2,readonly")]
      #expect(try readers[1].storage.bytes(0, 512) == readers[0].storage.bytes(7 * 512, 512))
      let writer = try open("\(path),partition=5")
      #expect(problem { _ = try open("\(path),partition=2") } == "\(path): partition 2, or one that overlaps it, is in use")
      withExtendedLifetime((readers, writer)) {}
    }
    let whole = try open("\(path),snapshot=on")
    withExtendedLifetime(whole) {}
  }

  @Test func wholeExcludesParts() throws {
    let path = try volume()
    let whole = try open("\(path),format=raw")
    #expect(problem { _ = try open("\(path),partition=1") } == "\(path): is in use by another process")
    #expect(problem { _ = try open("\(path),partition=1,readonly") } == "\(path): is in use by another process, which writes it")
    withExtendedLifetime(whole) {}
  }

  @Test(.enabled(if: Tool.sgdisk.shouldRun, Tool.sgdisk.advice)) func gpt() throws {
    let path = try folder.write("gpt", [UInt8](repeating: 0, count: 8 << 20))
    #expect(try Tool.sgdisk.run(["--new=1:2048:+1M", "--new=7:3M:+2M", path]).status == 0)
    let disk = try open("\(path),partition=7")
    #expect(disk.storage.size == 2 << 20)
    try disk.storage.put(0, pattern(512))
    #expect(try Array(folder.read("gpt")[3 << 20..<(3 << 20) + 512]) == pattern(512))
    #expect(problem { _ = try open("\(path),partition=2") } == "\(path): there is no partition 2; there are 1, 7")
  }
}
