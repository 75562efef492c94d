import Foundation
import TestSupport
import Testing

/// Real programs: GCC's torture suite, the `cpu-*` programs, BusyBox.
@Suite("epicure run, real programs", .enabled(if: Guests.shouldRun, Guests.advice), .ends(withinMinutes: 10)) struct RunGuestTests {
  /// Every program exits with 0; a twentieth of them unless EPICURE_COMPLETE is 1.
  @Test func torture() throws {
    let archive = try Guests.file("torture/gcc-execute-O2.tar.xz")
    let folder = try TemporaryFolder()
    try Host.run("tar", ["-C", folder.url.path, "-xf", archive.path])
    let programs = try #require(FileManager.default.enumerator(at: folder.url, includingPropertiesForKeys: [.isRegularFileKey]))
      .compactMap { $0 as? URL }.filter { try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true }
      .sorted { $0.path < $1.path }
    // The suite has 1,653; some need what a program without a C library does not have.
    #expect(programs.count > 1500)
    for (index, program) in programs.enumerated() where Guests.isComplete || index % 20 == 7 {
      let result = try Epicure.run(["run", program.path], seconds: 120)
      #expect(result.status == 0, "\(program.lastPathComponent): \(result.errors)")
    }
  }

  /// Letters that the same C program prints on x86-64.
  @Test func cpuPrograms() throws {
    let expected = try String(contentsOf: Guests.file("programs/expected.txt"), encoding: .utf8)
    for line in expected.split(separator: "\n") {
      let fields = line.split(separator: " ").map(String.init)
      try #require(fields.count == 2)
      let result = try Epicure.run(["run", Guests.file("programs/\(fields[0])").path])
      #expect(result.status == 0)
      #expect(result.text.trimmingCharacters(in: .whitespacesAndNewlines) == fields[1], "\(fields[0])")
    }
  }

  // MARK: BusyBox against the host's own tools

  private func busybox(_ arguments: [String], input: [UInt8] = [], path: String = "/bin", directory: URL? = nil) throws
    -> Epicure.Result
  {
    try Epicure.run(
      ["run", Guests.file("programs/busybox").path] + arguments, input: input, environment: ["PATH": path, "LC_ALL": "C"],
      directory: directory)
  }

  private func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SplitMix(state: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }

  @Test func sha256() throws {
    let data = noise(1_000_003, seed: 1)
    let folder = try TemporaryFolder()
    let path = try folder.write("data", data)
    let result = try busybox(["sha256sum", path])
    #expect(result.status == 0)
    #expect(try result.output == Host.run("sha256sum", [path]))
  }

  @Test func sort() throws {
    var generator = SplitMix(state: 2)
    let lines = (0..<20_000).map { _ in "\(generator.next() % 1_000_000)" }
    let data = Array((lines.joined(separator: "\n") + "\n").utf8)
    let folder = try TemporaryFolder()
    let path = try folder.write("data", data)
    #expect(try busybox(["sort", path]).output == Host.run("sort", [path]))
    #expect(try busybox(["sort", "-n"], input: data).output == Host.run("sort", ["-n", path]))
  }

  @Test func gzip() throws {
    // Compressible and not.
    let data = noise(300_000, seed: 3) + (0..<700_000).map { UInt8(truncatingIfNeeded: $0 / 1000 ^ $0) }
    let folder = try TemporaryFolder()
    let packed = try folder.write("data.gz", busybox(["gzip", "-c"], input: data).output)
    #expect(try Host.run("gzip", ["-dc", packed]) == data)
    let plain = try folder.write("plain", data)
    #expect(try busybox(["gunzip"], input: Host.run("gzip", ["-c", plain])).output == data)
  }

  /// Processes, pipes, signals, files: a script of the shell with every command a program of its own.
  @Test func shellScript() throws {
    let folder = try TemporaryFolder()
    let bin = folder.url.appendingPathComponent("bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    let program = try Guests.file("programs/busybox").path
    for name in try busybox(["--list"]).text.split(separator: "\n") {
      let link = bin.appendingPathComponent(String(name)).path
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: program)
    }
    let script = """
      seq 1 1000 | awk '{s+=$1} END {print s}'
      printf 'b\\na\\nc\\n' | sort | tr a-z A-Z | sed s/B/x/
      mkdir -p d/e; echo hello > d/e/f; find d | sort; md5sum < d/e/f
      tar cf t.tar d; rm -r d; tar xf t.tar; cat d/e/f
      dd if=/dev/zero bs=1024 count=100 2>/dev/null | wc -c
      (exit 7); echo $?
      sh -c 'kill -SEGV $$' ; echo $?
      sleep 0.05 & wait $!; echo waited $?
      trap 'echo trapped' TERM; kill -TERM $$
      mkfifo ff; (echo fifo > ff) & cat ff
      ln -s t.tar link; readlink link
      stat -c '%s %F' t.tar
      cd /; pwd; uname -m
      exit 3
      """
    let result = try busybox(["sh", "-c", script], path: bin.path, directory: folder.url)
    #expect(result.status == 3, "\(result.errors)")
    let expected = """
      500500
      A
      x
      C
      d
      d/e
      d/e/f
      b1946ac92492d2347c6235b4d2611184  -
      hello
      102400
      7
      139
      waited 0
      trapped
      fifo
      t.tar
      3072 regular file
      /
      ia64

      """
    #expect(result.text == expected)
  }

  /// Programs of the host run beside those of the guest, also as interpreters of scripts.
  @Test func hostPrograms() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("script", Array("#!/bin/sh\necho from $0 $1; exit 5\n".utf8))
    let script =
      "/usr/bin/env NAME=value /usr/bin/printenv NAME; echo $?; /usr/bin/env false; echo $?; \(file) here; echo $?; uname -m"
    let result = try busybox(["sh", "-c", script])
    #expect(result.status == 0, "\(result.errors)")
    let machine = try String(decoding: Host.run("uname", ["-m"]), as: UTF8.self)
    #expect(result.text == "value\n0\n1\nfrom \(file) here\n5\n\(machine)")
    // The program's pipes and environment are theirs.
    let pipeline = try busybox(["sh", "-c", "export A=b; echo text | /bin/cat; /bin/sh -c 'echo $A'; kill -9 $$"])
    #expect(pipeline.status == 137)
    #expect(pipeline.text == "text\nb\n")
  }
}

/// Tools of the host that judge ours.
enum Host {
  @discardableResult
  static func run(_ tool: String, _ arguments: [String]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(tool) \(arguments) failed")
    return Array(output)
  }
}
