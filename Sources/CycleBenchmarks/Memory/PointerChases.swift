/// Latencies of the memory levels by pointer chase: each load's address is the result of the one before.
///
/// A ring of pointers is larger than the levels that it must miss and fits the one that it must hit. The short run goes around once at
/// least, so the difference to the long one is the steady state. To compare with latencies to an ALU instruction, subtract one: from
/// load to address takes a cycle more. The loop branch has its cycle in the shadow of a load, so nothing is subtracted for it.
enum PointerChases {
  static func all(_ core: Core) -> [Benchmark] { caches(core) + translated(core) + uses(core) + sizes + forwarding }

  private static let unrolled = 16
  private static let chase = Text.repeated(unrolled) { _ in Text.alone("ld8 r20=[r20]") }

  private static func code(stride: UInt64, count: Int, _ translation: Code.Translation = .physical) -> Code {
    let base = translation == .physical ? 0 : Registers.region
    return Code.loop(chase).with(\.memory, [.ring(at: Registers.data, stride: stride, count: count)]).with(
      \.translation, translation
    )
    .with(\.registers, [20: base | Registers.data])
  }

  private static func ring(
    _ name: String, stride: UInt64, count: Int, _ translation: Code.Translation, _ published: Published?, remark: String? = nil,
    reason: String? = nil
  ) -> Benchmark {
    let around = (count + unrolled - 1) / unrolled
    let few = max(2 * around, 8)
    return Benchmark(
      "memory/\(name)", unit: "cycles per load",
      Method(code(stride: stride, count: count, translation), units: unrolled, passes: (few, few + max(2 * around, 16))), published,
      remark: remark, reason: reason)
  }

  /// Physical addresses: no TLB has a part.
  private static func caches(_ core: Core) -> [Benchmark] {
    let l3: Published =
      switch core {
      case .mckinley: Published(.between(13, 17), "KAPI")
      case .madison: Published(.between(15, 16), "7CPU, MICRO05")
      case .montecito: Published(.between(15, 16), "7CPU, MICRO05", .high)
      }
    return [
      ring("l1d", stride: 64, count: 128, .physical, Published(.exactly(2), "KAPI, GCC, 7CPU")),
      ring("l2", stride: 64, count: 2048, .physical, Published(.exactly(6), "7CPU, KAPI")),
      ring(
        "l3", stride: 128, count: 8192, .physical, l3, remark: "1 MB; 14 to an ALU instruction, 20 with an L1 DTLB miss on Madison"),
      ring("memory", stride: 128, count: 196_608, .physical, nil, remark: "24 MB; depends on the server's memory"),
    ]
  }

  /// Pages of 16 KB; the L1 DTLB holds 32 translations of 4 KB.
  private static func translated(_ core: Core) -> [Benchmark] {
    // 20 and 35 were measured on Madison; for the others, their own L3 with the same L1 DTLB miss and walk, which Intel gives 25 cycles
    // at least.
    let (missed, walked): (Published, Published) =
      switch core {
      case .mckinley: (Published(.between(17, 21), "KAPI, 7CPU"), Published(.between(32, 46), "KAPI, 7CPU"))
      case .madison: (Published(.exactly(20), "7CPU"), Published(.between(35, 45), "7CPU"))
      case .montecito:
        (Published(.between(19, 20), "7CPU, MICRO05", .high), Published(.between(34, 45), "7CPU, MICRO05", .high))
      }
    return [
      ring("l1d-translated", stride: 64, count: 128, .register, Published(.exactly(2), "KAPI, GCC, 7CPU")),
      ring(
        "l2-translated", stride: 64, count: 1024, .register, Published(.exactly(6), "7CPU, KAPI"),
        remark: "64 KB: the L1 DTLB covers it"),
      ring(
        "l2-l1dtlb-miss", stride: 4096 + 64, count: 60, .register, Published(.exactly(10), "7CPU"),
        remark: "60 lines in 60 pieces of 4 KB: L1D would hold them, but is not used after a miss of the L1 DTLB"),
      ring(
        "l3-l1dtlb-miss", stride: 4096 + 128, count: 3800, .register, missed, remark: "20 measured on Madison"),
      ring(
        "l3-walk", stride: 16384 + 128, count: 6000, .walked, walked,
        remark: "15 more for the walk, measured on Madison; Intel's minimum for a walk is about 25"),
      ring(
        "l2-walk", stride: 16384 + 128, count: 480, .walked, Published(.between(25, 35), "7CPU"),
        remark: "the entries of the table are in L2"),
      ring(
        "l2-walk-192-pages", stride: 16384 + 128, count: 192, .walked, Published(.between(25, 35), "7CPU"),
        remark: "more than the 128 translations of the L2 DTLB"),
      ring(
        "l2-120-pages", stride: 16384 + 128, count: 120, .walked, Published(.exactly(10), "7CPU"), remark: "the L2 DTLB holds them"),
    ]
  }

  /// The staircase.
  private static var sizes: [Benchmark] {
    [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384].map { kilobytes in
      ring("size-\(kilobytes)k", stride: 128, count: kilobytes * 8, .physical, nil, remark: "stride 128, physical")
    }
  }

  // MARK: To a use

  /// A load from a working set that wraps around, and what uses its result: an ALU instruction, or an FP one. Each pass loads another line.
  /// The offset is kept in r30, within the mask in r31.
  private static func use(_ name: String, kilobytes: UInt64, float: Bool, _ published: Published) -> Benchmark {
    func code(_ register: String) -> Code {
      let load = float ? "ldf8 f14=[r23]" : "ld8 r14=[r23]"
      let consumer = float ? "xma.l f16=f\(register),f22,f22" : "add r16=r\(register),r21"
      return Code.loop(
        Text.alone("add r23=r20,r30") + Text.alone("adds r30=128,r30") + Text.alone("and r30=r30,r31") + Text.idle(28)
          + Text.alone(load)
          + Text.alone(consumer)
      ).with(\.registers, [30: 0, 31: kilobytes * 1024 - 1])
    }
    let around = Int(kilobytes) * 8
    return Benchmark(
      "memory/\(name)", unit: "cycles", Method(code("14"), minus: code("15"), offset: 1, passes: (2 * around, 3 * around)),
      published)
  }

  private static func uses(_ core: Core) -> [Benchmark] {
    let (l3, source): (ClosedRange<Double>, String) = core == .mckinley ? (12...16, "KAPI") : (14...15, "7CPU, MICRO05")
    let confidence = core == .montecito ? Confidence.high : .verified
    return [
      use("l2-to-alu", kilobytes: 128, float: false, Published(.exactly(5), "KAPI, GCC, PFM")),
      use("l2-to-float", kilobytes: 128, float: true, Published(.exactly(6), "KAPI, GCC, GMP")),
      use("l3-to-alu", kilobytes: 1024, float: false, Published(.between(l3.lowerBound, l3.upperBound), source, confidence)),
      use(
        "l3-to-float", kilobytes: 1024, float: true, Published(.between(l3.lowerBound + 1, l3.upperBound + 1), source, confidence)),
    ]
  }

  // MARK: Store to load

  /// A load of the doubleword that was stored `distance` groups before: within three cycles it goes to L2.
  private static var forwarding: [Benchmark] {
    (1...5).map { distance in
      func body(_ address: String) -> String {
        Text.idle(12) + Text.alone("st8 [r25]=r20") + Text.idle(distance - 1) + Text.alone("ld8 r14=[\(address)]")
          + Text.alone("add r16=r14,r21")
      }
      return Benchmark(
        "memory/store-load-\(distance)", unit: "cycles from load", Method(.loop(body("r25")), minus: .loop(body("r26")), offset: 1),
        Published(distance <= 3 ? .atLeast(5) : .exactly(1), distance <= 3 ? "SGI, KAPI" : "SGI"),
        remark: distance <= 3 ? "from L2: five cycles at best" : nil)
    }
  }
}
