import Foundation
import TestSupport
import Testing

/// `--crash-bundle`: one archive with which somebody else sees a guest fail again.
@Suite("Crash bundles", .serialized, .ends(withinMinutes: 10)) struct CrashBundleTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }
  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  private func members(_ archive: String) throws -> [String] {
    try HostTool.run("tar", ["-tf", archive]).text.split(whereSeparator: \.isNewline).map(String.init)
  }
  private func member(_ name: String, of archive: String) throws -> Data {
    let out = folder.url.appendingPathComponent("unpacked")
    try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
    #expect(try HostTool.run("tar", ["-xf", archive, "-C", out.path, name]).status == 0)
    return try Data(contentsOf: out.appendingPathComponent(name))
  }

  /// A guest that says that it failed: of no file but the archive, somewhere else.
  @Test(arguments: ["none", "hvm"]) func reproduces(_ mode: String) throws {
    let bundle = path("crash.tar")
    let options = ["--virtualization", mode, "--append", "quiet fail echo"]
    let first = try Epicure.run(["boot"] + options + ["--crash-bundle", bundle], input: Array("typed".utf8) + [4])
    #expect(first.status == 1)
    #expect(first.errors.contains("the guest returned to the firmware with status 0x8000000000000007"))
    #expect(first.errors.contains("\(bundle) has what it takes to see that again: epicure replay \(bundle)"))
    #expect(!exists(bundle + ".recording"))
    let names = try members(bundle)
    #expect(
      names == ["manifest.json", "report.txt"] + (mode == "hvm" ? ["exits.json"] : []) + [
        "events.trace", "console.txt", "run.recording",
      ])
    #expect(try member("console.txt", of: bundle) == Data(first.output))
    let manifest = try #require(
      JSONSerialization.jsonObject(with: member("manifest.json", of: bundle)) as? [String: Any])
    #expect((manifest["message"] as? String)?.contains("0x8000000000000007") == true)
    #expect(manifest["arguments"] as? [String] == options)

    let moved = path("elsewhere.tar")
    try FileManager.default.moveItem(atPath: bundle, toPath: moved)
    let again = try Epicure.run(["replay", moved], directory: URL(fileURLWithPath: "/"))
    #expect(again.status == 1)
    #expect(again.output == first.output)
    #expect(again.errors.contains("the guest returned to the firmware with status 0x8000000000000007"))
    #expect(again.errors.contains("as it was recorded"), "\(again.errors)")
  }

  /// A Linux that panics: kernel and initial RAM disk are in the archive, and the originals are not needed.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func panic() throws {
    let kernel = path("kernel.gz")
    let initrd = path("initrd.gz")
    try FileManager.default.copyItem(at: Guests.file("linux-6.1/vmlinux.gz"), to: URL(fileURLWithPath: kernel))
    try FileManager.default.copyItem(at: Guests.file("linux-6.1/initramfs.cpio.gz"), to: URL(fileURLWithPath: initrd))
    let bundle = path("crash.tar")
    let options = ["--kernel", kernel, "--initrd", initrd, "--append", "console=ttyS0 rdinit=/nowhere", "--cpus", "2"]
    let first = try Epicure.run(["boot"] + options + ["--crash-bundle", bundle])
    #expect(first.status == 1, "\(first.errors)")
    #expect(first.text.contains("Kernel panic"))
    for file in [kernel, initrd] { try FileManager.default.removeItem(atPath: file) }
    let again = try Epicure.run(["replay", bundle])
    #expect(again.status == 1 && again.output == first.output)
    #expect(again.errors.contains("as it was recorded"), "\(again.errors)")
    let report = try String(decoding: member("report.txt", of: bundle), as: UTF8.self)
    #expect(report.contains("Virtual processor 1"), "\(report.prefix(500))")
  }

  /// A guest that does not fail leaves nothing.
  @Test func noFailure() throws {
    let bundle = path("crash.tar")
    let result = try Epicure.run(["boot", "--append", "quiet", "--crash-bundle", bundle])
    #expect(result.status == 0 && result.errors.isEmpty)
    #expect(!exists(bundle) && !exists(bundle + ".recording"))
  }

  @Test(arguments: [
    (["--crash-bundle", "/nowhere/x"], "/nowhere/x.recording: cannot be written: No such file or directory"),
    (["--crash-bundle", "x", "--record", "y"], "--crash-bundle has a recording in it: leave out --record"),
    (["--crash-bundle-files", "4M"], "--crash-bundle-files goes with --crash-bundle"),
    (["--crash-bundle", "x", "--lockstep", "1"], "it does not go with --lockstep or --machine"),
  ]) func mistakes(_ options: [String], _ message: String) throws {
    let result = try Epicure.run(["boot"] + options, directory: folder.url)
    #expect(result.status == 2)
    #expect(result.errors.contains(message), "\(result.errors)")
  }

  /// Archives that lead elsewhere, or that are none.
  @Test func hostile() throws {
    let bundle = path("crash.tar")
    _ = try Epicure.run(["boot", "--append", "quiet fail", "--crash-bundle", bundle])
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: bundle)))
    func refused(_ bytes: [UInt8], _ note: String) throws {
      let file = try folder.write("hostile.tar", bytes)
      let result = try Epicure.run(["replay", file])
      #expect(result.status == 2 && result.errors.count { $0 == "\n" } == 1, "\(note): \(result.status) \(result.errors)")
    }
    for length in [0, 100, 511, 512, 600, whole.count / 2, whole.count - 2048] {
      try refused(Array(whole[..<length]), "length \(length)")
    }
    for name in ["../escape", "/tmp/escape", ".hidden", ""] {
      var changed = whole
      for n in 0..<100 { changed[n] = n < name.utf8.count ? Array(name.utf8)[n] : 0 }
      try refused(changed, name)
    }
    for size in ["77777777777", "zzzzzzzzzzz", "-0000000001"] {
      var changed = whole
      for (n, byte) in size.utf8.enumerated() { changed[124 + n] = byte }
      try refused(changed, size)
    }
    let empty = path("empty")
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
    let other = path("other.tar")
    #expect(try HostTool.run("tar", ["--format=ustar", "-cf", other, "-C", "/etc", "hostname"]).status == 0)
    let result = try Epicure.run(["replay", other])
    #expect(result.status == 2)
    #expect(result.errors == "epicure: \(other): has no recording in it\n")
    #expect(!exists(folder.url.deletingLastPathComponent().appendingPathComponent("escape").path))
  }
}
