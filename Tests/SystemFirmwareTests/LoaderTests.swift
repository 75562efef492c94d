import CZlib
import Foundation
import Loading
import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// What is not a kernel: each defect has its reason, and nothing else happens.
@Suite("Kernel files", .ends(withinMinutes: 5)) struct LoaderTests {
  private func load(_ bytes: [UInt8], limit: UInt64 = 64 << 20) -> Result<KernelImage, ImageError> {
    Result { () throws(ImageError) in try KernelImage.load(bytes: bytes, file: "kernel", limit: limit) }
  }

  private func reason(_ image: TestImage) -> ImageError.Reason? { reason(image.bytes) }
  private func reason(_ bytes: [UInt8], limit: UInt64 = 64 << 20) -> ImageError.Reason? {
    if case .failure(let error) = load(bytes, limit: limit) { return error.reason }
    return nil
  }

  /// Why a kernel that can be read cannot be placed in 64 MiB.
  private func refusal(_ image: TestImage) throws -> ImageError.Reason? {
    do {
      _ = try FirmwareBench(memorySize: 64 << 20, kernel: image.bytes)
      return nil
    } catch BootError.image(let error) { return error.reason }
  }

  @Test func goodImage() throws {
    let image = try load(TestImage().bytes).get()
    #expect(image.program.entry == 0x100_0000)
    #expect(image.program.segments.count == 1)
    #expect(image.program.segments[0].contents.count == 64)
    #expect(try refusal(TestImage()) == nil)
  }

  @Test func otherFiles() {
    #expect(reason([0x7F]) == .notELF)
    #expect(reason(Array("#!/bin/sh\n".utf8) + [UInt8](repeating: 0, count: 100)) == .notELF)
    #expect(reason(TestImage(elfClass: 1)) == .wrongClass)
    #expect(reason(TestImage(byteOrder: 2)) == .wrongByteOrder)
    for machine in [0, 3, 62, 183, 0xFFFF] as [UInt16] { #expect(reason(TestImage(machine: machine)) == .wrongMachine(machine)) }
    for type in [0, 1, 3, 4, 0xFFFF] as [UInt16] { #expect(reason(TestImage(type: type)) == .wrongType(type)) }
  }

  /// Every length short of the whole is refused.
  @Test func truncation() {
    let bytes = TestImage(segments: [TestImage.Segment(), TestImage.Segment(address: 0x110_0000)]).bytes
    for length in 0..<bytes.count { #expect(reason(Array(bytes.prefix(length))) != nil, "\(length) bytes") }
    #expect(reason(bytes) == nil)
  }

  @Test func headers() {
    #expect(reason(TestImage(headerCount: 0)) == .noLoadableSegment)
    #expect(reason(TestImage(segments: [TestImage.Segment(type: 4)])) == .noLoadableSegment)
    #expect(reason(TestImage(segments: [TestImage.Segment(fileSize: 0, memorySize: 0)])) == .noLoadableSegment)
    for count in [3, 513, 60_000, 0xFFFE, 0xFFFF] as [UInt16] { #expect(reason(TestImage(headerCount: count)) != nil) }
    for offset in [65, 1 << 20, 1 << 40, 1 << 63, UInt64.max, UInt64.max - 55] as [UInt64] {
      #expect(reason(TestImage(headerOffset: offset)) != nil, "\(offset)")
    }
    for size in [0, 1, 55, 57, 0xFFFF] as [UInt16] { #expect(reason(TestImage(headerSize: size)) != nil, "\(size)") }
  }

  @Test func segments() {
    typealias Segment = TestImage.Segment
    let bad = [
      Segment(offset: 1 << 40), Segment(offset: .max), Segment(fileSize: 1 << 40), Segment(fileSize: .max),
      Segment(offset: 100, fileSize: .max - 50), Segment(fileSize: 64, memorySize: 63), Segment(address: .max - 10),
      Segment(address: 0x100_0000, memorySize: .max - 100),
    ]
    for segment in bad { #expect(reason(TestImage(segments: [segment])) != nil, "\(segment)") }
  }

  @Test func placement() throws {
    typealias Segment = TestImage.Segment
    func at(_ address: UInt64, _ size: UInt64 = 64) -> TestImage {
      TestImage(entry: address, segments: [Segment(address: address, memorySize: size)])
    }
    // Outside memory, across its end, in the firmware, above all addresses.
    for (address, size) in [
      (0x400_0000, 64), (0x3FF_FFF0, 64), (0x100_0000, 1 << 40), (0xFF00_0000, 64), (1 << 50, 64), (0xFEC0_0000, 64), (1 << 63, 64),
      (0x100_0000, 1 << 62),
    ] as [(UInt64, UInt64)] {
      #expect(try refusal(at(address, size)) == .outsideMemory(address: address, size: size))
    }
    #expect(throws: BootError.overlapsBootData("kernel")) { try FirmwareBench(memorySize: 64 << 20, kernel: at(0x8000).bytes) }
    #expect(try refusal(at(0x1_0000)) == nil)
    // The entry point is in no segment.
    for entry in [0, 0x100_0040, 0xFF_FFF0, UInt64.max] as [UInt64] {
      #expect(try refusal(TestImage(entry: entry)) == .outsideMemory(address: entry, size: 16))
    }
    // Segments on each other.
    let pair = TestImage(segments: [Segment(memorySize: 0x2000), Segment(address: 0x100_1FFF)])
    #expect(try refusal(pair) == .overlappingSegments(address: 0x100_1FFF))
    #expect(try refusal(TestImage(segments: [Segment(memorySize: 0x1FFF), Segment(address: 0x100_1FFF)])) == nil)
  }

  /// A segment as large as the memory costs address space only.
  @Test func hugeSegment() throws {
    let image = TestImage(segments: [TestImage.Segment(memorySize: (1 << 40) - 0x200_0000 - (2 << 30))])
    var high = image
    high.segments[0].address = 0x1_0000_0000
    high.entry = 0x1_0000_0000
    let bench = try FirmwareBench(memorySize: 1 << 40, kernel: high.bytes)
    try bench.firmware.reset()
    #expect(bench.firmware.gate(Gate.powerOn, processor: bench.processor) == .proceed)
  }

  @Test func initialRAMDisk() throws {
    #expect(throws: BootError.initrdDoesNotFit(bytes: 64 << 20)) {
      try FirmwareBench(memorySize: 64 << 20, initrd: [UInt8](repeating: 1, count: 64 << 20))
    }
    // Fits, but only below the kernel.
    let kernel = TestImage(entry: 0x300_0000, segments: [TestImage.Segment(address: 0x300_0000, memorySize: 0xF0_0000)])
    let disk = [UInt8](repeating: 0xD1, count: 20 << 20)
    let bench = try FirmwareBench(memorySize: 64 << 20, kernel: kernel.bytes, initrd: disk)
    let address = try bench.u64(bench.parameters + 64)
    #expect(address + UInt64(disk.count) <= 0x300_0000)
    #expect(try bench.bytes(address, disk.count) == disk)
    // An empty one is none.
    #expect(try FirmwareBench(initrd: []).u64(0x1000 + 72) == 0)
  }

  @Test func commandLine() throws {
    let longest = String(repeating: "x", count: 8191)
    #expect(try FirmwareBench(commandLine: longest).string(0x2000, 9000) == longest)
    #expect(throws: BootError.commandLineTooLong(8192)) { try FirmwareBench(commandLine: longest + "x") }
  }

  // MARK: gzip

  @Test func compressed() throws {
    let bytes = TestImage().bytes
    let packed = Gzip.compress(bytes)
    #expect(try load(packed).get().program.segments.count == 1)
    // What follows the last member is ignored, members follow each other.
    #expect(reason(packed + [0, 0, 0]) == nil)
    #expect(reason(Gzip.compress(Array(bytes.prefix(70))) + Gzip.compress(Array(bytes.dropFirst(70)))) == nil)
    for length in 2..<packed.count { #expect(reason(Array(packed.prefix(length))) != nil, "\(length) bytes") }
    #expect(reason(Gzip.compress(Array("text".utf8))) == .notELF)
    #expect(reason([0x1F, 0x8B] + [UInt8](repeating: 0x55, count: 100)) != nil)
    var damaged = packed
    damaged[damaged.count - 6] ^= 1
    guard case .badGzip = reason(damaged) else {
      Issue.record("a wrong checksum was accepted")
      return
    }
  }

  /// Some hundred kilobytes of gzip that stand for a quarter of a gigabyte. Zeros are not an executable: given up at once. Zeros behind an ELF header: given
  /// up at the limit.
  @Test func bombs() {
    let zeros = Gzip.bomb(prefix: [], megabytes: 256)
    #expect(zeros.count < 1 << 20)
    #expect(reason(zeros, limit: 1 << 30) == .notELF)
    let kernel = Gzip.bomb(prefix: TestImage().bytes, megabytes: 65)
    #expect(reason(kernel, limit: 64 << 20) == .decompressedTooLarge(limit: 64 << 20))
  }
}

/// Compressed files, by zlib.
enum Gzip {
  static func compress(_ bytes: [UInt8]) -> [UInt8] { stream { $0(bytes) } }

  /// `prefix`, and zeros.
  static func bomb(prefix: [UInt8], megabytes: Int) -> [UInt8] {
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    return stream { put in
      put(prefix)
      for _ in 0..<megabytes { put(zeros) }
    }
  }

  private static func stream(_ fill: (([UInt8]) -> Void) -> Void) -> [UInt8] {
    var z = z_stream()
    guard deflateInit2_(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      return []
    }
    defer { deflateEnd(&z) }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    func run(_ input: [UInt8], _ flush: Int32) {
      var input = input
      input.withUnsafeMutableBufferPointer { source in
        z.next_in = source.baseAddress
        z.avail_in = UInt32(source.count)
        repeat {
          buffer.withUnsafeMutableBufferPointer { target in
            z.next_out = target.baseAddress
            z.avail_out = UInt32(target.count)
            deflate(&z, flush)
          }
          output += buffer[0..<(buffer.count - Int(z.avail_out))]
        } while z.avail_out == 0
      }
    }
    fill { run($0, Z_NO_FLUSH) }
    run([], Z_FINISH)
    return output
  }
}
