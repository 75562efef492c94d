import Foundation
import HostResources
import Testing

@Suite struct RawImageTests {
  let folder: StorageFolder
  init() throws { folder = try StorageFolder() }

  @Test func readsAndWrites() throws {
    let path = try folder.write("disk", pattern(8192))
    do {
      let image = try RawImage(path: path)
      #expect(image.size == 8192 && !image.isReadOnly)
      #expect(try image.bytes(512, 1024) == Array(pattern(8192)[512..<1536]))
      try image.put(1024, pattern(512, 99))
      try image.flush()
      #expect(throws: StorageFailure.outside) { try image.bytes(8192, 512) }
      #expect(throws: StorageFailure.outside) { try image.bytes(.max, 512) }
      #expect(throws: StorageFailure.outside) { try image.put(7680, pattern(1024)) }
    }
    var expected = pattern(8192)
    expected.replaceSubrange(1024..<1536, with: pattern(512, 99))
    #expect(try folder.read("disk") == expected)
  }

  /// The rest of the last sector reads as zeros, and appears when the sector is written.
  @Test func oddTail() throws {
    let path = try folder.write("odd", pattern(1000))
    do {
      let image = try RawImage(path: path)
      #expect(image.size == 1024)
      #expect(try image.bytes(512, 512) == Array(pattern(1000)[512...]) + [UInt8](repeating: 0, count: 24))
    }
    #expect(try folder.read("odd").count == 1000)
    try RawImage(path: path).put(512, pattern(512, 5))
    #expect(try folder.read("odd") == Array(pattern(512)) + pattern(512, 5))
  }

  /// A file that was cut off under us does not turn into zeros.
  @Test func cutOff() throws {
    let path = try folder.write("cut", pattern(8192))
    let image = try RawImage(path: path)
    truncate(path, 4096)
    #expect(throws: StorageFailure.host(errno: EIO)) { try image.bytes(4096, 512) }
  }

  @Test func readOnly() throws {
    let path = try folder.write("ro", pattern(4096))
    let image = try RawImage(path: path, readOnly: true)
    #expect(image.isReadOnly)
    #expect(throws: StorageFailure.readOnly) { try image.put(0, pattern(512)) }
    try image.flush()
  }

  @Test func whatIsNoImage() throws {
    #expect(problem { _ = try RawImage(path: folder.path("none")) }.hasSuffix("cannot be opened: No such file or directory"))
    #expect(problem { _ = try RawImage(path: folder.url.path) }.hasSuffix("is neither a file nor a block device"))
    #expect(problem { _ = try RawImage(path: "/dev/zero") } == "/dev/zero: is neither a file nor a block device")
    let small = try folder.write("small", [1, 2, 3])
    #expect(problem { _ = try RawImage(path: small) } == "\(small): a disk has at least 512 bytes; this file has 3")
  }

  /// One writer, or any number of readers.
  @Test func locks() throws {
    let path = try folder.write("locked", pattern(4096))
    do {
      let writer = try RawImage(path: path)
      #expect(problem { _ = try RawImage(path: path) } == "\(path): is in use by another process")
      #expect(problem { _ = try RawImage(path: path, readOnly: true) } == "\(path): is in use by another process, which writes it")
      withExtendedLifetime(writer) {}
    }
    let reader = try RawImage(path: path, readOnly: true)
    let other = try RawImage(path: path, readOnly: true)
    #expect(problem { _ = try RawImage(path: path) } == "\(path): is in use by another process")
    withExtendedLifetime((reader, other)) {}
  }

  /// QEMU's tools keep away from what we write, and we from what they write.
  @Test(.enabled(if: Tool.qemuImage.shouldRun, Tool.qemuImage.advice)) func locksOutQEMU() throws {
    let path = try folder.write("shared", pattern(1 << 20))
    let image = try RawImage(path: path)
    let convert = ["resize", "-f", "raw", path, "2M"]
    let refused = try Tool.qemuImage.run(convert)
    #expect(refused.status == 1 && refused.text.contains("Failed to get \"write\" lock"), "\(refused.text)")
    withExtendedLifetime(image) {}
  }

  /// A guest does not choose how its disk is read next time.
  @Test func guessedFormat() throws {
    let path = try folder.write("guess", pattern(4096))
    let header: [UInt8] = [0x51, 0x46, 0x49, 0xFB] + pattern(508)
    do {
      let image = try RawImage(path: path, formatIsGuess: true)
      #expect(throws: StorageFailure.host(errno: EPERM)) { try image.put(0, header) }
      try image.put(512, header)
    }
    #expect(ImageFormat.probe(path: path) == .raw)
    try RawImage(path: path).put(0, header)
    #expect(ImageFormat.probe(path: path) == .qcow2)
  }
}
