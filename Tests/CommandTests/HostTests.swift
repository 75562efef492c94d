import Foundation
import TestSupport
import Testing

/// `epicure serve` and what xm's administrators do, with a small guest that answers on its console.
@Suite("Domains", .serialized, .ends(withinMinutes: 4), .enabled(if: EchoGuest.canBeBuilt, GNUTools.missing)) struct HostTests {
  /// A server with configuration files: `echo.cfg` of the small guest.
  private func server(_ options: String...) throws -> HostServer {
    let server = try HostServer(options)
    let image = try EchoGuest.build(in: server.folder)
    _ = try server.configuration("echo.cfg", "name = 'echo'\nbuilder = 'hvm'\nmemory = 64\nkernel = '\(image)'\n")
    return server
  }

  private func create(_ server: HostServer, _ settings: String...) throws {
    let result = try server.result(["create", "-q", "echo.cfg"] + settings)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
  }

  private func isAnswering(_ server: HostServer, _ name: String, seconds: Double = 30) throws -> Bool {
    try server.result(["console", name, "--new", "--until", "answers"], input: "\r", seconds: seconds).status == 0
  }

  // MARK: Without a server, and mistakes

  @Test func withoutServer() throws {
    let folder = try TemporaryFolder()
    let socket = folder.url.appendingPathComponent("control").path
    for command in [["list"], ["info"], ["pause", "x"], ["top"], ["console", "x"], ["shutdown", "x"], ["sched-credit"]] {
      let result = try Epicure.run([command[0], "--socket", socket] + command.dropFirst())
      #expect(result.status == 2 && result.errors == "epicure: no server is running at \(socket): start one with `epicure serve`\n")
    }
  }

  /// Two domains in one trace, on the processors that they share; a crash leaves the last events.
  @Test func traces() throws {
    let folder = try TemporaryFolder()
    let trace = folder.url.appendingPathComponent("host.trace").path
    let server = try server("--cpus", "1", "--trace", trace, "--flight-events", "50", "--fail-on", "answers")
    try create(server)
    try create(server, "name=second")
    try server.wait("both run") { try server.json("list").filter { ($0["cpu_seconds"] as? Double ?? 1) > 0 }.count >= 2 }
    _ = try server.result(["console", "second", "--new", "--until", "answers"], input: "\r", seconds: 30)
    try server.wait("the second one crashes") { server.messages.contains("last events: epicure trace list ") }
    let report = try #require(server.messages.firstMatch(of: /last events: epicure trace list ([^)]+)\)/)).1
    let last = try Epicure.run(["trace", "list", String(report)])
    #expect(last.status == 0 && last.text.split(separator: "\n").count == 51, "\(last.errors)")
    #expect(server.stop() == 0)
    for name in ["echo", "second"] {
      let list = try Epicure.run(["trace", "list", trace, "--filter", "schedule domain=\(name)"])
      #expect(list.status == 0 && list.text.split(separator: "\n").count > 1, "\(name): \(list.errors)")
      #expect(try Epicure.run(["trace", "list", trace, "--filter", "exit domain=\(name)"]).text.contains("exit"))
    }
  }

  @Test func mistakes() throws {
    let server = try server("--memory", "2G", "--cpus", "2")
    try server.expectRefusal("pause", "nobody", saying: "there is no domain 'nobody'")
    try server.expectRefusal("destroy", "0", saying: "Domain-0 is this server itself")
    try server.expectRefusal("create", "missing.cfg", saying: "missing.cfg")
    try server.expectRefusal("create", "echo.cfg", "memory=32", saying: "memory: 32 MiB")
    try server.expectRefusal(
      "create", "echo.cfg", "builder=linux", "bootloader=/usr/bin/pygrub", saying: "kernels are not looked for on disks")
    try server.expectRefusal("create", "echo.cfg", "kernel=", saying: "neither a disk nor a kernel")
    try server.expectRefusal("create", "echo.cfg", "memory=many", saying: "memory: expected an integer")
    try server.expectRefusal("create", "echo.cfg", "memory=4096", saying: "MiB of memory are needed")
    try server.expectRefusal("create", "echo.cfg", "cpus=7", saying: "affinity")
    try server.expectRefusal("create", "echo.cfg", "kernel=/nowhere/vmlinux", saying: "/nowhere/vmlinux")
    try server.expectRefusal("create", "echo.cfg", "vif=model=ne2k_pci", saying: "there is no model 'ne2k_pci'")
    try server.expectRefusal("create", "echo.cfg", "disk=file:/nowhere/disk,hda,w", saying: "/nowhere/disk")
    try create(server)
    try server.expectRefusal("create", "echo.cfg", saying: "there is a domain 'echo' already")
    try server.expectRefusal("sched-credit", "-d", "echo", "-w", "0", saying: "weight 0 is out of range")
    try server.expectRefusal("sched-credit", "-d", "echo", "-c", "101", saying: "more than 1 virtual processors can use")
    try server.expectRefusal("vcpu-pin", "echo", "1", "0", saying: "virtual processors 0 to 0")
    try server.expectRefusal("vcpu-pin", "echo", "0", "5", saying: "contains no existing processor")
    try server.expectRefusal("mem-set", "echo", "65", saying: "was started with 64 MiB")
    try server.expectRefusal("crash-report", "echo", saying: "no report of a crash")
    // What was refused has left nothing behind: one domain, and the memory of one.
    #expect(try server.json("list").count == 2)
    let other = try Epicure.run(["serve", "--socket", server.socket])
    #expect(other.status == 2 && other.errors.contains("another server is listening"), "\(other.errors)")
    #expect(server.isRunning)
    #expect(server.stop() == 0)
    #expect(!FileManager.default.fileExists(atPath: server.socket))
  }

  // MARK: Life

  @Test func lifeOfTwoDomains() throws {
    let server = try server("--cpus", "2")
    func free() throws -> Int {
      let line = try #require(server.run("info").split(separator: "\n").first { $0.hasPrefix("free_memory") })
      return try #require(Int(line.split(separator: " ").last ?? ""))
    }
    // 4096 MiB less what the real system keeps for the host's operating system and the hypervisor.
    let all = try free()
    #expect(all == 4096 - 1024 - 64)
    try create(server, "name=one")
    try create(server, "name=two", "vcpus=2", "cpu_weight=512")
    // 64 MiB, the firmware's 16, tables.
    #expect((160...170).contains(all - (try free())))

    let list = try server.run("list").split(separator: "\n")
    #expect(list[0] == "Name                                        ID   Mem VCPUs      State   Time(s)")
    #expect(list[1].hasPrefix("Domain-0                                     0  1024     2     r-----"))
    #expect(list[2].hasPrefix("one                                          1    64     1     "))
    #expect(list[3].hasPrefix("two                                          2    64     2     "))
    #expect(list.count == 4)
    for name in ["one", "two", "1", "2"] { #expect(try isAnswering(server, name)) }
    #expect(try server.run("console", "one", "--until", "READY").contains("ECHO GUEST READY"))

    let vcpus = try server.run("vcpu-list", "two").split(separator: "\n")
    #expect(vcpus.count == 3 && vcpus[1].hasSuffix("any cpu"))
    try server.run("vcpu-pin", "two", "all", "1")
    #expect(try server.json("vcpu-list", "two").allSatisfy { $0["affinity"] as? String == "1" })
    #expect(try isAnswering(server, "two"))

    try server.run("sched-credit", "-d", "one", "-w", "128", "-c", "50")
    let credit = try server.run("sched-credit").split(separator: "\n")
    #expect(
      credit == [
        "Name                                ID Weight  Cap", "Domain-0                             0    256    0",
        "one                                  1    128   50", "two                                  2    512    0",
      ])
    #expect(try isAnswering(server, "one"))
    #expect(try server.run("uptime").split(separator: "\n").count == 4)
    #expect(try server.run("list", "--long", "one").hasPrefix("(domain"))
    #expect(try server.run("top", "-d", "0.2").contains("one"))

    try server.run("destroy", "one")
    #expect(try server.domain("one") == nil && isAnswering(server, "two"))
    try server.run("destroy", "2")
    #expect(try free() == all)
  }

  /// A paused domain uses no time and says nothing; its console keeps what is typed.
  @Test func pausing() throws {
    let server = try server()
    try create(server)
    #expect(try isAnswering(server, "echo"))
    try server.run("pause", "echo")
    try server.run("pause", "echo")
    #expect(try server.domain("echo")?["state"] as? String == "--p---" || server.domain("echo")?["state"] as? String == "-bp---")
    let before = try #require(try server.domain("echo")?["processor_seconds"] as? Double)
    #expect(try !isAnswering(server, "echo", seconds: 1))
    #expect(try server.domain("echo")?["processor_seconds"] as? Double == before)
    try server.run("unpause", "echo")
    #expect(try isAnswering(server, "echo"))
    // Created paused.
    try create(server, "name=late", "-p")
    #expect(try !isAnswering(server, "late", seconds: 1))
    #expect(try server.domain("late")?["processor_seconds"] as? Double == 0)
    try server.run("unpause", "late")
    #expect(try isAnswering(server, "late"))
  }

  @Test func powerButton() throws {
    let server = try server()
    try create(server, "name=plain")
    try create(server, "name=kept", "on_poweroff=preserve")
    for name in ["plain", "kept"] { #expect(try isAnswering(server, name)) }
    try server.run("shutdown", "-w", "plain")
    #expect(try server.domain("plain") == nil)
    try server.run("shutdown", "-w", "-a")
    #expect(try server.domain("kept")?["state"] as? String == "---s--")
    try server.expectRefusal("pause", "kept", saying: "kept does not run any more")
    try server.run("destroy", "kept")
    #expect(try server.json("list").count == 1)
  }

  /// The guest resets, and `reboot`: a new domain with a new number and the same console.
  @Test func restarts() throws {
    let server = try server()
    try create(server)
    #expect(try isAnswering(server, "echo"))
    func id() throws -> Int { try server.domain("echo")?["id"] as? Int ?? 0 }
    _ = try server.result(["console", "echo", "--new", "--until", "READY"], input: "R", seconds: 30)
    try server.wait("no restart") { try id() == 2 }
    #expect(try isAnswering(server, "echo"))
    try server.run("reboot", "-w", "echo")
    try server.wait("no restart") { try id() == 3 }
    #expect(try isAnswering(server, "echo"))
    #expect(try server.run("console", "echo", "--until", "READY").contains("ECHO GUEST READY"))
    // Under another name what is left is kept.
    try create(server, "name=twice", "on_reboot=rename-restart")
    #expect(try isAnswering(server, "twice"))
    _ = try server.result(["console", "twice", "--new", "--until", "READY"], input: "R", seconds: 30)
    try server.wait("no restart") { try server.json("list").count == 4 }
    #expect(try isAnswering(server, "twice"))
  }

  // MARK: Crashes

  @Test func crashes() throws {
    let server = try server()
    try create(server, "name=neighbour")
    try create(server, "on_crash=preserve")
    #expect(try isAnswering(server, "echo"))
    _ = try server.result(["console", "echo", "--new", "--until", "F"], input: "F", seconds: 10)
    try server.wait("no crash") { try server.domain("echo")?["state"] as? String == "----c-" }
    let report = try server.run("crash-report", "echo")
    for text in [
      "Domain echo (id 2) crashed at", "the guest is lost: it faults for ever at ip", "Virtual processor 0", "cr.iip", "b0",
      "Backtrace",
      "Last exits, oldest first", "ECHO GUEST READY",
    ] { #expect(report.contains(text), "\(text) is missing: \(report)") }
    #expect(try isAnswering(server, "neighbour"))
    // For ever is too often.
    try create(server, "name=looping", "on_crash=restart")
    for _ in 0..<4 {
      #expect(try isAnswering(server, "looping"))
      let old = try server.domain("looping")?["id"] as? Int
      _ = try server.result(["console", "looping", "--new", "--until", "F"], input: "F", seconds: 10)
      try server.wait("no crash") { try server.domain("looping")?["id"] as? Int != old }
    }
    #expect(try server.domain("looping") == nil)
    #expect(server.messages.contains("looping restarts too often"))
  }

  // MARK: Scheduling and memory

  /// Three busy domains on one processor, with weights 1 : 2 and a cap of 10 percent: what each gets of the server's time.
  @Test func shares() throws {
    let server = try server("--cpus", "1")
    for (name, setting) in [("light", "cpu_weight=256"), ("heavy", "cpu_weight=512"), ("capped", "cpu_cap=10")] {
      try create(server, "name=\(name)", setting)
      #expect(try isAnswering(server, name))
      _ = try server.result(["console", name, "--new", "--until", "B"], input: "B\r", seconds: 10)
    }
    func times() throws -> [String: Double] {
      Dictionary(
        uniqueKeysWithValues: try server.json("list").map { ($0["name"] as? String ?? "", $0["processor_seconds"] as? Double ?? 0) }
      )
    }
    let before = try times()
    try server.wait("no time passes", seconds: 100) { try times()["heavy", default: 0] - before["heavy", default: 0] > 3 }
    let after = try times()
    func used(_ name: String) -> Double { after[name, default: 0] - before[name, default: 0] }
    let all = used("light") + used("heavy") + used("capped")
    #expect(abs(used("capped") / all - 0.10) < 0.02, "\(used("capped") / all)")
    #expect(abs(used("light") / all - 0.30) < 0.02, "\(used("light") / all)")
    #expect(abs(used("heavy") / all - 0.60) < 0.02, "\(used("heavy") / all)")
  }

  /// Memory that the guest has not touched goes back, and comes again.
  @Test func memory() throws {
    let server = try server()
    try create(server, "memory=512")
    #expect(try isAnswering(server, "echo"))
    let result = try server.result(["mem-set", "echo", "1", "--json"])
    let setting = try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    let left = try #require(setting["memory"] as? Int)
    #expect(left < 64 && setting["target"] as? Int == 1)
    #expect(left <= 1 || result.errors.contains("only the guest could give back more"), "\(result.errors)")
    #expect(try server.domain("echo")?["memory"] as? Int == left)
    #expect(try isAnswering(server, "echo"))
    try server.run("mem-set", "echo", "0.5G".replacingOccurrences(of: "0.5G", with: "512M"))
    #expect(try server.domain("echo")?["memory"] as? Int == 512)
  }
}
