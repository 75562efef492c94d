import Foundation
import HostResources
import Hypervisor
import Inspection
import Platform
import Processor

/// What a domain leaves behind that has crashed: text for people.
struct CrashReport {
  let text: String
  private let name: String
  private let date: Date

  /// Reports that are kept; a domain that crashes for ever must not fill the disk.
  private static let kept = 64
  private static let consoleLines = 40

  init(_ domain: HostedDomain, reason: String, at cycle: UInt64) {
    name = domain.configuration.name
    date = Date()
    var lines = [
      "Domain \(name) (id \(domain.id)) crashed at \(Self.stamp(date)).", "Reason: \(reason)",
      "Guest time \(String(format: "%.6f", Cycles.seconds(cycle))) s, \(domain.virtualProcessorCount) virtual processors, \(domain.configuration.memory) MiB",
    ]
    if let server = domain.server, let hvm = server.domain {
      let symbols = domain.symbols
      for virtual in hvm.virtualProcessors { lines += Self.describe(virtual, server.memory, symbols) }
    }
    lines += ["", "Last lines of the console"]
    let console = String(decoding: domain.console.history, as: UTF8.self).split(whereSeparator: \.isNewline)
    lines += console.suffix(Self.consoleLines).map { "  " + Self.printable($0) }
    text = lines.joined(separator: "\n") + "\n"
  }

  private static func stamp(_ date: Date) -> String { ISO8601DateFormatter().string(from: date) }
  private static func hex(_ value: UInt64) -> String { String(format: "%016llx", value) }
  /// What a guest writes must not reach a terminal as it is.
  private static func printable(_ text: Substring) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || 0x7F..<0xA0 ~= $0.value ? " " : $0 }))
  }

  // MARK: Virtual processors

  static func describe(_ virtual: VirtualProcessor, _ memory: any GuestMemory, _ symbols: SymbolTable?) -> [String] {
    var lines = ["", "Virtual processor \(virtual.index)"]
    virtual.processor.withGuest(virtual.guest) {
      lines += registers(virtual.processor, symbols)
      lines.append("  Backtrace")
      let frames = GuestBacktrace(virtual.processor, memory: memory, symbols: symbols).addresses
      for (number, address) in frames.enumerated() {
        lines.append("    #\(number) \(hex(address))" + (symbols?.name(of: address).map { " " + $0 } ?? ""))
      }
    }
    lines.append("  Last exits, oldest first: cycle, ip, reason, detail")
    for exit in virtual.exits.last {
      let name = symbols?.name(of: exit.ip & ~0xF).map { " (\($0))" } ?? ""
      lines.append("    \(exit.cycle) \(hex(exit.ip)) \(exit.kind.name) \(hex(exit.detail))\(name)")
    }
    return lines
  }

  static func registers(_ processor: LogicalProcessor, _ symbols: SymbolTable?) -> [String] {
    let s = processor.state
    let name = symbols?.name(of: s.pointee.ip).map { " " + $0 } ?? ""
    var lines = [
      "  ip   \(hex(s.pointee.ip))\(name)",
      "  psr  \(hex(s.pointee.psr))  cfm  \(hex(processor.cfm))  pfs  \(hex(s.ar[AR.pfs]))",
      "  bsp  \(hex(s.pointee.bsp))  store \(hex(s.pointee.bspStore)) rnat \(hex(s.pointee.rnat))",
    ]
    lines += table(
      "cr.",
      [("iva", CR.iva), ("pta", CR.pta), ("dcr", CR.dcr), ("ipsr", CR.ipsr), ("isr", CR.isr), ("iip", CR.iip)].map {
        ($0.0, s.cr[$0.1])
      })
    lines += table(
      "cr.",
      [("ifa", CR.ifa), ("itir", CR.itir), ("ifs", CR.ifs), ("iim", CR.iim), ("iha", CR.iha), ("tpr", CR.tpr)].map {
        ($0.0, s.cr[$0.1])
      })
    lines += table("rr", (0..<8).map { (String($0), s.rr[$0]) })
    lines += table("b", (0..<8).map { (String($0), s.br[$0]) })
    lines += table("r", (0..<32).map { (String($0), s.gr[$0]) })
    lines += table("r", (32..<32 + s.pointee.sof).map { (String($0), s.gr[$0]) })
    lines.append("  pr   " + (0..<64).map { s.pr[$0] != 0 ? "1" : "0" }.joined())
    return lines
  }

  /// Four to a line.
  private static func table(_ prefix: String, _ values: [(name: String, value: UInt64)]) -> [String] {
    stride(from: 0, to: values.count, by: 4).map { first in
      "  "
        + values[first..<min(first + 4, values.count)].map {
          (prefix + $0.name).padding(toLength: 8, withPad: " ", startingAt: 0) + hex($0.value)
        }.joined(separator: "  ")
    }
  }

  // MARK: Files

  /// Writes it into `folder`; the file's path, or nil if that is not possible.
  func write(to folder: String) -> String? {
    let manager = FileManager.default
    try? manager.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let time = Self.stamp(date).replacingOccurrences(of: ":", with: "")
    var path = "\(folder)/\(name)@\(time).txt"
    var number = 1
    while manager.fileExists(atPath: path) {
      number += 1
      path = "\(folder)/\(name)@\(time)-\(number).txt"
    }
    do throws(StorageProblem) { try ReplacedFile(path: path).write(Array(text.utf8)) } catch { return nil }
    Self.tidy(folder)
    return path
  }

  /// The file of a domain's last report.
  static func latest(of name: String, in folder: String) -> String? {
    reports(folder).filter { $0.name.hasPrefix(name + "@") }.last.map { "\(folder)/\($0.name)" }
  }

  private static func tidy(_ folder: String) {
    for report in reports(folder).dropLast(kept) {
      for name in [report.name, report.name + ".trace"] { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
    }
  }

  /// Oldest first.
  private static func reports(_ folder: String) -> [(date: Date, name: String)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".txt") && $0.contains("@") }.map { name in
      let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
      return (attributes?[.modificationDate] as? Date ?? .distantPast, name)
    }.sorted { $0 < $1 }
  }
}
