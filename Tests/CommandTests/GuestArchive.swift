import Foundation

/// A cpio archive ("newc") with files for the guest, to be put behind an initramfs: Linux unpacks one after the other.
struct GuestArchive {
  private var bytes: [UInt8] = []
  private var inode: UInt32 = 1

  /// Adds a regular file; folders on the way must exist in the guest or be added before.
  mutating func add(_ path: String, _ contents: [UInt8], mode: UInt32 = 0o100755) {
    header(path, mode: mode, size: contents.count)
    bytes += contents
    pad()
  }

  mutating func add(folder path: String) { header(path, mode: 0o040755, size: 0) }

  /// A script that `run=sh_/NAME` starts; it finds random numbers ready.
  mutating func add(script: String, as name: String) {
    add("seed", GuestEntropy.program)
    add(name, Array(("/seed\n" + script).utf8))
  }

  private var finished: [UInt8] {
    var copy = self
    copy.header("TRAILER!!!", mode: 0, size: 0)
    return copy.bytes
  }

  /// An initramfs with this archive behind it: an archive that is not compressed starts at a multiple of four bytes, or Linux does not
  /// see it.
  func behind(_ initramfs: Data) -> [UInt8] {
    Array(initramfs) + [UInt8](repeating: 0, count: (4 - initramfs.count % 4) % 4) + finished
  }

  private mutating func header(_ name: String, mode: UInt32, size: Int) {
    inode += 1
    let fields: [UInt32] = [inode, mode, 0, 0, 1, 0, UInt32(size), 0, 0, 0, 0, UInt32(name.utf8.count + 1), 0]
    bytes += "070701".utf8
    for field in fields { bytes += String(format: "%08X", field).utf8 }
    bytes += Array(name.utf8) + [0]
    pad()
  }

  private mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }
}

/// A host program that a test compares with.
enum HostTool {
  struct Answer {
    var status: Int32
    var text: String
  }

  /// Where Debian puts programs, those for the administrator included.
  static func path(_ name: String) -> String? {
    ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"].map { $0 + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Whether a test that needs these programs runs: where nobody would notice that one is missing, it runs and fails.
  static func shouldRun(_ names: String...) -> Bool {
    Guests.isContinuousIntegration || names.allSatisfy { path($0) != nil }
  }

  static func run(_ name: String, _ arguments: [String], input: URL? = nil) throws -> Answer {
    guard let path = path(name) else { return Answer(status: 127, text: "\(name) is missing; `make test-packages` installs it") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Answer(status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
  }
}
