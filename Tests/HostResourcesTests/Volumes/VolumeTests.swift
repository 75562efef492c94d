import Foundation
import HostResources
import TestSupport
import Testing

/// Volumes as `--disk` names them, on files.
@Suite(.serialized, .ends(withinMinutes: 5)) struct VolumeTests {
  let folder: StorageFolder
  init() throws { folder = try StorageFolder() }

  private func open(_ text: String) throws -> OpenDisk { try OpenDisk(DiskSpecification(parsing: text)) }
  private func halves() throws -> (String, String) {
    (try folder.write("a", pattern(1 << 20)), try folder.write("b", [UInt8](repeating: 0, count: 1 << 20)))
  }

  @Test func mirror() throws {
    let (a, b) = try halves()
    do {
      let disk = try open("\(a),mirror=\(b)")
      try disk.storage.put(0, pattern(512, 3))
      for _ in 0..<20 { _ = try disk.storage.bytes(0, 512) }
      try disk.finish()
    }
    #expect(try folder.read("a") == folder.read("b"))
    #expect(try Array(folder.read("b")[0..<1024]) == pattern(512, 3) + Array(pattern(1024)[512...]))
    #expect(FileManager.default.fileExists(atPath: a + ".mirror"))
    // The other way round the record would not be found.
    #expect(problem { _ = try open("\(b),mirror=\(a)") }.hasPrefix("\(a).mirror: is the record of a mirror that begins with \(a)"))
    #expect(problem { _ = try open("\(a),mirror=\(a)") } == "\(a): a mirror has two halves that differ")
  }

  /// A half whose file is gone: the mirror goes on, and the file that is back is brought up to date.
  @Test func missingHalf() throws {
    let (a, b) = try halves()
    #expect(problem { _ = try open("\(a),mirror=\(b).none") }.contains("cannot be opened"))
    #expect(!FileManager.default.fileExists(atPath: a + ".mirror"))
    do {
      let disk = try open("\(a),mirror=\(b)")
      for _ in 0..<20 { _ = try disk.storage.bytes(0, 512) }
    }
    try FileManager.default.moveItem(atPath: a, toPath: folder.path("c"))
    do {
      let disk = try open("\(a),mirror=\(b)")
      #expect(disk.warnings == ["\(a): cannot be opened: No such file or directory; the mirror goes on without it"])
      try disk.storage.put(512 << 10, pattern(512, 8))
      try disk.finish()
    }
    try FileManager.default.moveItem(atPath: folder.path("c"), toPath: a)
    let disk = try open("\(a),mirror=\(b)")
    #expect(disk.warnings.isEmpty)
    #expect(try disk.storage.bytes(512 << 10, 512) == pattern(512, 8))
    for _ in 0..<4 { _ = try disk.storage.bytes(0, 512) }
    try disk.finish()
    #expect(try folder.read("a") == folder.read("b"))
    // A half that somebody else has is no missing one.
    #expect(problem { _ = try open("\(a),mirror=\(b)") }.contains("is in use by another process"))
  }

  @Test func mirrorOfAPartition() throws {
    let (a, b) = try halves()
    var sector = [UInt8](repeating: 0, count: 512)
    sector.replaceSubrange(446..<462, with: [0, 0, 0, 0, 0x83, 0, 0, 0, 64, 0, 0, 0, 128, 0, 0, 0])
    (sector[510], sector[511]) = (0x55, 0xAA)
    try RawImage(path: a).put(0, sector)
    let disk = try open("\(a),mirror=\(b),partition=1")
    #expect(disk.storage.size == 65536)
    try disk.storage.put(0, pattern(512, 77))
    try disk.finish()
    for name in ["a", "b"] { #expect(try Array(folder.read(name)[32768..<33280]) == pattern(512, 77)) }
  }

  /// A snapshot reads the mirror, and changes nothing, not even the record.
  @Test func snapshotOfAMirror() throws {
    let (a, b) = try halves()
    do { try open("\(a),mirror=\(b)").finish() }
    let before = [try folder.read("a"), try folder.read("b"), try folder.read("a.mirror")]
    let disk = try open("\(a),mirror=\(b),snapshot=on")
    try disk.storage.put(0, pattern(4096, 5))
    #expect(try disk.storage.bytes(0, 4096) == pattern(4096, 5))
    try disk.finish()
    #expect([try folder.read("a"), try folder.read("b"), try folder.read("a.mirror")] == before)
  }

  /// Two servers of one file: one is killed, and then started again.
  @Test(.enabled(if: Tool.nbdkit.shouldRun, Tool.nbdkit.advice)) func pathsToServers() throws {
    let image = try folder.write("image", [UInt8](repeating: 0, count: 1 << 20))
    func start(_ name: String) throws -> Process {
      try? FileManager.default.removeItem(atPath: folder.path(name))
      let server = try Tool.nbdkit.start(["-f", "-U", folder.path(name), "file", image])
      for _ in 0..<500 where !FileManager.default.fileExists(atPath: folder.path(name)) { Thread.sleep(forTimeInterval: 0.01) }
      return server
    }
    func stop(_ server: Process) {
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    var servers = [try start("x"), try start("y")]
    defer { servers.forEach(stop) }
    let addresses = ["x", "y"].map { "nbd+unix:///?socket=\(folder.path($0))" }
    let disk = try open("\(addresses[0]),path=\(addresses[1])")
    try disk.storage.put(0, pattern(512, 1))
    stop(servers[0])
    for n in 0..<300 { try disk.storage.put(UInt64(n * 512), pattern(512, n)) }
    servers[0] = try start("x")
    stop(servers[1])
    for n in 300..<600 { try disk.storage.put(UInt64(n * 512), pattern(512, n)) }
    try disk.finish()
    let bytes = try folder.read("image")
    for n in 0..<600 { #expect(Array(bytes[n * 512..<(n + 1) * 512]) == pattern(512, n)) }
  }
}

/// A loop device stands for a disk of the host; making one takes rights.
@Suite(.serialized, .ends(withinMinutes: 5)) struct HostDeviceTests {
  let folder: StorageFolder
  init() throws { folder = try StorageFolder() }

  private static var mayRun: Bool { geteuid() == 0 && Tool.losetup.shouldRun && access("/dev/loop-control", R_OK | W_OK) == 0 }

  @Test(.enabled(if: mayRun, "loop devices take rights")) func device() throws {
    let file = try folder.write("disk", pattern(1 << 20))
    let made = try Tool.losetup.run(["--find", "--show", file])
    guard made.status == 0 else { return }
    let device = made.text.trimmingCharacters(in: .whitespacesAndNewlines)
    defer { _ = try? Tool.losetup.run(["--detach", device]) }
    do {
      let disk = try RawImage(path: device)
      #expect(disk.size == 1 << 20)
      try disk.put(4096, pattern(512, 9))
      try disk.flush()
      #expect(try disk.bytes(4096, 512) == pattern(512, 9))
      #expect(throws: StorageFailure.outside) { try disk.put(1 << 20, pattern(512)) }
      #expect(problem { _ = try RawImage(path: device) } == "\(device): is in use by another process")
    }
    // As a mount has it.
    let claim = Glibc.open(device, O_RDONLY | O_EXCL | O_CLOEXEC)
    #expect(claim >= 0)
    for readOnly in [false, true] {
      #expect(
        problem { _ = try RawImage(path: device, readOnly: readOnly) }
          == "\(device): is in use by the host: mounted, or part of something that is")
    }
    close(claim)
    let readers = [try RawImage(path: device, readOnly: true), try RawImage(path: device, readOnly: true)]
    withExtendedLifetime(readers) {}
  }
}
