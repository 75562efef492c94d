/// A partition of a volume: several machines, or several programs, use one volume at the same time.
public final class PartitionImage: BlockStorage {
  private let range: MediumRange
  /// Its entry in the partition table.
  public let partition: Partition

  public var size: UInt64 { range.size }
  public var isReadOnly: Bool { range.storage.isReadOnly }

  /// `name`: the volume's, for messages. A ``RawImage`` that is shared is asked for the partition's bytes, so that nobody else has an
  /// overlapping one; other kinds of volumes have one user, who has them whole.
  public init(_ number: Int, of volume: any BlockStorage, name: String) throws(StorageProblem) {
    let medium = MediumRange(volume)
    let all = Partition.inTable(of: medium)
    guard let partition = all.first(where: { $0.number == number }) else {
      let list = all.map { "\($0.number)" }.joined(separator: ", ")
      throw StorageProblem(
        name,
        all.isEmpty ? "has no partition table" : "there is no partition \(number); there \(all.count == 1 ? "is" : "are") \(list)")
    }
    guard !Self.holdsTable(partition, on: medium) else {
      throw StorageProblem(name, "partition \(number) covers the partition table itself")
    }
    self.partition = partition
    range = partition.range(of: medium)
    guard (volume as? RawImage)?.claim(range.offset..<range.offset + range.size) ?? true else {
      throw StorageProblem(name, "partition \(number), or one that overlaps it, is in use")
    }
  }

  /// UEFI specification, section 5.3.1: a header in its sector and at least 16 KiB of entries, at both ends of the disk.
  private static func holdsTable(_ partition: Partition, on medium: MediumRange) -> Bool {
    guard case .gpt = partition.kind else { return partition.start == 0 }
    let sectors = medium.size / UInt64(BlockSize.sector)
    return partition.start < 34 || partition.start + partition.count > max(33, sectors) - 33
  }

  public func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
    try range.read(at: offset, into: buffer)
  }
  public func write(at offset: UInt64, from buffer: UnsafeRawBufferPointer) throws(StorageFailure) {
    guard !isReadOnly else { throw .readOnly }
    try range.write(at: offset, from: buffer)
  }
  public func flush() throws(StorageFailure) { try range.storage.flush() }
}
