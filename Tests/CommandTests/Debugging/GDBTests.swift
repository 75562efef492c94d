import Foundation
import TestSupport
import Testing

/// The real gdb-multiarch attached to guests. Addresses are those of the kernel's own System.map and of GNU objdump; values are what the
/// kernel's source says they must be.
@Suite("epicure boot --gdb", .enabled(if: GDBSession.shouldRun, GDBSession.advice), .serialized, .ends(withinMinutes: 10))
struct GDBTests {
  private static let ready = "EPICURE GUEST READY"

  private func linux(_ mode: String, _ options: [String] = []) throws -> [String] {
    try [
      "--virtualization", mode, "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd",
      Guests.file("linux-6.1/initramfs.cpio.gz").path,
    ] + options
  }

  /// From the first instruction to the shell, on the bare machine and in a domain.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice), arguments: ["none", "hvm"]) func linux(_ mode: String) throws {
    let folder = try TemporaryFolder()
    let kernel = try SymbolicKernel(in: folder)
    let back = try kernel.firstReturn(behind: "ia64_leave_syscall")
    let session = try GDBSession(linux(mode, ["--cpus", "2", "--until", Self.ready]))
    let text = try session.gdb(
      """
      {start}
      info threads
      hbreak *run_init_process
      {kernel}
      break start_kernel
      continue
      print/x $pc
      backtrace 1
      delete 2
      {init}
      continue
      x/s $r32
      backtrace
      {step}
      stepi
      print/x $pc
      stepi
      print/x $pc
      delete
      {return}
      break *0x\(String(back, radix: 16))
      continue
      print/x $pc
      monitor cr
      stepi
      print/x $pc
      print/x ($psr >> 32) & 3
      delete
      {watch}
      watch *(unsigned long *) &jiffies_64
      continue
      backtrace 1
      delete
      {others}
      thread apply all print/x $pc
      thread 2
      print/x $r13
      {monitor}
      monitor tlb d
      monitor rr
      monitor stats
      {memory}
      print/x *(unsigned int *) 0x\(String(try kernel.address("linux_banner"), radix: 16))
      x/s 0x\(String(try kernel.address("linux_banner"), radix: 16))
      {end}
      detach
      """, symbols: kernel.path)
    func part(_ name: String) -> String { GDBSession.part(name, of: text) }
    #expect(part("start").contains("Thread 2"), "\(text)")
    #expect(try part("kernel").contains("= 0x\(String(kernel.address("start_kernel"), radix: 16))"), "\(text)")
    #expect(part("kernel").contains("#0") && part("kernel").contains("start_kernel"))
    // init/main.c: kernel_init calls run_init_process(ramdisk_execute_command), which is "/init".
    #expect(part("init").contains("\"/init\""), "\(text)")
    #expect(part("init").contains("in kernel_init"), "\(text)")
    // Slots are executed one by one, and gdb names them by the low bits of the address. This bundle is an MLX: its long instruction is in slot 1,
    // and there is none in slot 2 (Volume 1, section 3.3).
    let first = try kernel.address("run_init_process")
    #expect(part("step").contains("= 0x\(String(first + 1, radix: 16))"), "\(text)")
    #expect(part("step").contains("= 0x\(String(first + 16, radix: 16))"), "\(text)")
    try checkReturn(part("return"), from: back)
    #expect(part("watch").contains("Hardware watchpoint") && part("watch").contains("Old value"), "\(text)")
    try checkWatch(part("watch"))
    #expect(part("others").components(separatedBy: "= 0x").count == 4, "\(part("others"))")
    // Linux/ia64 keeps `current` in r13: a task in region 7, or one of the kernel's own in region 5.
    let current = try #require(
      part("others").components(separatedBy: "= 0x").last.flatMap { UInt64($0.prefix { $0.isHexDigit }, radix: 16) })
    #expect(current >> 61 == 7 || current >> 61 == 5, "\(part("others"))")
    #expect(
      part("monitor").contains("dtr0") && part("monitor").contains("rr7") && part("monitor").contains("processor 1:"), "\(text)")
    // "Linu" in the guest's byte order.
    #expect(part("memory").contains("= 0x756e694c") && part("memory").contains("Linux version 6.1"), "\(text)")
    #expect(session.wait() == 0, "\(session.errors)")
    #expect(session.output.contains(Self.ready))
  }

  /// Behind an rfi the processor is where IIP and IPSR have said, at the privilege level of IPSR.
  private func checkReturn(_ text: String, from rfi: UInt64) throws {
    func register(_ name: String) -> UInt64? {
      guard let range = text.range(of: name + " ") else { return nil }
      return UInt64(text[range.upperBound...].drop { $0 == " " }.prefix { $0.isHexDigit }, radix: 16)
    }
    let values = text.components(separatedBy: "= 0x").dropFirst().map { UInt64($0.prefix { $0.isHexDigit }, radix: 16) }
    try #require(values.count == 3, "\(text)")
    let (iip, ipsr) = try (#require(register("cr.iip"), "\(text)"), #require(register("cr.ipsr"), "\(text)"))
    #expect(values[0] == rfi)
    #expect(values[1] == iip | ipsr >> 41 & 3, "\(text)")
    #expect(values[2] == ipsr >> 32 & 3, "\(text)")
  }

  /// kernel/time: a tick makes jiffies_64 larger, by a few at once at most.
  private func checkWatch(_ text: String) throws {
    func value(_ name: String) -> UInt64? {
      text.range(of: name + " = ").flatMap { UInt64(text[$0.upperBound...].prefix { $0.isNumber }) }
    }
    let (old, new) = try (#require(value("Old value"), "\(text)"), #require(value("New value"), "\(text)"))
    #expect(new > old && new - old < 100, "\(text)")
  }

  /// Somebody comes while the guest runs, looks, and goes; then another one.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func comesAndGoes() throws {
    let session = try GDBSession(linux("hvm", ["--gdb-nowait", "--until", Self.ready]))
    for _ in 0..<3 {
      let text = try session.gdb("{a}\nprint/x $pc\nmonitor exits 3\ndetach")
      #expect(GDBSession.value(text) != nil && text.contains("exits"), "\(text)")
    }
    #expect(session.wait() == 0, "\(session.errors)")
    #expect(session.output.contains(Self.ready))
  }

  /// gdb goes without a word, as when it crashes: the guest runs on. `kill` switches the machine off.
  @Test func endings() throws {
    let left = try GDBSession([])
    _ = try left.gdb("stepi\ndisconnect")
    #expect(left.wait() == 0, "\(left.errors)")
    #expect(left.output.contains("EPICURE SELFTEST PASSED"))
    let killed = try GDBSession([])
    _ = try killed.gdb("kill")
    #expect(killed.wait() == 0, "\(killed.errors)")
    #expect(!killed.output.contains("EPICURE SELFTEST PASSED"))
  }

  /// The end of the guest is the end of gdb's inferior, with the same status.
  @Test(arguments: ["none", "hvm"]) func runsToTheEnd(_ mode: String) throws {
    let session = try GDBSession(["--virtualization", mode])
    let text = try session.gdb("continue")
    #expect(text.contains("exited normally"), "\(text)")
    #expect(session.wait() == 0)
    #expect(session.output.contains("EPICURE SELFTEST PASSED"))
  }

  /// A paravirtualized guest: its own registers, the machine's frames behind its pages.
  @Test func paravirtual() throws {
    let session = try GDBSession(["--virtualization", "pv", "--memory", "256M", "--kernel", ParavirtualTests.image.path])
    let text = try session.gdb(
      """
      {start}
      print/x $pc
      stepi
      stepi
      print/x $pc
      {look}
      monitor exits
      monitor p2m 100000
      monitor cr
      detach
      """)
    let part = GDBSession.part("start", of: text)
    let places = part.components(separatedBy: "= 0x").dropFirst().compactMap { UInt64($0.prefix { $0.isHexDigit }, radix: 16) }
    #expect(places.count == 2 && places[0] != places[1], "\(text)")
    #expect(GDBSession.part("look", of: text).contains("-> machine"), "\(text)")
    #expect(session.wait() == 0, "\(session.errors)")
    #expect(session.output.contains("PV GUEST PASSED"))
  }

  /// A condition on what leaves the guest stops it there, and gdb is told which.
  @Test(.enabled(if: Guests.shouldRun, Guests.advice)) func breakCondition() throws {
    let session = try GDBSession(linux("hvm", ["--break", "exit cause=mov_to_rr", "--until", Self.ready]))
    let text = try session.gdb("{go}\ncontinue\nprint/x $pc\nmonitor exits 1\nkill")
    #expect(GDBSession.part("go", of: text).contains("epicure: --break: "), "\(text)")
    #expect(GDBSession.value(text) != nil, "\(text)")
  }

  @Test func badUsage() throws {
    for (arguments, text) in [
      (["--gdb", "nonsense"], "--gdb"), (["--gdb", "127.0.0.1:70000"], "--gdb"),
      (["--gdb", "example.invalid:0"], "is not an address"),
      (["--gdb-nowait"], "--gdb-nowait goes with --gdb"),
      (["--gdb", "0", "--lockstep", "1", "--virtualization", "none"], "--lockstep"),
    ] {
      let result = try Epicure.run(["boot"] + arguments)
      #expect(result.status == 2, "\(arguments): \(result.errors)")
      #expect(result.errors.contains(text), "\(arguments): \(result.errors)")
    }
  }
}
