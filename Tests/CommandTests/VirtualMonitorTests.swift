import Foundation
import TestSupport
import Testing

/// `GuestImages/vmm`: a virtual machine monitor as a kernel would be one, with a guest of its own, which checks what it gets. What the
/// exits must be is counted in `guest.S`.
@Suite("A virtual machine monitor as a guest", .ends(withinMinutes: 5)) struct VirtualMonitorTests {
  static let image = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("GuestImages/vmm/vmm.elf.gz")

  /// Instructions that no acceleration covers, and what is no instruction.
  static let always = [
    "itc.d": 2, "mov rr=r": 1, "mov r=rr": 1, "ptc.l": 1, "thash": 1, "tpa": 1, "rfi": 6, "mov psr.l=r": 1, "break": 1, "call": 4,
    "alternate data TLB": 2, "external interrupt": 3,
  ]
  /// All of it intercepted.
  static let plain = always.merging([
    "mov cr=r": 15, "mov r=cr": 12, "mov r=psr": 2, "ssm": 3, "rsm": 2, "mov r=ar": 5, "mov r=cpuid": 1, "cover": 1, "bsw.0": 2,
    "bsw.1": 2,
  ]) { $1 }
  /// TPR, the interruption registers while the guest's PSR.ic is 0, PSR.i, PSR, CPUID, cover, bsw, ITC: without an exit. Each interrupt is
  /// announced by vhpi.
  static let accelerated = always.merging([
    "mov cr=r": 9, "mov r=cr": 5, "ssm": 1, "virtual external interrupt": 3,
  ]) { $1 }

  private func runs(_ text: String) -> [String: [String: Int]] {
    var runs: [String: [String: Int]] = [:]
    var current = ""
    for line in text.split(whereSeparator: \.isNewline).map(String.init) {
      if line.hasPrefix("run with vac ") {
        current = String(line.dropFirst(13))
        runs[current] = [:]
      } else if line.hasPrefix("exit "), let colon = line.range(of: ": ") {
        runs[current]?[String(line[line.index(line.startIndex, offsetBy: 5)..<colon.lowerBound])] = Int(line[colon.upperBound...])
      }
    }
    return runs
  }

  @Test(arguments: [[], ["--timing", "cycle"]]) func exits(_ options: [String]) throws {
    let result = try Epicure.run(["boot", "--virtualization", "none", "--kernel", Self.image.path] + options)
    #expect(result.status == 0, "\(result.text)")
    #expect(result.errors.isEmpty)
    let lines = result.text.split(whereSeparator: \.isNewline).map(String.init)
    #expect(lines.first == "Epicure's example of a virtual machine monitor")
    #expect(lines.last == "EPICURE VMM PASSED")
    for part in ["registers", "translations", "break", "interrupts"] {
      #expect(lines.filter { $0 == "guest: \(part)" }.count == 2)
    }
    let runs = runs(result.text)
    #expect(runs["0x0"] == Self.plain)
    #expect(runs["0x7f"] == Self.accelerated)
  }

  /// The processors of a domain have no virtual machines of their own, and say so.
  @Test func underTheHypervisor() throws {
    let result = try Epicure.run(["boot", "--virtualization", "hvm", "--kernel", Self.image.path])
    #expect(result.status == 1)
    #expect(result.text.contains("MONITOR FAILED: no virtual machine features"))
  }

  /// By blocks and by single instructions, all of it.
  @Test func lockstep() throws {
    let result = try Epicure.run(["boot", "--virtualization", "none", "--kernel", Self.image.path, "--lockstep", "1"])
    #expect(result.status == 0)
    #expect(result.text.contains("EPICURE VMM PASSED"))
    #expect(result.errors.contains("engine and stepper agree"))
  }
}
