/// Bytes per cycle that loads get from each level, and what accesses cost that meet in a bank.
enum Bandwidths {
  static func all() -> [Benchmark] { nearest + streams + banks + misses + instructions }

  private static func stream(
    _ name: String, _ code: Code, minus reference: Code, bytes: Int, passes: (few: Int, many: Int) = (64, 192),
    _ published: Published?, remark: String? = nil
  ) -> Benchmark {
    Benchmark(
      "bandwidth/\(name)", unit: "bytes per cycle", Method(code, minus: reference, units: bytes, isRate: true, passes: passes),
      published,
      remark: remark)
  }

  /// A loop that does not move on: sixteen pairs of bundles, the reference eight.
  private static var nearest: [Benchmark] {
    func loads(_ count: Int) -> Code {
      .loop(
        Text.repeated(count) { n in
          Text.bundle("mmi", ["ld8 r16=[r23]", "ld8 r17=[r24]", "nop 0"])
            + Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"], stop: true)
        })
    }
    let addresses = (0..<4).map { Text.alone("adds r\(23 + $0)=\($0 * 16),r20") }.joined()
    func pairs(_ count: Int) -> Code {
      .loop(
        Text.repeated(count) { n in
          Text.bundle(
            "mmi",
            [
              "ldfpd f\(32 + 4 * n),f\(33 + 4 * n)=[r\(23 + n % 2 * 2)]",
              "ldfpd f\(34 + 4 * n),f\(35 + 4 * n)=[r\(24 + n % 2 * 2)]", "nop 0",
            ])
            + Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"], stop: true)
        }, setup: addresses)
    }
    return [
      stream("l1d-load", loads(16), minus: loads(8), bytes: 8 * 16, Published(.exactly(16), "7CPU, KAPI")),
      stream("l2-float-pair", pairs(16), minus: pairs(8), bytes: 8 * 32, Published(.exactly(32), "7CPU, 251110")),
    ]
  }

  // MARK: Streams

  /// Loads of pairs over a working set that wraps around: a pass reads 1024 bytes, and prefetches the lines `ahead` bytes on if asked to.
  /// The offset is kept in r30, within the mask in r31.
  private static func walk(kilobytes: UInt64, ahead: Int?) -> Code {
    var body =
      Text.alone("{ .mmi\nadd r23=r20,r30\nadds r30=1024,r30\nnop 0\n}")
      + Text.alone("{ .mmi\nadds r24=16,r23\nand r30=r30,r31\nnop 0\n}")
    if let ahead {
      body += Text.alone("{ .mmi\naddl r25=\(ahead),r0\nnop 0\nnop 0\n}") + Text.alone("{ .mmi\nadd r25=r25,r23\nnop 0\nnop 0\n}")
    }
    for n in 0..<32 {
      let register = 32 + n % 16 * 4
      let prefetch = ahead != nil && n % 4 == 0 ? "lfetch [r25],128" : "nop 0"
      body += Text.bundle(
        "mmi", ["ldfpd f\(register),f\(register + 1)=[r23]", "ldfpd f\(register + 2),f\(register + 3)=[r24]", "adds r23=32,r23"])
      body += Text.bundle("mmi", [prefetch, "adds r24=32,r24", "nop 0"], stop: true)
    }
    return Code.loop(body).with(\.registers, [30: 0, 31: kilobytes * 1024 - 1])
  }

  private static var streams: [Benchmark] {
    func level(_ name: String, kilobytes: UInt64, ahead: Int?, _ published: Published?, remark: String? = nil) -> Benchmark {
      let around = Int(kilobytes)
      return stream(
        name, walk(kilobytes: kilobytes, ahead: ahead), minus: .loop(""), bytes: 1024, passes: (2 * around, 4 * around), published,
        remark: remark)
    }
    return [
      level("l2-stream", kilobytes: 128, ahead: nil, Published(.atMost(32), "7CPU, 251110")),
      level(
        "l3-stream", kilobytes: 2048, ahead: nil, Published(.atMost(32), "7CPU"),
        remark: "loads alone: as far as outstanding misses go"),
      level(
        "l3-stream-prefetched", kilobytes: 2048, ahead: 2048, Published(.atMost(32), "7CPU"),
        remark: "lfetch 2 KB ahead; a third load-type instruction splits each fourth group"),
      level(
        "memory-stream", kilobytes: 32768, ahead: nil, Published(.atMost(5.33), "FSB"),
        remark: "loads alone, with targets for 512 bytes: four lines under way"),
      level(
        "memory-stream-prefetched", kilobytes: 32768, ahead: 2048, Published(.atMost(5.33), "FSB"),
        remark: "lfetch 2 KB ahead; the bus is the limit"),
    ]
  }

  // MARK: Banks

  /// Two accesses of one cycle whose addresses agree in bits 7:4 or not, and a use of the younger one's result.
  private static var banks: [Benchmark] {
    func loads(_ distance: Int) -> Code {
      let setup = Text.alone("adds r23=4096,r20") + Text.alone("adds r24=\(4096 + distance),r20")
      return .loop(
        Text.idle(12) + Text.bundle("mmi", ["ldf8 f14=[r23]", "ldf8 f15=[r24]", "nop 0"], stop: true)
          + Text.alone("xma.l f16=f15,f22,f22"), setup: setup)
    }
    func benchmark(_ name: String, _ distance: Int, _ published: Published?, remark: String) -> Benchmark {
      Benchmark("bank/\(name)", unit: "cycles lost", Method(loads(distance), minus: loads(1024 + 32)), published, remark: remark)
    }
    return [
      benchmark(
        "conflict", 1024, nil, remark: "same bank of 16 bytes, another line: the younger load is cancelled and tried again"),
      benchmark("same-16-bytes", 8, Published(.exactly(0), "PFM"), remark: "both in the same 16 bytes: no conflict"),
      benchmark("other-bank", 1024 + 16, Published(.exactly(0), "PFM"), remark: "neighbouring banks"),
    ]
  }

  // MARK: Outstanding misses

  /// Loads of lines that miss L2, as many in a row as the pass has, then something that needs the last: the more there can be under way,
  /// the less each costs.
  private static var misses: [Benchmark] {
    [1, 2, 4, 8, 16, 32].map { count in
      let loads = Text.repeated(count) { n in Text.alone("ld8 r\(64 + n)=[r23],128") }
      let body =
        Text.alone("{ .mmi\nadd r23=r20,r30\nadd r30=r29,r30\nnop 0\n}")
        + Text.alone("and r30=r30,r31") + loads + Text.alone("add r16=r\(63 + count),r21")
      let code = Code.loop(body).with(\.registers, [29: UInt64(128 * count), 30: 0, 31: 0x1F_FFFF])
      let around = 0x20_0000 / 128 / count
      return Benchmark(
        "misses/l3-\(count)", unit: "cycles per line", Method(code, units: count, passes: (2 * around, 4 * around)), nil,
        remark: "\(count) in a row from L3, then a use of the last")
    }
  }

  // MARK: Instructions

  /// Straight code that is larger than L1I: the cost of a line of 64 bytes beside the cycles of its groups.
  private static var instructions: [Benchmark] {
    func code(_ kilobytes: Int) -> Code {
      .loop(
        Text.repeated(kilobytes * 32) { _ in
          Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"]) + Text.bundle("mmi", ["nop 0", "nop 0", "nop 0"], stop: true)
        })
    }
    return [("l1i", 8, 4), ("l2i", 64, 32)].map { name, large, small in
      Benchmark(
        "fetch/\(name)", unit: "cycles per 64 bytes",
        Method(code(large), minus: code(small), units: (large - small) * 16, passes: (4, 12)), nil,
        remark: "straight code; two of its cycles for the bundles")
    }
  }
}
