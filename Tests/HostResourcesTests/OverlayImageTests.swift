import Foundation
import HostResources
import StorageTestSupport
import Testing

@Suite struct OverlayImageTests {
  let folder: StorageFolder
  let basePath: String
  static let size = 300 * 4096 + 512
  private static let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 7

  init() throws {
    folder = try StorageFolder()
    basePath = try folder.write("base", pattern(Self.size))
  }

  private func base() throws -> RawImage { try RawImage(path: basePath, readOnly: true) }
  private func overlay(_ name: String = "overlay") throws -> OverlayImage {
    try OverlayImage(path: folder.path(name), on: base(), identity: #require(BaseIdentity(path: basePath)))
  }

  /// Random requests against an array.
  private func exercise(_ image: OverlayImage, _ model: inout [UInt8], _ random: inout StorageRandom, rounds: Int) throws {
    for _ in 0..<rounds {
      let first = random.below(Self.size / 512)
      let count = 1 + random.below(min(40, Self.size / 512 - first))
      let range = first * 512..<(first + count) * 512
      if random.below(2) == 0 {
        let data = pattern(range.count, Int(random.next() & 0xFF))
        try image.put(UInt64(range.lowerBound), data)
        model.replaceSubrange(range, with: data)
      } else {
        #expect(try image.bytes(UInt64(range.lowerBound), range.count) == Array(model[range]), "seed \(Self.seed)")
      }
    }
  }

  @Test func keepsWhatIsWritten() throws {
    var model = pattern(Self.size)
    var random = StorageRandom(state: Self.seed)
    for _ in 0..<4 {
      let image = try overlay()
      #expect(image.size == UInt64(Self.size))
      #expect(try image.bytes(0, Self.size) == model)
      try exercise(image, &model, &random, rounds: 60)
    }
    #expect(try overlay().bytes(0, Self.size) == model)
    #expect(try folder.read("base") == pattern(Self.size))
  }

  @Test func temporary() throws {
    var model = pattern(Self.size)
    var random = StorageRandom(state: Self.seed &+ 1)
    let image = try OverlayImage(temporaryOn: base())
    try exercise(image, &model, &random, rounds: 300)
    #expect(try image.bytes(0, Self.size) == model)
    #expect(try folder.read("base") == pattern(Self.size))
  }

  /// The file as a crash of the host would leave it: all that was flushed is there, and elsewhere each cluster is the base's.
  @Test func hostCrash() throws {
    let image = try overlay()
    try image.put(4096, pattern(8192, 50))
    try image.flush()
    try image.put(4096 * 10, pattern(4096, 60))
    try image.put(4096 * 20 + 512, pattern(512, 70))
    var file = try folder.read("overlay")
    // Another boot of the host: offset 64 of the header.
    file[64] ^= 1
    _ = try folder.write("crashed", file)
    let crashed = try overlay("crashed")
    #expect(try crashed.bytes(4096, 8192) == pattern(8192, 50))
    #expect(try crashed.bytes(4096 * 20, 4096) == Array(pattern(Self.size)[4096 * 20..<4096 * 21]))
    // Half of a cluster is written over it: the rest must come from the base, not from what the crash left.
    try crashed.put(4096 * 10, pattern(512, 80))
    #expect(try crashed.bytes(4096 * 10 + 512, 3584) == Array(pattern(Self.size)[4096 * 10 + 512..<4096 * 11]))
    withExtendedLifetime(image) {}
  }

  /// The file as the writer's death would leave it: everything is there, and stays there once it is flushed.
  @Test func killed() throws {
    let image = try overlay()
    try image.put(4096 * 10, pattern(4096, 60))
    try image.put(4096 * 20 + 512, pattern(512, 70))
    _ = try folder.write("killed", try folder.read("overlay"))
    try overlay("killed").flush()
    var file = try folder.read("killed")
    file[64] ^= 1
    _ = try folder.write("later", file)
    let later = try overlay("later")
    #expect(try later.bytes(4096 * 10, 4096) == pattern(4096, 60))
    #expect(try later.bytes(4096 * 20 + 512, 512) == pattern(512, 70))
    #expect(try later.bytes(4096 * 20, 512) == Array(pattern(Self.size)[4096 * 20..<4096 * 20 + 512]))
    withExtendedLifetime(image) {}
  }

  @Test func baseThatChanged() throws {
    _ = try overlay()
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: basePath))
    try handle.write(contentsOf: [1])
    try handle.close()
    #expect(problem { _ = try overlay() }.contains("its base has been changed"))
  }

  @Test func locks() throws {
    let image = try overlay()
    #expect(problem { _ = try overlay() }.hasSuffix("is in use by another process"))
    // The base is only read: others may do so, but not write it.
    #expect(problem { _ = try RawImage(path: basePath) }.hasSuffix("is in use by another process"))
    _ = try base()
    withExtendedLifetime(image) {}
  }

  /// Whatever is done to the file: a clear refusal, or an overlay.
  @Test func damage() throws {
    try overlay().put(0, pattern(512))
    let good = try folder.read("overlay")
    func open(_ bytes: [UInt8]) throws -> String {
      _ = try folder.write("damaged", bytes)
      return problem { _ = try overlay("damaged").bytes(0, Self.size) }
    }
    #expect(try open(good) == "")
    #expect(try open([]).hasSuffix("is not an overlay"))
    #expect(try open(pattern(5000)).hasSuffix("is not an overlay"))
    #expect(try open(Array(good.dropLast())).hasSuffix("has been cut off"))
    for offset in 0..<48 {
      var bytes = good
      bytes[offset] ^= 0x10
      #expect(try open(bytes).contains(offset < 8 ? "is not an overlay" : "header is damaged"), "\(offset)")
    }
    var random = StorageRandom(state: Self.seed)
    for _ in 0..<50 {
      var bytes = Array(good.prefix(random.below(good.count)))
      for _ in 0..<4 where !bytes.isEmpty { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
      #expect(try open(bytes) != "")
    }
  }
}
