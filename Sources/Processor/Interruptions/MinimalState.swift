/// What PAL does when the platform interrupts the processor with INIT: it saves the interrupted context where the firmware says, and
/// resumes it from there (Volume 2, sections 11.3 and 11.4; the area's layout is figure 11-12).
extension LogicalProcessor {
  /// Bytes of the area's architected part.
  public static let minimalStateSize = 1024

  /// INIT has arrived; it is taken as soon as PSR.mc allows.
  public func postInitialization() {
    state.pointee.initPending = true
    if state.pointee.psr & PSR.mc == 0 {
      state.pointee.halted = false
      state.pointee.pausedUntil = 0
    }
    engine.pointee.limit = 0
  }

  /// Between two instructions: hands a pending INIT to the firmware. False: there is none, or it is masked.
  @inline(never) func takeInitialization() -> Bool {
    guard state.pointee.psr & PSR.mc == 0, let bus else { return false }
    state.pointee.initPending = false
    if state.pointee.psr & PSR.ic != 0 { recordPreviousBundle() }
    bus.initialization(of: self)
    return true
  }

  /// General registers and their NaT bits: the static ones and both banks, in the order of the area.
  private func eachSaved(_ body: (_ index: Int, _ register: UnsafeMutablePointer<UInt64>, _ other: Int?, _ visible: UInt8) -> Void)
  {
    let s = state
    for n in 1...15 { body(n, s.gr + n, nil, UInt8(n)) }
    let bank1Visible = s.pointee.psr & PSR.bn != 0
    for bank in 0...1 {
      let visible = (bank == 1) == bank1Visible
      for n in 0..<16 {
        body(16 + 16 * bank + n, visible ? s.gr + (16 + n) : s.otherBank + n, visible ? nil : n, UInt8(16 + n))
      }
    }
  }

  private enum Word {
    static let pr = 48
    static let br0 = 49
    static let rsc = 50
    static let context = 51
    static let previousContext = 54
    static let br1 = 57
  }

  /// Saves the context to `words` (physical address `address`), covers the frame, and goes on at `entry`: physical mode, bank 0,
  /// interrupts off, machine checks and INIT masked.
  public func enterInitializationHandler(at entry: UInt64, saving words: UnsafeMutablePointer<UInt64>, address: UInt64) {
    let s = state
    var nats: UInt64 = 0
    eachSaved { index, register, other, visible in
      words[index] = register.pointee
      let nat = other.map { s.pointee.otherBankNaT >> UInt64($0) & 1 != 0 } ?? s.nat(visible)
      // As st8.spill would: by the address of the word.
      if nat { nats |= 1 << ((address >> 3 &+ UInt64(index)) & 63) }
    }
    words[0] = nats
    words[Word.pr] = predicateWord()
    words[Word.br0] = s.br[0]
    words[Word.rsc] = s.ar[AR.rsc]
    let frame = cfm | 1 << 63
    for (i, value) in [s.pointee.ip, s.pointee.psr, frame].enumerated() { words[Word.context + i] = value }
    for (i, register) in [CR.iip, CR.ipsr, CR.ifs].enumerated() { words[Word.previousContext + i] = s.cr[register] }
    words[Word.br1] = s.br[1]

    coverFrame()
    s.cr[CR.iip] = words[Word.context]
    s.cr[CR.ipsr] = words[Word.context + 1]
    s.cr[CR.ifs] = frame
    s.ar[AR.rsc] = 0
    setPSR(PSR.mc)
    s.pointee.ip = entry & ~0xF
    for n in 1...31 as ClosedRange<UInt8> { s.setNaT(n, false) }
    engine.pointee.limit = 0
  }

  /// Goes on with the context in `words`, which system software may have changed. False: it is none, and nothing has happened.
  public func resume(from words: UnsafePointer<UInt64>, address: UInt64) -> Bool {
    let s = state
    let psr = words[Word.context + 1]
    let frame = words[Word.context + 2]
    guard psr & PSR.reserved == 0, psr & PSR.is == 0, PSR.ri(psr) != 3, frame >> 63 == 0 || validFrameMarker(frame) else {
      return false
    }
    setPSR(psr)
    let nats = words[0]
    eachSaved { index, register, other, visible in
      register.pointee = words[index]
      let bit = nats >> ((address >> 3 &+ UInt64(index)) & 63) & 1
      if let other {
        s.pointee.otherBankNaT = s.pointee.otherBankNaT & ~(1 << UInt64(other)) | bit << UInt64(other)
      } else {
        s.setNaT(visible, bit != 0)
      }
    }
    setPredicateWord(words[Word.pr], mask: ~1)
    s.br[0] = words[Word.br0]
    s.br[1] = words[Word.br1]
    s.ar[AR.rsc] = words[Word.rsc] & 0x3FFF_001F
    for (i, register) in [CR.iip, CR.ipsr, CR.ifs].enumerated() { s.cr[register] = words[Word.previousContext + i] }
    s.pointee.ip = words[Word.context] & ~0xF
    if frame >> 63 != 0 { _ = restoreFrame(frame & 0x3F_FFFF_FFFF, preserved: Int(frame & 0x7F)) }
    engine.pointee.limit = 0
    return true
  }
}
