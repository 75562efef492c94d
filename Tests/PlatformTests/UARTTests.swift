import Devices
import Platform
import Testing

/// Expected values: National Semiconductor's PC16550D data sheet, sections 8.0 to 8.7 and table II.
@Suite("16550A") struct UARTTests {
  enum R {
    static let data: UInt64 = 0
    static let ier: UInt64 = 1
    static let iir: UInt64 = 2
    static let fcr: UInt64 = 2
    static let lcr: UInt64 = 3
    static let mcr: UInt64 = 4
    static let lsr: UInt64 = 5
    static let msr: UInt64 = 6
    static let scr: UInt64 = 7
  }

  let line = RecordedLine()
  let peer = RecordedPeer()
  let uart: UART16550

  init() {
    uart = UART16550(line: line)
    uart.peer = peer
  }

  private func get(_ register: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: uart.read(offset: register, size: 1)) }
  private func put(_ register: UInt64, _ value: UInt8) { uart.write(offset: register, size: 1, value: UInt64(value)) }

  /// Table I: the registers after master reset; the transmitter is empty, nothing is received.
  @Test func afterReset() {
    #expect(get(R.ier) == 0)
    #expect(get(R.iir) == 0x01)
    #expect(get(R.lcr) == 0)
    #expect(get(R.mcr) == 0)
    #expect(get(R.lsr) == 0x60)
    #expect(get(R.msr) & 0x0F == 0)
    #expect(!line.level)
  }

  @Test func scratchAndWidths() {
    for value in [UInt8(0x55), 0xAA, 0, 0xFF] {
      put(R.scr, value)
      #expect(get(R.scr) == value)
    }
    // Bits 7:4 of IER and 7:5 of MCR are always zero.
    put(R.ier, 0xFF)
    #expect(get(R.ier) == 0x0F)
    put(R.mcr, 0xFF)
    #expect(get(R.mcr) == 0x1F)
    // LSR and MSR are read-only here.
    put(R.mcr, 0)
    put(R.lsr, 0)
    #expect(get(R.lsr) & 0x60 == 0x60)
  }

  @Test func divisorLatch() {
    put(R.ier, 0x05)
    put(R.lcr, 0x83)
    put(R.data, 0x34)
    put(R.ier, 0x12)
    #expect(get(R.data) == 0x34)
    #expect(get(R.ier) == 0x12)
    put(R.lcr, 0x03)
    #expect(get(R.ier) == 0x05)
    #expect(peer.sent.isEmpty)
    put(R.lcr, 0x80)
    #expect(get(R.data) == 0x34)
  }

  /// Section 8.4: FCR bit 0 enables the FIFOs, shown in IIR bits 7:6; the other bits count only together with it.
  @Test func fifoEnable() {
    #expect(get(R.iir) & 0xC0 == 0)
    put(R.fcr, 0xC6)
    #expect(get(R.iir) & 0xC0 == 0)
    put(R.fcr, 0x01)
    #expect(get(R.iir) & 0xC0 == 0xC0)
    #expect(uart.receive(Array(repeating: 7, count: 20)) == 16)
    #expect(uart.room == 0)
    // Changing the enable bit clears the FIFOs.
    put(R.fcr, 0x00)
    #expect(get(R.lsr) & 1 == 0)
    #expect(uart.room == 1)
  }

  @Test func receiverFIFOReset() {
    put(R.fcr, 0x01)
    #expect(uart.receive([1, 2, 3]) == 3)
    put(R.fcr, 0x03)
    #expect(get(R.lsr) & 1 == 0)
    #expect(uart.room == 16)
  }

  @Test(arguments: [(UInt8(0x00), 1), (0x40, 4), (0x80, 8), (0xC0, 14)])
  func triggerLevels(_ bits: UInt8, _ level: Int) {
    put(R.fcr, 0x01 | bits)
    put(R.ier, 0x01)
    for n in 1..<level {
      #expect(uart.receive([UInt8(n)]) == 1)
      // Section 8.4.1: fewer characters than the level, and a quiet line: character time-out.
      #expect(get(R.iir) == 0xCC)
      #expect(line.level)
    }
    #expect(uart.receive([0xEE]) == 1)
    #expect(get(R.iir) == 0xC4)
    // Below the level again after one character.
    #expect(get(R.data) == (level == 1 ? 0xEE : 1))
    #expect(get(R.iir) == (level == 1 ? 0xC1 : 0xCC))
    #expect(line.level == (level != 1))
  }

  @Test func charactersInOrder() {
    put(R.fcr, 0x01)
    #expect(uart.receive(Array(1...16)) == 16)
    for expected in 1...16 as ClosedRange<UInt8> {
      #expect(get(R.lsr) & 1 == 1)
      #expect(get(R.data) == expected)
    }
    #expect(get(R.lsr) & 1 == 0)
    #expect(peer.invitations == 16)
  }

  /// Table IV: line status, received data, time-out, transmitter empty, modem status, in this order.
  @Test func interruptPriorities() {
    put(R.fcr, 0x01)
    put(R.mcr, 0x10)  // Loopback: CTS, DSR, DCD go away, and the characters come back.
    put(R.ier, 0x0F)
    for _ in 0..<17 { put(R.data, 0x41) }
    #expect(get(R.iir) == 0xC6)
    #expect(get(R.lsr) & 0x02 == 0x02)
    #expect(get(R.lsr) & 0x02 == 0)
    #expect(get(R.iir) == 0xC4)
    while get(R.lsr) & 1 != 0 { #expect(get(R.data) == 0x41) }
    #expect(get(R.iir) == 0xC2)
    // Reading IIR, if it names the transmitter, ends that interrupt.
    #expect(get(R.iir) == 0xC0)
    #expect(line.level)
    #expect(get(R.msr) & 0x0F == 0x0B)
    #expect(get(R.iir) == 0xC1)
    #expect(!line.level)
  }

  /// Section 8.6: the interrupt is raised when the register becomes empty while it is enabled, or is enabled while it is empty.
  @Test func transmitterInterrupt() {
    put(R.ier, 0x02)
    #expect(line.level)
    #expect(get(R.iir) == 0x02)
    #expect(get(R.iir) == 0x01)
    #expect(!line.level)
    put(R.data, 0x61)
    #expect(line.level)
    #expect(get(R.iir) == 0x02)
    put(R.ier, 0x00)
    put(R.ier, 0x02)
    #expect(get(R.iir) == 0x02)
    // Enabling what is enabled is no edge.
    put(R.ier, 0x03)
    #expect(get(R.iir) == 0x01)
    #expect(peer.sent == [0x61])
  }

  @Test func disabledInterruptsLeaveTheLineAlone() {
    #expect(uart.receive([1]) == 1)
    put(R.data, 2)
    #expect(!line.level)
    put(R.ier, 0x01)
    #expect(line.level)
    put(R.ier, 0x00)
    #expect(!line.level)
  }

  /// Section 8.5: in loopback mode outputs are connected to inputs: DTR-DSR, RTS-CTS, OUT1-RI, OUT2-DCD.
  @Test(arguments: [(UInt8(0x00), UInt8(0x00)), (0x01, 0x20), (0x02, 0x10), (0x04, 0x40), (0x08, 0x80), (0x0F, 0xF0)])
  func loopbackModemLines(_ outputs: UInt8, _ inputs: UInt8) {
    put(R.mcr, 0x10 | outputs)
    #expect(get(R.msr) & 0xF0 == inputs)
  }

  @Test func modemDeltas() {
    put(R.mcr, 0x10)
    _ = get(R.msr)
    put(R.mcr, 0x11)
    #expect(get(R.msr) == 0x22)
    #expect(get(R.msr) == 0x20)
    put(R.mcr, 0x10)
    #expect(get(R.msr) == 0x02)
    // The ring indicator counts at its trailing edge.
    put(R.mcr, 0x14)
    #expect(get(R.msr) == 0x40)
    put(R.mcr, 0x10)
    #expect(get(R.msr) == 0x04)
  }

  @Test func loopbackIsolatesTheLine() {
    put(R.mcr, 0x10)
    put(R.data, 0x5A)
    #expect(peer.sent.isEmpty)
    #expect(uart.receive([1]) == 0)
    #expect(get(R.data) == 0x5A)
    put(R.mcr, 0x00)
    #expect(uart.receive([1]) == 1)
  }

  /// Section 8.6: an overrun destroys the register's old character without FIFOs, and the new one with them.
  @Test func overrun() {
    put(R.mcr, 0x10)
    put(R.data, 1)
    put(R.data, 2)
    #expect(get(R.lsr) == 0x63)
    #expect(get(R.lsr) == 0x61)
    #expect(get(R.data) == 2)
    put(R.fcr, 0x01)
    for n in 1...17 as ClosedRange<UInt8> { put(R.data, n) }
    #expect(get(R.lsr) == 0x63)
    #expect((1...16).map { _ in get(R.data) } == Array(1...16))
    #expect(get(R.lsr) == 0x60)
  }

  /// Section 8.6: a break is a zero whose indication appears when it is the next character to be read; LSR bit 7 says that the FIFO
  /// holds one.
  @Test func breakIndication() {
    put(R.fcr, 0x01)
    put(R.ier, 0x05)
    #expect(uart.receive([0x41]) == 1)
    uart.receiveBreak()
    #expect(uart.receive([0x42]) == 1)
    #expect(get(R.lsr) == 0xE1)
    #expect(get(R.iir) & 0x0F == 0x04)
    #expect(get(R.data) == 0x41)
    #expect(get(R.iir) == 0xC6)
    #expect(get(R.lsr) == 0xF1)
    #expect(get(R.lsr) == 0x61)
    #expect(get(R.data) == 0)
    #expect(get(R.data) == 0x42)
    // Without FIFOs bit 7 is always zero.
    put(R.fcr, 0x00)
    uart.receiveBreak()
    #expect(get(R.lsr) == 0x71)
    #expect(get(R.data) == 0)
  }

  @Test func resetForgetsEverything() {
    put(R.fcr, 0x01)
    put(R.ier, 0x0F)
    put(R.lcr, 0x83)
    #expect(uart.receive([1, 2]) == 2)
    #expect(line.level)
    uart.reset()
    #expect(!line.level)
    #expect(get(R.lcr) == 0)
    #expect(get(R.lsr) == 0x60)
    #expect(get(R.iir) == 0x01)
  }

  /// What Linux's 8250 driver tries in order to tell the members of the family apart; the answers are those of a 16550A.
  @Test func linuxProbe() {
    // Something is there: IER keeps four bits.
    put(R.ier, 0)
    put(0x80 & 7, 0)
    #expect(get(R.ier) & 0x0F == 0)
    put(R.ier, 0x0F)
    #expect(get(R.ier) & 0x0F == 0x0F)
    put(R.ier, 0)
    // Loopback with OUT2 and RTS shows DCD and CTS.
    put(R.mcr, 0x1A)
    #expect(get(R.msr) & 0xF0 == 0x90)
    put(R.mcr, 0)
    // No enhanced feature register behind LCR 0xBF: what is written to it does not come back.
    put(R.lcr, 0xBF)
    put(R.fcr, 0)
    put(R.lcr, 0)
    put(R.fcr, 0x01)
    #expect(get(R.iir) >> 6 == 3)
    put(R.lcr, 0x80)
    #expect(get(R.iir) != 0)
    put(R.lcr, 0xBF)
    #expect(get(R.iir) != 0)
    // Not the 64-byte FIFO of a 16750: bit 5 of FCR does not show in IIR.
    put(R.lcr, 0)
    put(R.fcr, 0x01)
    #expect(get(R.iir) >> 5 == 6)
    put(R.lcr, 0x80)
    put(R.fcr, 0x21)
    #expect(get(R.iir) >> 5 == 6)
    put(R.lcr, 0)
    // Not an XScale: IER bit 6 does not stay.
    put(R.ier, 0x40)
    #expect(get(R.ier) & 0x40 == 0)
    // The transmitter interrupt test of its start-up: the second enabling must raise it again.
    put(R.ier, 0x02)
    let first = get(R.iir)
    put(R.ier, 0)
    put(R.ier, 0x02)
    let second = get(R.iir)
    put(R.ier, 0)
    #expect(first & 1 == 0 && second & 1 == 0)
  }

  /// Whatever is written, nothing traps, and the line agrees with IIR.
  @Test func arbitraryAccesses() {
    var random = SplitMix(state: 0x1655_0A)
    for step in 0..<20_000 {
      let word = random.next()
      let register = word & 7
      switch word >> 8 & 7 {
      case 0...2: put(register, UInt8(truncatingIfNeeded: word >> 16))
      case 3...5: _ = get(register)
      case 6: _ = uart.receive([UInt8(truncatingIfNeeded: word >> 16)])
      default: uart.receiveBreak()
      }
      let level = line.level
      #expect(level == (get(R.iir) & 1 == 0), "seed 0x16550A, step \(step)")
    }
  }
}
