import FirmwareMedia
import Foundation
import HostResources
import TestSupport
import Testing

/// FAT against mkfs.vfat, fsck.vfat and mtools, which know nothing of this implementation.
@Suite(.ends(withinMinutes: 5)) struct FATTests {
  static let tools = isInstalled("mkfs.vfat", "fsck.vfat", "mcopy", "mdir", "mmd")

  struct Format: Sendable, CustomTestStringConvertible {
    var width: String
    var kilobytes: Int
    var options: [String] = []
    var testDescription: String { "FAT\(width), \(kilobytes) KiB \(options.joined(separator: " "))" }
  }
  static let formats = [
    Format(width: "12", kilobytes: 1440), Format(width: "12", kilobytes: 8000, options: ["-s", "8"]),
    Format(width: "16", kilobytes: 16_384, options: ["-s", "2"]), Format(width: "32", kilobytes: 40_000, options: ["-s", "1"]),
    Format(width: "16", kilobytes: 65_536, options: ["-S", "2048"]),
  ]
  static let time = FATTime(year: 2024, month: 2, day: 29, hour: 12, minute: 34, second: 56)

  private func format(_ format: Format, _ place: borrowing WorkPlace) throws {
    try place.write("disk", [UInt8](repeating: 0, count: format.kilobytes * 1024))
    switch format.options.count {
    case 0: try place.run("mkfs.vfat", "-F", format.width, "disk")
    default: try place.run("mkfs.vfat", "-F", format.width, format.options[0], format.options[1], "disk")
    }
  }

  private func write(_ volume: FATVolume, _ node: FATNode, at offset: UInt64, _ bytes: [UInt8]) throws -> FATNode {
    var result: Result<FATNode, FATFailure>?
    bytes.withUnsafeBytes { buffer in
      result = Result { () throws(FATFailure) in try volume.write(node, at: offset, buffer, time: Self.time) }
    }
    return try #require(result).get()
  }

  @Test(.enabled(if: tools, "dosfstools and mtools: make test installs them"), arguments: formats)
  func readsWhatMtoolsWrites(_ kind: Format) throws {
    let place = try WorkPlace()
    try format(kind, place)
    var random = SplitMix(state: Seed.value)
    var files: [String: [UInt8]] = [:]
    let names = [
      "SHORT.TXT", "lower.txt", "A name with blanks and dots.v1.2.data", "nö äscii ☃.bin", "empty",
      String(repeating: "x", count: 200),
    ]
    try place.run("mmd", "-i", "disk", "::/Directory One", "::/Directory One/deeper")
    for directory in ["", "Directory One/", "Directory One/deeper/"] {
      for name in names {
        let bytes = name == "empty" ? [] : random.bytes(Int.random(in: 1...30_000, using: &random))
        try place.write("in", bytes)
        try place.run("mcopy", "-i", "disk", "in", "::/\(directory)\(name)")
        files["\\" + (directory + name).replacingOccurrences(of: "/", with: "\\")] = bytes
      }
    }
    let volume = try FATVolume(MediumRange(MemoryStorage(try place.bytes("disk"))))
    for (path, bytes) in files {
      let node = try volume.find(path: path)
      #expect(try volume.contents(node, limit: 1 << 20) == bytes, "\(path)")
      #expect(try volume.find(path: path.uppercased()).location == node.location)
    }
    let listed = try volume.list(volume.find(path: "\\Directory One")).map { String(decoding: $0.name, as: UTF16.self) }
    #expect(Set(listed) == Set(names + [".", "..", "deeper"]))
    #expect(try volume.find(path: "\\Directory One\\deeper\\..\\..\\empty").size == 0)
    #expect(throws: FATFailure.notFound) { try volume.find(path: "\\nothing") }
  }

  /// Random operations, followed by a model; then fsck must find nothing, and mtools every byte.
  @Test(.enabled(if: tools, "dosfstools and mtools: make test installs them"), arguments: formats)
  func writesWhatFsckAccepts(_ kind: Format) throws {
    let place = try WorkPlace()
    try format(kind, place)
    let storage = MemoryStorage(try place.bytes("disk"))
    let volume = try FATVolume(MediumRange(storage))
    var random = SplitMix(state: Seed.value)
    var files: [String: [UInt8]] = [:]
    var directories = [""]
    func node(_ path: String) throws -> FATNode { path.isEmpty ? volume.root : try volume.find(path: path) }
    func name(_ n: Int) -> [UInt16] {
      let kinds = [
        "F\(n).TXT", "file number \(n).text", "lower\(n).c", "Ünïcödé \(n)", String(repeating: "long", count: 20) + "\(n)",
      ]
      return Array((kinds.randomElement(using: &random) ?? "").utf16)
    }
    for n in 0..<160 {
      let directory = directories.randomElement(using: &random) ?? ""
      switch Int.random(in: 0..<10, using: &random) {
      case 0 where directories.count < 8:
        let new = name(n)
        _ = try volume.create(new, in: try node(directory), attributes: FATAttribute.directory, time: Self.time)
        directories.append(directory + "\\" + String(decoding: new, as: UTF16.self))
      case 0...3:
        let new = name(n)
        let bytes = random.bytes(Int.random(in: 0...6000, using: &random))
        let created = try volume.create(new, in: try node(directory), attributes: 0, time: Self.time)
        _ = try write(volume, created, at: 0, bytes)
        files[directory + "\\" + String(decoding: new, as: UTF16.self)] = bytes
      case 4...5:
        guard let path = files.keys.sorted().randomElement(using: &random) else { continue }
        // Inside, at the end, or behind it.
        let offset = Int.random(in: 0...(files[path]?.count ?? 0) + 3000, using: &random)
        let bytes = random.bytes(Int.random(in: 1...4000, using: &random))
        _ = try write(volume, try node(path), at: UInt64(offset), bytes)
        var now = files[path] ?? []
        now += [UInt8](repeating: 0, count: max(0, offset + bytes.count - now.count))
        now.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        files[path] = now
      case 6:
        guard let path = files.keys.sorted().randomElement(using: &random), let old = files[path] else { continue }
        let size = Int.random(in: 0...8000, using: &random)
        _ = try volume.resize(try node(path), to: UInt32(size), time: Self.time)
        files[path] = Array(old.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - old.count))
      case 7:
        guard let path = files.keys.sorted().randomElement(using: &random) else { continue }
        try volume.remove(try node(path))
        files[path] = nil
      default:
        guard let path = files.keys.sorted().randomElement(using: &random) else { continue }
        let new = name(n)
        _ = try volume.rename(try node(path), to: new, in: try node(directory))
        files[directory + "\\" + String(decoding: new, as: UTF16.self)] = files.removeValue(forKey: path)
      }
    }
    try place.write("disk", storage.bytes)
    let check = try place.run("fsck.vfat", "-n", "disk", mayFail: true)
    #expect(check.status == 0, "seed \(Seed.value): \(check.output)")
    for (path, bytes) in files {
      try? FileManager.default.removeItem(atPath: place.file("out"))
      try place.run("mcopy", "-n", "-i", "disk", "::" + path.replacingOccurrences(of: "\\", with: "/"), "out")
      #expect(try place.bytes("out") == bytes, "seed \(Seed.value): \(path)")
    }
    // What is free now, another implementation can use.
    let free = try volume.freeBytes()
    #expect(free > 0)
    #expect(throws: FATFailure.exists) {
      if let path = files.keys.first, let file = path.split(separator: "\\").last {
        let parent = path.dropLast(file.count + 1)
        _ = try volume.create(Array(file.uppercased().utf16), in: try node(String(parent)), attributes: 0, time: Self.time)
      } else {
        throw FATFailure.exists
      }
    }
  }

  @Test(.enabled(if: tools, "dosfstools and mtools: make test installs them"))
  func fillsTheVolumeAndRecovers() throws {
    let place = try WorkPlace()
    try format(Self.formats[0], place)
    let storage = MemoryStorage(try place.bytes("disk"))
    let volume = try FATVolume(MediumRange(storage))
    let free = try volume.freeBytes()
    let file = try volume.create(Array("big".utf16), in: volume.root, attributes: 0, time: Self.time)
    _ = try write(volume, file, at: 0, [UInt8](repeating: 1, count: Int(free)))
    #expect(try volume.freeBytes() == 0)
    let other = try volume.create(Array("other".utf16), in: volume.root, attributes: 0, time: Self.time)
    #expect(throws: FATFailure.full) { _ = try write(volume, other, at: 0, [1]) }
    #expect(throws: FATFailure.full) {
      try volume.create(Array("directory".utf16), in: volume.root, attributes: FATAttribute.directory, time: Self.time)
    }
    try volume.remove(try volume.find(path: "\\big"))
    #expect(try volume.freeBytes() == free)
    try place.write("disk", storage.bytes)
    #expect(try place.run("fsck.vfat", "-n", "disk", mayFail: true).status == 0)
  }

  @Test func refusesWhatIsNoFAT() {
    for bytes in [[], [UInt8](repeating: 0, count: 512), [UInt8](repeating: 0xFF, count: 4096)] as [[UInt8]] {
      #expect(throws: FATFailure.notFAT) { try FATVolume(MediumRange(MemoryStorage(bytes))) }
    }
  }

  /// Hostile file systems: every operation ends, with an answer or an error.
  @Test(.enabled(if: tools, "dosfstools and mtools: make test installs them"))
  func survivesDamage() throws {
    let rounds = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 3000 : 150
    for kind in [Self.formats[0], Self.formats[2]] {
      let place = try WorkPlace()
      try format(kind, place)
      try place.write("in", [UInt8](repeating: 7, count: 20_000))
      try place.run("mmd", "-i", "disk", "::/dir", "::/dir/sub")
      for n in 0..<5 { try place.run("mcopy", "-i", "disk", "in", "::/dir/a long name number \(n)") }
      let good = try place.bytes("disk")
      var random = SplitMix(state: Seed.value)
      for _ in 0..<rounds {
        var bytes = good
        for _ in 0..<Int.random(in: 1...40, using: &random) {
          // Boot sector, tables, directories.
          let area = [0..<90, 512..<20_000, 20_000..<100_000].randomElement(using: &random) ?? 0..<90
          let value: UInt8 = [0, 1, 2, 3, 0x0F, 0x10, 0x40, 0x7F, 0xE5, 0xFF].randomElement(using: &random) ?? 0
          bytes[Int.random(in: area, using: &random)] = value
        }
        let storage = MemoryStorage(bytes)
        guard let volume = try? FATVolume(MediumRange(storage)) else { continue }
        exercise(volume)
      }
    }
  }

  private func exercise(_ volume: FATVolume) {
    _ = try? volume.label()
    _ = try? volume.freeBytes()
    var directories = [volume.root]
    var seen = 0
    while let directory = directories.popLast(), seen < 60 {
      for node in (try? volume.list(directory)) ?? [] where seen < 60 {
        seen += 1
        if node.isDirectory { directories.append(node) } else { _ = try? volume.contents(node, limit: 1 << 20) }
        _ = try? volume.refreshed(node)
        if seen % 3 == 0 { _ = try? write(volume, node, at: 5000, [1, 2, 3]) }
        if seen % 7 == 0 { _ = try? volume.rename(node, to: Array("renamed \(seen)".utf16), in: volume.root) }
        if seen % 11 == 0 { try? volume.remove(node) }
      }
      _ = try? volume.create(Array("new \(seen)".utf16), in: directory, attributes: FATAttribute.directory, time: Self.time)
    }
  }
}
