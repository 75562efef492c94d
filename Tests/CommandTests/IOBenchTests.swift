import Foundation
import Testing

/// `epicure bench io`: its guest checks what it writes, and what it measures keeps to what the issue wants of the methods.
@Suite("Benchmark of input and output", .ends(withinMinutes: 10)) struct IOBenchTests {
  /// Requests of all sizes up to 1 MB, many at once, and frames, written and read back by every method.
  @Test func guestChecksItself() throws {
    let result = try Epicure.run(["bench", "io", "--check", "--timing", "functional"])
    #expect(result.status == 0, "\(result.errors.suffix(2000))")
    let lines = result.text.split(whereSeparator: \.isNewline)
    for method in ["native", "direct", "ide", "scsi", "virtio", "vbd", "vbd-hvm", "vscsi"] {
      #expect(lines.contains { $0.hasPrefix("block \(method): ") })
    }
    for method in ["native", "direct", "e1000", "virtio", "vnif", "vnif-hvm"] {
      #expect(lines.contains { $0.hasPrefix("network \(method): ") })
    }
    for line in lines {
      let count = try #require(line.split(separator: " ").dropFirst(2).first.flatMap { Int($0) })
      #expect(count >= 40, "\(line)")
    }
  }

  private struct Report: Decodable {
    struct Goal: Decodable {
      var text: String
      var value: Double
      var limit: Double?
      var is_at_least: Bool
    }
    struct Costs: Decodable {
      var exits: Double
      var host_cycles: Double
      var hypervisor_cycles: Double
      var bytes_copied: Double
    }
    struct Entry: Decodable {
      var method: String
      var device: String
      var of_native: Double?
      var per_request: Costs
    }
    var goals: [Goal]
    var entries: [Entry]
  }

  @Test func quickRunReachesItsGoals() throws {
    let folder = try TemporaryFolder()
    let (json, html) = (folder.url.appendingPathComponent("io.json"), folder.url.appendingPathComponent("io.html"))
    let result = try Epicure.run(["bench", "io", "--quick", "--json", json.path, "--html", html.path], seconds: 500)
    #expect(result.status == 0, "\(result.errors.suffix(2000))")
    let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: json))
    // PV 90 % and direct 98 % of native, 8 domains within 5 %: the ratios of one run.
    #expect(report.goals.count >= 6)
    for goal in report.goals {
      guard let limit = goal.limit else { continue }
      #expect(goal.is_at_least ? goal.value >= limit : goal.value <= limit, "\(goal.text): \(goal.value)")
    }
    for entry in report.entries {
      let costs = entry.per_request
      switch entry.method {
      case "native": #expect(costs.exits == 0 && costs.host_cycles == 0 && costs.hypervisor_cycles == 0)
      case "direct": #expect(costs.host_cycles == 0 && costs.bytes_copied == 0)
      // An emulated device is visited for each register.
      case "ide": #expect(costs.exits > 10 && costs.host_cycles > 0 && costs.bytes_copied > 0)
      case "vbd", "vbd-hvm", "vscsi": #expect(costs.bytes_copied == 0 && costs.host_cycles > 0)
      default: #expect(costs.host_cycles > 0)
      }
    }
    let page = try String(contentsOf: html, encoding: .utf8)
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("<svg") && page.contains("vbd"))
    // It needs nothing else: no scripts, no links.
    #expect(!page.contains("<script") && !page.contains("src=") && !page.contains("href="))
  }
}
