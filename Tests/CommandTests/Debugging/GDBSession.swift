import Foundation
import Glibc
import Testing

/// `epicure boot --gdb`, and the real gdb in front of it.
final class GDBSession {
  static let advice: Comment = "skipped: no gdb-multiarch; `apt-get install gdb-multiarch` makes this run"
  static var shouldRun: Bool { HostTool.shouldRun("gdb-multiarch") }

  private let folder: TemporaryFolder
  private let process = Process()
  let port: Int
  private var outputPath: String { folder.url.appendingPathComponent("output").path }
  private var errorsPath: String { folder.url.appendingPathComponent("errors").path }

  /// Boots with these options and waits until the server listens.
  init(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    let files = try ["output", "errors"].map { name in
      let url = folder.url.appendingPathComponent(name)
      try Data().write(to: url)
      return try FileHandle(forWritingTo: url)
    }
    process.executableURL = Epicure.executable
    process.arguments = ["boot", "--gdb", "127.0.0.1:0"] + options
    process.environment = ["PATH": "/usr/bin:/bin"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = files[0]
    process.standardError = files[1]
    try process.run()
    let deadline = Date().addingTimeInterval(60)
    var found: Int?
    while found == nil {
      let text = (try? String(contentsOf: folder.url.appendingPathComponent("errors"), encoding: .utf8)) ?? ""
      found =
        text.split(whereSeparator: \.isNewline).lazy.filter { $0.hasPrefix("epicure: gdb server at 127.0.0.1:") }
        .compactMap { Int($0.dropFirst("epicure: gdb server at 127.0.0.1:".count).prefix { $0.isNumber }) }.first
      guard Date() < deadline, found != nil || process.isRunning else {
        throw PseudoTerminal.Failure(description: "nobody listens for gdb: \(text)")
      }
      usleep(20_000)
    }
    port = found ?? 0
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// Runs gdb with these commands behind `target remote`; what it prints. `{name}` in the commands is a mark: ``part(_:of:)``.
  func gdb(_ commands: String, symbols: String? = nil, seconds: Double = 300) throws -> String {
    let lines = commands.split(separator: "\n").map { line in
      line.hasPrefix("{") ? "echo \\n\(line)\\n" : String(line)
    }
    let setup = [
      "set pagination off", "set confirm off", "set width 0", "set architecture ia64-elf64", "target remote 127.0.0.1:\(port)",
    ]
    let script = try folder.write("script", Array((setup + lines).joined(separator: "\n").utf8 + [0x0A]))
    let answer = try HostTool.run(
      "timeout", ["-s", "KILL", "\(Int(seconds))", "gdb-multiarch", "-nx", "-batch", "-x", script] + (symbols.map { [$0] } ?? []))
    return answer.text
  }

  /// What was printed between the mark `{name}` and the next one.
  static func part(_ name: String, of text: String) -> String {
    guard let start = text.range(of: "{\(name)}") else { return "" }
    let rest = text[start.upperBound...]
    return String(rest[..<(rest.range(of: "\n{")?.lowerBound ?? rest.endIndex)])
  }

  /// The value of `print/x`.
  static func value(_ text: String) -> UInt64? {
    guard let range = text.range(of: "= 0x") else { return nil }
    return UInt64(text[range.upperBound...].prefix { $0.isHexDigit }, radix: 16)
  }

  /// Waits for the end; the exit status.
  func wait(seconds: Double = 300) -> Int32 {
    let deadline = Date().addingTimeInterval(seconds)
    while process.isRunning, Date() < deadline { usleep(10_000) }
    return process.isRunning ? -1 : process.terminationStatus
  }

  var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOfFile: errorsPath, encoding: .utf8)) ?? "" }
}

/// The Linux guest's kernel with its symbols, for gdb.
struct SymbolicKernel {
  let path: String
  private let addresses: [String: UInt64]

  init(in folder: TemporaryFolder) throws {
    path = folder.url.appendingPathComponent("vmlinux").path
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../GuestImages/linux/with-symbols").standardized.path
    let map = try Guests.file("linux-6.1/System.map.gz").path
    try Host.run(script, [Guests.file("linux-6.1/vmlinux.gz").path, map, path])
    var addresses: [String: UInt64] = [:]
    for line in String(decoding: try Host.run("zcat", [map]), as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 3, let address = UInt64(words[0], radix: 16) { addresses[String(words[2])] = address }
    }
    self.addresses = addresses
  }

  func address(_ name: String) throws -> UInt64 { try #require(addresses[name], "no \(name) in System.map") }

  /// The first `rfi` behind a symbol, as the GNU disassembler finds it: its bundle, and its slot in the low bits.
  func firstReturn(behind name: String) throws -> UInt64 {
    let start = try address(name)
    let text = String(
      decoding: try Host.run(
        "ia64-linux-gnu-objdump", ["-d", "--start-address=\(start)", "--stop-address=\(start + 0x1000)", path]), as: UTF8.self)
    let line = try #require(text.split(separator: "\n").first { $0.contains("rfi") })
    // objdump counts slots by 6 bytes.
    let place = try #require(UInt64(line.prefix { $0 != ":" }.trimmingCharacters(in: .whitespaces), radix: 16))
    return place & ~0xF | (place & 0xF) / 6
  }
}
