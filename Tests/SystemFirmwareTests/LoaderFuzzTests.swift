import Foundation
import Loading
import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// Damaged kernels, by the thousand: every one is refused or placed, and nothing crashes, hangs, or fills the host's memory.
/// EPICURE_FUZZ_CASES: how many; EPICURE_FUZZ_SEED: another beginning.
@Suite("Kernel files, damaged", .ends(withinMinutes: 5)) struct LoaderFuzzTests {
  private static func setting(_ name: String, _ otherwise: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? otherwise
  }
  private static let seed = setting("EPICURE_FUZZ_SEED", 0xF0_22)
  private static let cases = Int(setting("EPICURE_FUZZ_CASES", 4000))

  /// Values that arithmetic goes wrong with.
  private static let edges: [UInt64] = [
    0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 1 << 50, .max >> 1,
    1 << 63,
    .max - 63, .max,
  ]

  /// A few changes in the first `reach` bytes or anywhere, or another length.
  private static func damage(_ bytes: [UInt8], reach: Int, _ random: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.next() % 4 {
      guard !bytes.isEmpty else { return bytes }
      let limit = random.next() % 4 != 0 ? min(reach, bytes.count) : bytes.count
      let position = Int(random.next() % UInt64(limit))
      switch random.next() % 8 {
      case 0, 1: bytes[position] ^= 1 << UInt8(random.next() % 8)
      case 2: bytes[position] = UInt8(truncatingIfNeeded: random.next())
      case 3: bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
      case 4:
        let other = Int(random.next() % UInt64(bytes.count))
        bytes.swapAt(position, other)
      default:
        // A field of 2, 4 or 8 bytes, where such fields are.
        let size = [2, 4, 8][Int(random.next() % 3)]
        let start = position & ~(size - 1)
        let value = edges[Int(random.next() % UInt64(edges.count))]
        for n in 0..<size where start + n < bytes.count { bytes[start + n] = UInt8(truncatingIfNeeded: value >> UInt64(8 * n)) }
      }
    }
    return bytes
  }

  private static let image: TestImage = {
    typealias Segment = TestImage.Segment
    return TestImage(segments: [
      Segment(memorySize: 0x3000), Segment(address: 0x110_0000, contents: Array(repeating: 0xA5, count: 300)),
      Segment(type: 0x6474_E551),
      Segment(type: 3, contents: Array("/lib/ld.so\0".utf8)),
    ])
  }()

  /// What must hold of everything that is accepted.
  private func check(_ program: ELFProgram, size: Int, _ name: @autoclosure () -> String) {
    for segment in program.segments {
      #expect(UInt64(segment.contents.count) <= segment.memorySize, "\(name())")
      #expect(segment.contents.count <= size, "\(name())")
      #expect(!segment.physicalAddress.addingReportingOverflow(segment.memorySize).overflow, "\(name())")
    }
  }

  @Test func smallImages() throws {
    var random = SplitMix(state: Self.seed)
    let bench = try FirmwareBench(memorySize: 64 << 20)
    let plain = Self.image.bytes
    let packed = Gzip.compress(plain)
    var booted = 0
    for round in 0..<Self.cases {
      let compressed = round % 4 == 3
      let bytes = Self.damage(compressed ? packed : plain, reach: compressed ? packed.count : 64 + 4 * 56, &random)
      guard let kernel = try? KernelImage.load(bytes: bytes, file: "kernel", limit: 64 << 20) else { continue }
      check(kernel.program, size: 64 << 20, "seed \(Self.seed), round \(round)")
      guard (try? bench.firmware.boot(kernel: kernel, initrd: [1, 2, 3])) != nil else { continue }
      booted += 1
      #expect(bench.firmware.gate(Gate.powerOn, processor: bench.processor) == .proceed, "seed \(Self.seed), round \(round)")
      let map = try bench.memoryMap()
      for (lower, upper) in zip(map, map.dropFirst()) { #expect(lower.end <= upper.start, "seed \(Self.seed), round \(round)") }
    }
    // The damage is not so heavy that nothing gets through.
    #expect(booted > Self.cases / 50)
  }

  private static let guests = ProcessInfo.processInfo.environment["EPICURE_GUEST_CACHE"]
  private static let mustRun = ProcessInfo.processInfo.environment["CI"] == "true"

  @Test(.enabled(if: mustRun || guests != nil, "no guests; `make guests` and EPICURE_GUEST_CACHE=FOLDER make this run"))
  func realKernel() throws {
    let path = "\(try #require(Self.guests))/linux-6.1/vmlinux.gz"
    let packed = try HostFile.read(path, limit: 1 << 30)
    let plain = try GzipReader.decompress(packed, limit: 1 << 30, file: path)
    var random = SplitMix(state: Self.seed ^ 1)
    for round in 0..<min(Self.cases / 40, 20_000) {
      let bytes = Self.damage(plain, reach: 512, &random)
      if let kernel = try? KernelImage.load(bytes: bytes, file: "kernel", limit: 1 << 30) {
        check(kernel.program, size: bytes.count, "seed \(Self.seed), round \(round)")
      }
    }
    for round in 0..<min(Self.cases / 400, 2000) {
      let bytes = Self.damage(packed, reach: packed.count, &random)
      if let kernel = try? KernelImage.load(bytes: bytes, file: "kernel", limit: 1 << 30) {
        check(kernel.program, size: plain.count, "seed \(Self.seed), compressed round \(round)")
      }
    }
  }
}
