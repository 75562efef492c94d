import Arithmetic
import Testing

/// Shifts, counts and instructions that rearrange elements, against the manual's pictures spelled as lists of elements.
@Suite struct ParallelPermutationTests {
  private func forPairs(_ seed: UInt64, _ body: (inout Campaign, UInt64, UInt64) -> Void) {
    var campaign = Campaign()
    var source = ElementSource(g: SplitMix(seed))
    for _ in 0..<2_000 { body(&campaign, source.next(), source.next()) }
    campaign.finish(seed)
  }

  @Test func shifts() {
    let counts: [UInt64] = [0, 1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1 << 32, 1 << 63, ~0]
    forPairs(610) { campaign, r, other in
      for size in [2, 4] {
        let x = Lanes(size, r)
        for count in counts + [other] {
          let n = Int(min(count, 63))
          let tooFar = count >= UInt64(8 * size)
          let context = "\(x) by \(count)"
          campaign.check(
            ParallelInteger.shiftLeft(r, count, size), tooFar ? 0 : Lanes(size, x.values.map { $0 << n }).register,
            "pshl\(size) \(context)")
          campaign.check(
            ParallelInteger.shiftRight(r, count, size, unsigned: true),
            tooFar ? 0 : Lanes(size, x.values.map { $0 >> n }).register, "pshr\(size).u \(context)")
          campaign.check(
            ParallelInteger.shiftRight(r, count, size, unsigned: false), Lanes(size, x.signed.map { $0 >> n }).register,
            "pshr\(size) \(context)")
        }
      }
    }
  }

  @Test func mixAndUnpack() {
    forPairs(611) { campaign, r2, r3 in
      for size in [1, 2, 4] {
        let (x, y) = (Lanes(size, r2), Lanes(size, r3))
        let count = 8 / size
        // Result elements from the right: r3's before r2's.
        var left: [Int] = [], right: [Int] = [], high: [Int] = [], low: [Int] = []
        for i in 0..<(count / 2) {
          right += [y.values[2 * i], x.values[2 * i]]
          left += [y.values[2 * i + 1], x.values[2 * i + 1]]
          low += [y.values[i], x.values[i]]
          high += [y.values[count / 2 + i], x.values[count / 2 + i]]
        }
        let context = "\(size) \(x) \(y)"
        campaign.check(ParallelInteger.mix(r2, r3, size, left: true), Lanes(size, left).register, "mix.l \(context)")
        campaign.check(ParallelInteger.mix(r2, r3, size, left: false), Lanes(size, right).register, "mix.r \(context)")
        campaign.check(
          ParallelInteger.unpack(r2, r3, size, high: true), Lanes(size, high).register, "unpack.h \(context)")
        campaign.check(
          ParallelInteger.unpack(r2, r3, size, high: false), Lanes(size, low).register, "unpack.l \(context)")
      }
    }
  }

  @Test func pack() {
    forPairs(612) { campaign, r2, r3 in
      for (size, unsigned) in [(2, false), (2, true), (4, false)] {
        let (x, y) = (Lanes(size, r2), Lanes(size, r3))
        let expected = Lanes(
          size / 2, (x.signed + y.signed).map { Lanes.saturate($0, size / 2, signed: !unsigned) })
        campaign.check(
          ParallelInteger.pack(r2, r3, size, unsigned: unsigned), expected.register,
          "pack\(size) unsigned \(unsigned) \(x) \(y)")
      }
    }
  }

  @Test func mux() {
    // Source of each result byte from the right (Volume 3, mux, the five pictures).
    let permutations: [(UInt64, [Int])] = [
      (0, [0, 0, 0, 0, 0, 0, 0, 0]), (8, [0, 4, 2, 6, 1, 5, 3, 7]), (9, [0, 4, 1, 5, 2, 6, 3, 7]),
      (10, [0, 2, 4, 6, 1, 3, 5, 7]), (11, [7, 6, 5, 4, 3, 2, 1, 0]),
    ]
    forPairs(613) { campaign, r, other in
      let bytes = Lanes(1, r), words = Lanes(2, r)
      for (type, sources) in permutations {
        campaign.check(
          ParallelInteger.mux1(r, type), Lanes(1, sources.map { bytes.values[$0] }).register, "mux1 \(type) \(bytes)")
      }
      let type = Int(other & 0xFF)
      let sources = [type % 4, type / 4 % 4, type / 16 % 4, type / 64]
      campaign.check(
        ParallelInteger.mux2(r, UInt64(type)), Lanes(2, sources.map { words.values[$0] }).register,
        "mux2 \(type) \(words)")
    }
  }

  @Test func counts() {
    forPairs(614) { campaign, r, other in
      // Few zero elements, at any place.
      for r in [r, r | 0x0101_0101_0101_0101, (r | 0x0101_0101_0101_0101) & ~(0xFF << (other & 56)), 0, ~0] {
        for size in [1, 2] {
          let x = Lanes(size, r)
          campaign.check(
            ParallelInteger.countZeros(r, size, left: false), UInt64(x.values.firstIndex(of: 0) ?? x.values.count),
            "czx\(size).r \(x)")
          let fromLeft = Array(x.values.reversed())
          campaign.check(
            ParallelInteger.countZeros(r, size, left: true), UInt64(fromLeft.firstIndex(of: 0) ?? fromLeft.count),
            "czx\(size).l \(x)")
        }
      }
      let shifted = r >> (other & 63)
      let digits = Array(String(shifted, radix: 2))
      campaign.check(
        ParallelInteger.populationCount(shifted), UInt64(digits.filter { $0 == "1" }.count), "popcnt \(shifted)")
      campaign.check(
        ParallelInteger.countLeadingZeros(shifted), shifted == 0 ? 64 : UInt64(64 - digits.count), "clz \(shifted)")
    }
  }

  /// addp4 and shladdp4: 32 bits of the sum, bits 31:30 of r3 as bits 62:61 (Volume 3, addp4).
  @Test func pointers() {
    forPairs(615) { campaign, sum, r3 in
      let region = r3 % (1 << 32) / (1 << 30)
      campaign.check(
        ParallelInteger.pointer(sum, r3), sum % (1 << 32) + region * (1 << 61), "addp4 \(sum) \(r3)")
    }
  }
}
