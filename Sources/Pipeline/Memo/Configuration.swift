import Processor

/// What the front and the back end hold when a group has issued, as distances from the clock: how far fetching is ahead or behind, how full the
/// buffer is, which results are on their way. Two moments with the same configuration have the same future, as far as that depends on
/// neither memory nor branches.
///
/// What lies in memory's part of the model (caches, TLBs, recent stores) and in that of the branches (histories, return stack) is no part
/// of it: that is looked at whenever a group issues.
struct Configuration {
  /// Some number, for the places of transitions.
  var salt: UInt64 = 0
  /// `fetched` less the clock, plus ``fetchBias``; ``PipelineState/fetchCause`` << 8; number of results << 16.
  var front: UInt64 = 0
  /// One byte for each pair of the buffer, the oldest first: how long after the last fetched pair its place becomes free, plus one; 0: soon enough.
  var buffer: UInt64 = 0
  /// Results that somebody may have to wait for, in rising order: name << 20, ``Producer`` << 16, and for how many cycles more anybody waits.
  var results = InlineArray<16, UInt32>(repeating: 0)
  /// Kinds of registers among them whose names depend on the frame.
  var renamed: RenamedKinds = []
  /// The last move of the frame that was asked for, and what the configuration is with the names behind it.
  var move: UInt64 = 0
  var moved: Known?

  static let fetchBias: UInt64 = 128
  static let mostResults = 16
  static let mostPairs = 8

  @inline(__always) var count: Int { Int(truncatingIfNeeded: front &>> 16) }

  struct RenamedKinds: OptionSet {
    let rawValue: UInt8
    static let stacked = RenamedKinds(rawValue: 1)
    static let float = RenamedKinds(rawValue: 2)
    static let predicate = RenamedKinds(rawValue: 4)
  }

  var hash: UInt64 {
    var h = (front ^ buffer &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
    for n in 0..<count { h = (h ^ h &>> 29 ^ UInt64(results[n])) &* 0x9E37_79B9_7F4A_7C15 }
    return h ^ h &>> 32
  }

  static func == (a: Configuration, b: Configuration) -> Bool {
    if a.front != b.front || a.buffer != b.buffer { return false }
    for n in 0..<a.count where a.results[n] != b.results[n] { return false }
    return true
  }

  /// Keeps the results in order.
  mutating func insert(_ result: UInt32) {
    var n = count
    while n > 0 && results[n &- 1] > result {
      results[n] = results[n &- 1]
      n &-= 1
    }
    results[n] = result
    front &+= 1 &<< 16
  }
}

/// A configuration that is kept: equal ones are the same one.
typealias Known = UnsafeMutablePointer<Configuration>

extension UnsafeMutablePointer where Pointee == PipelineState {
  // MARK: From the state

  /// The configuration of now, or nil if it cannot be told in so few words, or if something stands that no configuration has.
  @inline(never) func configurationOfNow() -> Known? {
    let now = pointee.now
    if pointee.memo.hasLostResults && pointee.pendingUntil <= now {
      pointee.memo.hasLostResults = false
      pointee.memo.finishedCount = 0
    }
    guard pointee.hold <= now, pointee.floatHold <= now, !pointee.memo.hasLostResults else { return nil }
    let ahead = pointee.fetched &- now &+ Configuration.fetchBias
    guard ahead < 256, pointee.fetched != 0 else { return nil }
    pointee.frame = frameOfNow
    var c = Configuration(front: ahead | UInt64(pointee.fetchCause.rawValue) &<< 8)
    // From one place to the next fetching comes on by a cycle at least, so that earlier ones keep it no longer. One cycle less for a group that is
    // the rest of the last one: its first pair has been fetched.
    var place = pointee.bufferNext
    var earliest = pointee.fetched &- 1
    var shift: UInt64 = 0
    repeat {
      if place.pointee > earliest {
        let later = place.pointee &- pointee.fetched &+ 1
        guard later < 256 else { return nil }
        c.buffer |= later &<< shift
      }
      shift &+= 8
      earliest &+= 1
      place += 1
      if place == pointee.bufferEnd { place = pointee.buffer }
    } while place != pointee.bufferNext
    guard collectResults(&c) else { return nil }
    return pointee.memo.intern(&c)
  }

  /// False: there are too many.
  private func collectResults(_ c: inout Configuration) -> Bool {
    var n = 0
    while n < pointee.memo.finishedCount {
      let index = Int(pointee.memo.finished[n])
      let entry = pointee.scoreboard[index]
      let last = entry &>> 8 &+ slack(of: entry)
      if last <= pointee.now {
        // Nobody waits for it any more.
        pointee.memo.finishedCount &-= 1
        pointee.memo.finished[n] = pointee.memo.finished[pointee.memo.finishedCount]
        continue
      }
      n &+= 1
      let cycles = last &- pointee.now
      guard cycles < 1 << 16 else { return false }
      let result =
        UInt32(pointee.frame.name(of: index, &c.renamed)) &<< 20 | UInt32(truncatingIfNeeded: entry & 0xF0) &<< 12 | UInt32(cycles)
      if has(c, result) { continue }
      guard c.count < Configuration.mostResults else { return false }
      c.insert(result)
    }
    return true
  }

  @inline(__always) private func has(_ c: Configuration, _ result: UInt32) -> Bool {
    for n in 0..<c.count where c.results[n] == result { return true }
    return false
  }

  /// What the slowest consumer of a result waits longer than the quickest.
  @inline(__always) private func slack(of entry: UInt64) -> UInt64 {
    UInt64(pointee.slackOfProducer[Int(truncatingIfNeeded: entry &>> 4 & 0xF)])
  }

  // MARK: Back to the state

  /// From now on the state says what the configuration has said.
  @inline(never) func leaveConfiguration() {
    guard let known = pointee.configuration else { return }
    pointee.configuration = nil
    // The clock moves on with each group, so the state is as it was if it has not.
    if pointee.memo.capturedAt == pointee.now { return }
    let now = pointee.now
    pointee.fetched = now &+ (known.pointee.front & 0xFF) &- Configuration.fetchBias
    pointee.fetchCause = Cause(rawValue: UInt8(truncatingIfNeeded: known.pointee.front &>> 8)) ?? .fetchBandwidth
    var place = pointee.bufferNext
    var buffer = known.pointee.buffer
    repeat {
      place.pointee = pointee.fetched &+ (buffer & 0xFF) &- 1
      buffer &>>= 8
      place += 1
      if place == pointee.bufferEnd { place = pointee.buffer }
    } while place != pointee.bufferNext
    restoreResults(known, now)
  }

  private func restoreResults(_ known: Known, _ now: UInt64) {
    pointee.late = LateRegisters()
    pointee.pendingUntil = 0
    pointee.memo.finishedCount = known.pointee.count
    for n in 0..<known.pointee.count {
      let result = known.pointee.results[n]
      let index = pointee.frame.index(of: Int(result &>> 20))
      var entry = UInt64(result &>> 12 & 0xF0)
      let ready = now &+ UInt64(result & 0xFFFF) &- slack(of: entry)
      entry |= ready &<< 8
      pointee.scoreboard[index] = entry
      pointee.memo.finished[n] = UInt16(truncatingIfNeeded: index)
      if ready &+ pointee.slack > pointee.pendingUntil { pointee.pendingUntil = ready &+ pointee.slack }
      switch UInt16(truncatingIfNeeded: index) {
      case 0..<32, RegisterCode.float..<RegisterCode.float + 32:
        pointee.late.fixed |= 1 &<< UInt64(LateRegisters.bit(UInt16(truncatingIfNeeded: index)))
      case 32..<RegisterCode.float: pointee.late.stacked = ~0
      case RegisterCode.float..<RegisterCode.predicate: pointee.late.rotating = ~0
      default: pointee.late.fixed |= LateRegisters.sharedFixed
      }
    }
    pointee.predicatesUntil = pointee.pendingUntil
    pointee.othersUntil = pointee.pendingUntil
  }
}
