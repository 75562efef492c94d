import Foundation
import IA64
import Pipeline
import Processor
import Testing

/// Lines that the front end reads.
struct FetchTests {
  /// Straight code of groups of two bundles reads each line of 64 bytes once, whether the groups begin at lines or lie across their boundaries.
  @Test(arguments: 0...3)
  func eachLineIsReadOnce(leading: Int) throws {
    let single = "{ .mmi\n nop 0\n nop 0\n nop 0 ;;\n }\n"
    let double = "{ .mmi\n nop 0\n nop 0\n nop 0\n }\n" + single
    func reads(_ pairs: Int) throws -> Int {
      let padding = String(repeating: single, count: leading)
      let bench = try CounterBench(padding + String(repeating: double, count: pairs), counters: [])
      bench.run()
      let pipeline = try #require(bench.pipeline)
      let report = try JSONSerialization.jsonObject(with: JSONEncoder().encode(CycleReport([pipeline]) { _ in nil }))
      let caches = try #require((report as? [String: Any])?["cache"] as? [String: Any])
      let l1i = try #require(caches["l1i"] as? [String: Any])
      return try #require(l1i["accesses"] as? Int)
    }
    // 64 bundles more are 16 lines more.
    let (many, few) = (try reads(40), try reads(8))
    #expect(many - few == 16, "\(many) and \(few)")
  }
}
