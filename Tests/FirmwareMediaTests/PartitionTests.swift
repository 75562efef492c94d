import FirmwareMedia
import Foundation
import HostResources
import TestSupport
import Testing

/// Partition tables against the tools that write them.
@Suite(.ends(withinMinutes: 5)) struct PartitionTests {
  private func partitions(_ bytes: [UInt8], blockSize: Int = 512) -> [Partition] {
    Partition.all(on: MediumRange(MemoryStorage(bytes)), blockSize: blockSize)
  }

  private static let megabyte = 2048 as UInt64

  private func gptDisk(_ place: borrowing WorkPlace) throws -> [UInt8] {
    try place.write("disk", [UInt8](repeating: 0, count: 40 << 20))
    try place.run(
      "sgdisk", "--new=1:2048:+8M", "--typecode=1:ef00", "--new=3:20M:+4M", "--typecode=3:8300",
      "--partition-guid=3:12345678-9ABC-DEF0-1122-334455667788", "disk")
    return try place.bytes("disk")
  }

  @Test(.enabled(if: isInstalled("sgdisk"), "gdisk: make test installs it"))
  func readsGPT() throws {
    let place = try WorkPlace()
    let list = partitions(try gptDisk(place))
    #expect(list.map(\.number) == [1, 3])
    #expect(list.map(\.start) == [2048, 20 * Self.megabyte])
    #expect(list.map(\.count) == [8 * Self.megabyte, 4 * Self.megabyte])
    // C12A7328-F81F-11D2-BA4B-00A0C93EC93B, as it lies on the disk (UEFI specification, table 5-7).
    guard case .gpt(let type, _)? = list.first?.kind, case .gpt(_, let identifier)? = list.last?.kind else {
      Issue.record("not GPT")
      return
    }
    #expect(type == [0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B])
    #expect(identifier == [0x78, 0x56, 0x34, 0x12, 0xBC, 0x9A, 0xF0, 0xDE, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88])
  }

  /// The backup serves when header or entries of the primary table are damaged; with both damaged nothing is believed.
  @Test(.enabled(if: isInstalled("sgdisk"), "gdisk: make test installs it"))
  func usesTheBackup() throws {
    let place = try WorkPlace()
    let good = try gptDisk(place)
    for damaged in [512 + 40, 512 + 16, 1024 + 33] {
      var bytes = good
      bytes[damaged] ^= 0x10
      #expect(partitions(bytes) == partitions(good))
      bytes[bytes.count - 512 + 40] ^= 1
      #expect(partitions(bytes).allSatisfy { if case .gpt = $0.kind { false } else { true } })
    }
  }

  @Test(.enabled(if: isInstalled("sfdisk"), "fdisk: make test installs it"))
  func readsMBR() throws {
    let place = try WorkPlace()
    try place.write("disk", [UInt8](repeating: 0, count: 40 << 20))
    try place.write(
      "script",
      Array(
        """
        label: dos
        label-id: 0xCAFE1234
        start=2048, size=8192, type=ef
        start=10240, size=4096, type=83
        start=20480, size=40960, type=5
        start=22528, size=2048, type=6
        start=30720, size=4096, type=83
        """.utf8))
    try place.run("sh", "-c", "sfdisk -q disk <script")
    let list = partitions(try place.bytes("disk"))
    #expect(list.map(\.number) == [1, 2, 5, 6])
    #expect(list.map(\.start) == [2048, 10240, 22528, 30720])
    #expect(list.map(\.count) == [8192, 4096, 2048, 4096])
    #expect(list.map(\.kind) == [0xEF, 0x83, 0x06, 0x83].map { .mbr(signature: 0xCAFE_1234, type: $0) })
  }

  @Test(.enabled(if: isInstalled("xorriso"), "xorriso: make test installs it"))
  func readsElTorito() throws {
    let place = try WorkPlace()
    let image = (0..<40_960).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try FileManager.default.createDirectory(atPath: place.file("tree"), withIntermediateDirectories: true)
    try place.write("tree/bios.img", [UInt8](repeating: 1, count: 2048))
    try place.write("tree/efi.img", image)
    try place.run(
      "xorriso", "-as", "mkisofs", "-quiet", "-b", "bios.img", "-no-emul-boot", "-boot-load-size", "4", "-eltorito-alt-boot", "-e",
      "efi.img", "-no-emul-boot", "-o", "disc", "tree")
    let bytes = try place.bytes("disc")
    let list = partitions(bytes, blockSize: 2048)
    #expect(list.map(\.kind) == [.bootImage(platform: 0), .bootImage(platform: 0xEF)])
    #expect(list.map(\.number) == [0, 1])
    let medium = MediumRange(MemoryStorage(bytes))
    #expect(try list[1].range(of: medium).read(at: 0, count: image.count) == image)
  }

  /// Hostile tables name only what is on the medium, and reading them ends.
  @Test func survivesDamage() throws {
    var random = SplitMix(state: Seed.value)
    var sector = [UInt8](repeating: 0, count: 512)
    (sector[510], sector[511]) = (0x55, 0xAA)
    for _ in 0..<300 {
      var disk = random.bytes(64 * 512)
      for table in [0, 10, 20, 30] {
        disk.replaceSubrange(table * 512..<table * 512 + 512, with: sector)
        for entry in 0..<4 {
          let offset = table * 512 + 446 + 16 * entry
          disk[offset + 4] = [0, 5, 0x0F, 0x83, 0xEE].randomElement(using: &random) ?? 0
          disk[offset + 8] = [0, 10, 20, 30, 0xFF].randomElement(using: &random) ?? 0
          disk[offset + 11] = Int.random(in: 0..<8, using: &random) == 0 ? 0xFF : 0
          disk[offset + 12] = UInt8.random(in: 0...255, using: &random)
        }
      }
      for partition in partitions(disk) {
        #expect(partition.start < 64 && partition.count <= 64 - partition.start, "seed \(Seed.value)")
      }
    }
  }
}
