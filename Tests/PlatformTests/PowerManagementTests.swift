import Devices
import Platform
import Testing

/// ACPI 3.0b, sections 4.7.1 to 4.7.4: fixed hardware.
@Suite("ACPI power management") struct PowerManagementTests {
  private final class Box { var offs = 0 }

  private let clock = TestClock()
  private let events = EventQueue()
  private let line = RecordedLine()
  private let box = Box()
  private let device: ACPIPowerManagement

  private enum R {
    static let status: UInt64 = 0
    static let enable: UInt64 = 2
    static let control: UInt64 = 4
    static let timer: UInt64 = 8
    static let gpeStatus: UInt64 = 0x10
    static let gpeEnable: UInt64 = 0x14
  }

  init() {
    let box = box
    device = ACPIPowerManagement(clock: clock, events: events, line: line) { box.offs += 1 }
  }

  private func get(_ offset: UInt64, _ size: Int = 2) -> UInt64 { device.read(offset: offset, size: size) }
  private func put(_ offset: UInt64, _ value: UInt64, _ size: Int = 2) { device.write(offset: offset, size: size, value: value) }

  @Test func acpiModeIsAlwaysOn() {
    #expect(get(R.control) == 1)
    put(R.control, 0)
    #expect(get(R.control) & 1 == 1)
  }

  @Test func powerButton() {
    device.pressPowerButton()
    #expect(get(R.status) == 0x100)
    #expect(!line.level)
    put(R.enable, 0x100)
    #expect(line.level)
    // Ones clear, zeros do not.
    put(R.status, 0)
    #expect(line.level)
    put(R.status, 0x100)
    #expect(!line.level)
    #expect(get(R.status) == 0)
    device.pressPowerButton()
    #expect(line.level)
    // By bytes as well.
    put(R.status + 1, 0x01, 1)
    #expect(!line.level)
  }

  /// SLP_TYP in bits 12:10, SLP_EN in 13, which reads as zero. The DSDT says 5 for S5.
  @Test func softOff() {
    put(R.control, 5 << 10)
    #expect(box.offs == 0)
    put(R.control, 5 << 10 | 1 << 13)
    #expect(box.offs == 1)
    #expect(get(R.control) & 1 << 13 == 0)
    put(R.control, 1 << 10 | 1 << 13)
    #expect(box.offs == 1)
    put(R.control + 1, 0x34, 1)
    #expect(box.offs == 2)
  }

  /// 3.579545 MHz, 32 bits.
  @Test func timer() {
    #expect(get(R.timer, 4) == 0)
    clock.now = Cycles.perSecond
    #expect(get(R.timer, 4) == 3_579_545)
    clock.now = 3600 * Cycles.perSecond
    #expect(get(R.timer, 4) == 3600 * 3_579_545 % (1 << 32))
    put(R.timer, 0, 4)
    #expect(get(R.timer, 4) == 3600 * 3_579_545 % (1 << 32))
  }

  /// TMR_STS is set when the timer's top bit changes.
  @Test func timerCarry() {
    let half = Cycles.reaching(ticks: 1 << 31, frequency: 3_579_545)
    put(R.enable, 1)
    #expect(events.earliest == half)
    clock.now = half - 1
    #expect(get(R.status) & 1 == 0)
    clock.now = half
    events.run(until: half)
    #expect(get(R.status) & 1 == 1)
    #expect(line.level)
    put(R.status, 1)
    #expect(get(R.status) & 1 == 0)
    #expect(!line.level)
    #expect(events.earliest == Cycles.reaching(ticks: 2 << 31, frequency: 3_579_545))
    put(R.enable, 0)
    #expect(events.earliest == nil)
  }

  @Test func generalPurposeEvents() {
    put(R.gpeEnable, 0xFFFF_FFFF, 4)
    #expect(get(R.gpeEnable, 4) == 0xFFFF_FFFF)
    put(R.gpeStatus, 0xFFFF_FFFF, 4)
    #expect(get(R.gpeStatus, 4) == 0)
    #expect(!line.level)
  }

  @Test func resetClears() {
    device.pressPowerButton()
    put(R.enable, 0x101)
    device.reset()
    #expect(get(R.status) == 0)
    #expect(get(R.enable) == 0)
    #expect(!line.level)
    #expect(events.earliest == nil)
  }

  @Test func everyRegisterInEveryWidth() {
    for offset in 0..<ACPIPowerManagement.size {
      for size in [1, 2, 4, 8] {
        _ = get(offset, size)
        put(offset, 0, size)
      }
    }
    #expect(box.offs == 0)
  }

  @Test func resetRegister() {
    final class Count { var resets = 0 }
    let count = Count()
    let control = ResetControl { count.resets += 1 }
    control.write(offset: 0, size: 1, value: 2)
    #expect(count.resets == 0)
    control.write(offset: 0, size: 1, value: UInt64(MemoryMap.resetValue))
    #expect(count.resets == 1)
    #expect(control.read(offset: 0, size: 1) == 0)
  }
}
