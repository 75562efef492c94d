import Foundation
import TestSupport
import Testing

/// A replay goes back: every place that has been passed is found again, with the registers of then.
@Suite("Reverse debugging", .serialized, .ends(withinMinutes: 10)) struct ReverseTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private static let prompt = "(epicure) "

  /// What each line of a script is answered.
  private func debug(_ recording: Recording, _ script: [String], _ options: [String] = [], seconds: Double = 300) throws -> (
    answers: [String], end: Epicure.Result
  ) {
    let result = try Epicure.run(
      ["debug", "--replay", recording.file] + options, input: Array((script.joined(separator: "\n") + "\n").utf8), seconds: seconds)
    #expect(!result.crashed)
    let parts = result.text.components(separatedBy: Self.prompt).dropFirst()
    return (parts.map { String($0.drop { $0 != "\n" }.dropFirst()) }, result)
  }

  /// The last line of an answer to what lets the machine go on: where it stands, and the instruction there.
  private func place(_ answer: String) -> String { String(answer.split(separator: "\n").last ?? "") }

  @Test(arguments: [["--virtualization", "none"], ["--virtualization", "hvm"], ["--virtualization", "hvm", "--cpus", "2"]])
  func stepsBack(_ mode: [String]) throws {
    let recording = try Recording(mode + ["--append", "echo"], in: folder, input: Array("abc".utf8) + [4])
    #expect(recording.result.status == 0)
    let count = 30
    let forward = Array(repeating: ["step", "registers"], count: count).flatMap { $0 }
    let back = Array(repeating: ["back", "registers"], count: count).flatMap { $0 }
    let (answers, end) = try debug(recording, ["step 20000", "registers"] + forward + back + ["continue"])
    #expect(end.status == recording.result.status, "\(end.errors)")
    #expect(end.errors.contains("as it was recorded"), "\(end.errors)")
    guard answers.count == 2 + 4 * count + 1 else {
      Issue.record("\(answers.count) answers: \(answers.suffix(3))")
      return
    }
    // Place and registers behind each step, and those after going back, in the other order.
    let passed = (0...count).map { (place(answers[2 * $0]), answers[2 * $0 + 1]) }
    for n in 1...count {
      let (old, now) = (passed[count - n], (place(answers[2 * (count + n)]), answers[2 * (count + n) + 1]))
      #expect(now.0 == old.0, "\(n) back")
      #expect(now.1 == old.1, "\(n) back")
    }
    #expect(Set(passed.map(\.0)).count > count / 2)
  }

  /// Breakpoints in the order of their time, and back to the first moment.
  @Test func breakpoints() throws {
    let recording = try Recording(["--append", "echo"], in: folder, input: Array("abc".utf8) + [4])
    let (first, _) = try debug(recording, ["step 30000", "break", "continue", "continue", "quit"])
    let address = place(first[0]).prefix { $0 != ":" }.split(separator: ".").map(String.init)
    guard address.count == 2 else {
      Issue.record("\(first)")
      return
    }
    let count = 6
    let (answers, end) = try debug(
      recording,
      ["break \(address[0])+\(address[1])"] + Array(repeating: ["continue", "registers"], count: count).flatMap { $0 }
        + Array(repeating: ["rcontinue", "registers"], count: count).flatMap { $0 } + ["delete", "continue"])
    #expect(end.errors.contains("as it was recorded"), "\(end.errors)")
    guard answers.count == 1 + 4 * count + 2 else {
      Issue.record("\(answers.count) answers: \(answers.suffix(3))")
      return
    }
    for n in 1..<count {
      let (old, now) = (1 + 2 * (count - 1 - n), 1 + 2 * (count - 1 + n))
      #expect(answers[now].contains("breakpoint at"), "\(answers[now])")
      #expect(answers[now + 1] == answers[old + 1], "\(n) back")
    }
    #expect(answers[1 + 2 * (2 * count - 1)].contains("the beginning of what is known"))
  }

  /// Far into a run, over several checkpoints; the disk is not written.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func linux() throws {
    let disk = try folder.write("disk.img", [UInt8](repeating: 0, count: 4 << 20))
    let recording = try Recording(
      [
        "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", Guests.file("linux-6.1/initramfs.cpio.gz").path, "--cpus",
        "2", "--append", "console=ttyS0 run=dd_if=/proc/version_of=/dev/sda", "--disk", disk,
      ], in: folder)
    #expect(recording.result.status == 0, "\(recording.result.errors)")
    let written = try Data(contentsOf: URL(fileURLWithPath: disk))
    let (answers, end) = try debug(
      recording,
      [
        "break do_exit", "continue", "registers", "continue", "registers", "rcontinue", "registers", "back", "back", "step 2",
        "registers", "delete", "continue",
      ], ["--symbols", Guests.file("linux-6.1/System.map.gz").path])
    #expect(end.errors.contains("as it was recorded"), "\(end.errors)")
    guard answers.count == 13 else {
      Issue.record("\(answers.count) answers: \(answers.suffix(3))")
      return
    }
    #expect(answers[1].contains("breakpoint at") && answers[3].contains("breakpoint at") && answers[5].contains("breakpoint at"))
    #expect(answers[6] == answers[2])
    #expect(answers[10] == answers[2])
    #expect(answers[4] != answers[2])
    #expect(try Data(contentsOf: URL(fileURLWithPath: disk)) == written)
  }

  /// gdb itself: there and back.
  @Test(
    .enabled(if: HostTool.shouldRun("gdb-multiarch"), "skipped: no gdb-multiarch; `make test-packages` installs it"))
  func gdb() throws {
    let recording = try Recording(["--append", "echo"], in: folder, input: Array("abc".utf8) + [4])
    let errors = folder.url.appendingPathComponent("guest.errors")
    let guest = try BackgroundGuest(["replay", recording.file, "--gdb", "127.0.0.1:0"], in: folder)
    var port = ""
    for _ in 0..<500 where port.isEmpty {
      let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
      port =
        text.components(separatedBy: "gdb server at 127.0.0.1:").dropFirst().first.map { String($0.prefix { $0.isNumber }) } ?? ""
      usleep(20_000)
    }
    let commands = [
      "set architecture ia64", "target remote 127.0.0.1:\(port)", "stepi", "stepi", "stepi", "printf \"A %lx %lx\\n\", $ip, $r3",
      "stepi",
      "stepi", "stepi", "reverse-stepi", "reverse-stepi", "reverse-stepi", "printf \"B %lx %lx\\n\", $ip, $r3", "reverse-continue",
      "printf \"C\\n\"", "continue",
    ]
    let answer = try HostTool.run("gdb-multiarch", ["-batch", "-nx"] + commands.flatMap { ["-ex", $0] })
    let result = guest.finish(seconds: 60)
    #expect(result.status == 0 && result.errors.contains("as it was recorded"), "\(result.errors) \(answer.text)")
    func line(_ letter: String) -> Substring? {
      answer.text.split(separator: "\n").first { $0.hasPrefix(letter + " ") }?.dropFirst(2)
    }
    #expect(line("A") != nil && line("A") == line("B"), "\(answer.text)")
    #expect(answer.text.contains("No more reverse-execution history"), "\(answer.text)")
  }
}
