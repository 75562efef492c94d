import CZlib

/// The GUID partition table (UEFI specification, chapter 5): a header and its copy at the end of the disk, each with its own array of
/// entries, all of them with checksums.
enum GPT {
  private static let signature: UInt64 = 0x5452_4150_2049_4645
  private static let largestArray = 1 << 20

  /// The partitions; nil if neither table is whole.
  static func read(_ medium: MediumRange) -> [Partition]? {
    let sectors = medium.size / 512
    guard sectors > 2, let first = try? medium.read(at: 0, count: 512), MBR.isProtective(first) else { return nil }
    return table(medium, at: 1, sectors) ?? table(medium, at: sectors - 1, sectors)
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
  }

  private static func table(_ medium: MediumRange, at sector: UInt64, _ sectors: UInt64) -> [Partition]? {
    guard let header = try? medium.read(at: sector * 512, count: 512), header.littleEndian(0, UInt64.self) == signature else {
      return nil
    }
    let size = Int(header.littleEndian(12, UInt32.self))
    guard 92...512 ~= size else { return nil }
    var summed = Array(header[0..<size])
    summed.setLittleEndian(16, UInt32(0))
    let count = Int(header.littleEndian(80, UInt32.self))
    let stride = Int(header.littleEndian(84, UInt32.self))
    let array: UInt64 = header.littleEndian(72)
    guard crc(summed) == header.littleEndian(16, UInt32.self), header.littleEndian(24, UInt64.self) == sector,
      stride >= 128, stride <= 4096, stride.nonzeroBitCount == 1, count <= largestArray / stride, array < sectors,
      let entries = try? medium.read(at: array * 512, count: count * stride), crc(entries) == header.littleEndian(88, UInt32.self)
    else { return nil }
    return (0..<count).compactMap { n in
      let offset = n * stride
      let type = Array(entries[offset..<offset + 16])
      let start: UInt64 = entries.littleEndian(offset + 32)
      let last: UInt64 = entries.littleEndian(offset + 40)
      guard type.contains(where: { $0 != 0 }), start <= last, last < sectors else { return nil }
      return Partition(
        kind: .gpt(type: type, identifier: Array(entries[offset + 16..<offset + 32])), number: UInt32(n + 1), start: start,
        count: last - start + 1, blockSize: 512)
    }
  }
}
