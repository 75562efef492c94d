import Foundation
import TestSupport
import Testing

/// Linux as a domain of `epicure serve`.
@Suite("Linux domains", .serialized, .ends(withinMinutes: 10), .enabled(if: Guests.shouldRun, Guests.advice)) struct HostLinuxTests
{
  private func server(threads: Int = 1) throws -> HostServer {
    let server = try HostServer(["--cpus", "2", "--threads", String(threads)])
    let text = """
      name = "linux"
      builder = "hvm"
      memory = 128
      kernel = "\(try Guests.file("linux-6.1/vmlinux.gz").path)"
      ramdisk = "\(try Guests.file("linux-6.1/initramfs.cpio.gz").path)"
      epicure_append = "console=ttyS0"
      epicure_system_map = "\(try Guests.file("linux-6.1/System.map.gz").path)"
      """
    _ = try server.configuration("linux.cfg", text)
    return server
  }

  private func type(_ server: HostServer, _ name: String, _ text: String, until pattern: String, seconds: Double = 120) throws
    -> String
  {
    let result = try server.result(["console", name, "--new", "--until", pattern], input: text + "\n", seconds: seconds)
    #expect(result.status == 0, "\(text): \(result.text.suffix(500))")
    return result.text
  }

  /// Two of them, one with two processors and a network between them; a shell on each console.
  @Test(arguments: [1, 2]) func twoDomains(threads: Int) throws {
    let server = try server(threads: threads)
    for (name, more) in [("a", "vcpus=1"), ("b", "vcpus=2")] {
      try server.run("create", "-q", "linux.cfg", "name=\(name)", more, "vif=bridge=lan")
      #expect(try server.result(["console", name, "--until", "EPICURE GUEST READY"], seconds: 200).status == 0)
    }
    #expect(try type(server, "b", "echo cpus=$(grep -c ^processor /proc/cpuinfo)", until: "cpus=[0-9]").contains("cpus=2"))
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
      _ = try type(server, name, "ip addr add \(address)/24 dev eth0; ip link set eth0 up; echo set=$?", until: "set=0")
    }
    #expect(try type(server, "a", "ping -c 3 10.0.0.2; echo pinged=$?", until: "pinged=[0-9]").contains("pinged=0"))
    try explains(server)
    // While it is paused its clock is not read.
    _ = try type(server, "a", "while :; do cat /proc/uptime; sleep 1; done", until: "^[0-9.]+ [0-9.]+$")
    try server.run("pause", "a")
    Thread.sleep(forTimeInterval: 0.5)
    let silence = try server.result(["console", "a", "--new"], seconds: 3)
    #expect(silence.output.isEmpty)
    try server.run("unpause", "a")
    #expect(try server.result(["console", "a", "--new", "--until", "^[0-9.]+ [0-9.]+$"], seconds: 30).status == 0)
    _ = try type(server, "b", "poweroff -f", until: "Power down")
    try server.wait("b is not gone") { try server.domain("b") == nil }
  }

  /// Linux maps its kernel with translation registers 0 of both sides, for the kernel alone (arch/ia64/kernel/head.S).
  private func explains(_ server: HostServer) throws {
    func explain(_ options: String...) throws -> Epicure.Result {
      try Epicure.run(["explain", "va", "--socket", server.socket, "0xa000000100000000", "--domain", "b"] + options)
    }
    let code = try explain("--access", "execute", "--privilege", "0", "--vcpu", "1").text
    for step in ["<ia64_ivt>", "rr5 = ", "itr0 has it", "64M at ", "guest-physical 0x", "machine    0x", "the reference is made"] {
      #expect(code.contains(step), "\(step): \(code)")
    }
    let user = try explain("--access", "write", "--privilege", "3").text
    #expect(user.contains("dtr0 has it") && user.contains("Data Access Rights fault, vector 0x5300"), "\(user)")
    let mistake = try explain("--vcpu", "2")
    #expect(mistake.status == 2 && mistake.errors.contains("b has the virtual processors 0 to 1"), "\(mistake.errors)")
  }

  /// A panic is a crash; its report says what the kernel did.
  @Test func panic() throws {
    let server = try server()
    try server.run("create", "-q", "linux.cfg", "on_crash=preserve")
    #expect(try server.result(["console", "linux", "--until", "EPICURE GUEST READY"], seconds: 200).status == 0)
    _ = try server.result(
      ["console", "linux", "--new", "--until", "Kernel panic"], input: "echo c > /proc/sysrq-trigger\n", seconds: 60)
    try server.wait("no crash") { try server.domain("linux")?["state"] as? String == "----c-" }
    let report = try server.run("crash-report", "linux")
    #expect(report.contains("Reason: the guest failed:") && report.contains("Kernel panic - not syncing"))
    // The innermost functions of a panic, found without unwind tables.
    let backtrace = report.split(separator: "\n").filter { $0.hasPrefix("    #") }
    #expect(backtrace.contains { $0.contains(" panic") }, "\(report)")
    #expect(report.components(separatedBy: "Last exits")[1].split(separator: "\n").count > 32)
  }
}
