import Loading
import Processor

/// A kernel to boot: an ELF executable, possibly compressed with gzip.
public struct KernelImage: Sendable {
  /// The name that errors mention.
  public let file: String
  public private(set) var program: ELFProgram
  /// The file, if it was compressed: then the contents of ``program`` can be had again.
  private var compressed: [UInt8]?
  private var isHollow = false

  /// No kernel is larger; a file that decompresses to more is damaged, or made to fill the host's memory.
  static let largestFile: UInt64 = 1 << 30

  public init(file: String, program: ELFProgram) {
    self.file = file
    self.program = program
  }

  /// Reads a kernel; neither the file nor what it decompresses to may exceed `limit` bytes (the machine's memory).
  public static func load(path: String, limit: UInt64) throws(ImageError) -> KernelImage {
    try load(bytes: HostFile.read(path, limit: min(limit, largestFile)), file: path, limit: limit)
  }

  public static func load(bytes: [UInt8], file: String, limit: UInt64) throws(ImageError) -> KernelImage {
    let program = try ELFProgram(compressedOrNot: bytes, limit: min(limit, largestFile), file: file)
    guard !program.isPositionIndependent else { throw ImageError(file: file, reason: .wrongType(3)) }
    var image = KernelImage(file: file, program: program)
    if GzipReader.isGzip(bytes) { image.compressed = bytes }
    return image
  }

  /// Fails if a segment or the entry point is not in `memory`, or a segment lies in the firmware's part of it or on another segment.
  func validate(in memory: any GuestMemory) throws(ImageError) {
    for segment in program.segments {
      let end = segment.physicalAddress + segment.memorySize
      let hitsFirmware = segment.physicalAddress < FirmwareLayout.end && end > FirmwareLayout.base
      guard segment.memorySize <= UInt64(Int.max), !hitsFirmware,
        memory.isRAM(segment.physicalAddress, count: segment.memorySize)
      else {
        throw ImageError(
          file: file, reason: .outsideMemory(address: segment.physicalAddress, size: segment.memorySize))
      }
    }
    let sorted = program.segments.sorted { $0.physicalAddress < $1.physicalAddress }
    for (lower, upper) in zip(sorted, sorted.dropFirst())
    where lower.physicalAddress + lower.memorySize > upper.physicalAddress {
      throw ImageError(file: file, reason: .overlappingSegments(address: upper.physicalAddress))
    }
    guard
      program.segments.contains(where: {
        program.entry >= $0.physicalAddress
          && program.entry - $0.physicalAddress < $0.memorySize
      })
    else { throw ImageError(file: file, reason: .outsideMemory(address: program.entry, size: 16)) }
  }

  /// Copies the segments to their physical addresses and clears what the file does not provide.
  func place(in memory: any GuestMemory) {
    for segment in filled.segments {
      segment.contents.withUnsafeBytes { _ = memory.write(segment.physicalAddress, $0) }
      let provided = UInt64(segment.contents.count)
      memory.clear(segment.physicalAddress + provided, count: segment.memorySize - provided)
    }
  }

  /// Gives back what the segments hold, some 20 megabytes for a Linux, if it can be had again: between resets nobody needs it.
  mutating func hollow() {
    guard compressed != nil, !isHollow else { return }
    for index in program.segments.indices { program.segments[index].contents = [] }
    isHollow = true
  }

  private var filled: ELFProgram {
    guard isHollow, let compressed else { return program }
    do throws(ImageError) {
      return try ELFProgram(compressedOrNot: compressed, limit: Self.largestFile, file: file)
    } catch { preconditionFailure("a kernel that could be read cannot be read again: \(error)") }
  }
}
