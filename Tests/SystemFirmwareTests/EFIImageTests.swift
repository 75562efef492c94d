import Foundation
import Platform
import Processor
import SystemFirmware
import TestSupport
import Testing

/// EFI applications run by the firmware: what they check themselves, and what happens to those that are damaged.
@Suite("EFI applications", .enabled(if: EFIBench.hasAssembler, EFIBench.missing), .ends(withinMinutes: 5)) struct EFIImageTests {
  private func run(_ name: String, options: String = "") throws -> (end: EFIBench.End, text: String) {
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    try bench.firmware.boot(application: EFIBench.image(name), name: name, options: options)
    return (bench.run(), bench.text)
  }

  @Test func hello() throws {
    let (end, text) = try run("hello")
    #expect(text == "Hello from an EFI application\r\n")
    #expect(end == .action(.imageReturned(0)))
  }

  /// GuestImages/efi/services.S says what each service must do.
  @Test func services() throws {
    let (end, text) = try run("services")
    #expect(text == "EFI SERVICES PASSED\r\n")
    #expect(end == .action(.imageReturned(0)))
  }

  /// The same on a machine that starts over: nothing is left of the first time.
  @Test func resetsStartOver() throws {
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    try bench.firmware.boot(application: EFIBench.image("services"), name: "services")
    _ = bench.run()
    try bench.firmware.reset()
    _ = bench.run()
    #expect(bench.text == "EFI SERVICES PASSED\r\nEFI SERVICES PASSED\r\n")
  }

  @Test func anExceptionIsReported() throws {
    let (end, text) = try run("faults")
    #expect(text.contains("An EFI image has failed: breakInstruction at 0x"), "\(text)")
    #expect(end == .action(.imageReturned(0x8000_0000_0000_0015)))
  }

  @Test func refusesWhatIsNoApplication() throws {
    let bench = try EFIBench()
    defer { withExtendedLifetime(bench) {} }
    let good = try EFIBench.image("hello")
    func error(_ bytes: [UInt8]) -> BootError? {
      do throws(BootError) { try bench.firmware.boot(application: bytes, name: "x") } catch { return error }
      return nil
    }
    #expect(error([]) == .notAnApplication("x", damaged: true))
    #expect(error(Array(good.prefix(0x150))) == .notAnApplication("x", damaged: true))
    var other = good
    // Machine: x86-64; then subsystem: Windows console.
    (other[0x44], other[0x45]) = (0x64, 0x86)
    #expect(error(other) == .notAnApplication("x", damaged: false))
    other = good
    other[0x58 + 68] = 3
    #expect(error(other) == .notAnApplication("x", damaged: false))
    #expect(error(good) == nil)
  }

  /// Random damage: refused, or run for a while; never a crash of the emulator.
  @Test func survivesDamage() throws {
    let seed = ProcessInfo.processInfo.environment["EPICURE_SEED"].flatMap { UInt64($0) } ?? 20_261_124
    let rounds = ProcessInfo.processInfo.environment["EPICURE_COMPLETE"] == "1" ? 5000 : 250
    var random = SplitMix(state: seed)
    let names = ["hello", "services", "child"]
    for round in 0..<rounds {
      var bytes = try EFIBench.image(names[round % names.count])
      let code = 0x1000..<bytes.count
      let areas = [0..<0x180, 0..<0x180, code, (bytes.count - 0x1000)..<bytes.count]
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        let area = areas[Int.random(in: 0..<areas.count, using: &random)]
        bytes[Int.random(in: area, using: &random)] =
          [0, 1, 0x7F, 0x80, 0xFF, UInt8(round & 0xFF)].randomElement(using: &random) ?? 0
      }
      if round % 10 == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
      let bench = try EFIBench(memorySize: 64 << 20)
      defer { withExtendedLifetime(bench) {} }
      guard (try? bench.firmware.boot(application: bytes, name: "damaged")) != nil else { continue }
      _ = bench.run(cycles: 3_000_000)
    }
  }
}
