/// The transceiver inside the 82540EM: a Marvell 88E1011 behind the management interface (manual, section 13.4.5 and chapter on the
/// PHY; IEEE 802.3, clause 22 and 28).
struct E1000PHY: Sendable, Equatable, Codable {
  enum Register {
    static let control = 0
    static let status = 1
    static let identifier1 = 2
    static let identifier2 = 3
    static let advertisement = 4
    static let partnerAbility = 5
    static let expansion = 6
    static let nextPage = 7
    static let partnerNextPage = 8
    static let gigabitControl = 9
    static let gigabitStatus = 10
    static let extendedStatus = 15
    static let specificControl = 16
    static let specificStatus = 17
    static let interruptEnable = 18
    static let interruptStatus = 19
    static let extendedControl = 20
    static let receiveErrors = 21
  }
  enum Speed: UInt32, Sendable, Codable { case ten = 0, hundred, thousand }

  /// Its address on the management interface.
  static let address: UInt32 = 1

  private static let reset: UInt16 = 1 << 15
  private static let loopbackBit: UInt16 = 1 << 14
  private static let negotiate: UInt16 = 1 << 12
  private static let powerDown: UInt16 = 1 << 11
  private static let restart: UInt16 = 1 << 9
  private static let fullDuplexBit: UInt16 = 1 << 8
  private static let linkStatus: UInt16 = 1 << 2
  private static let negotiationComplete: UInt16 = 1 << 5

  private var registers = Self.initial
  /// The link is there: negotiated, or forced.
  private(set) var isUp = false
  private(set) var speed = Speed.thousand
  private(set) var isFullDuplex = true
  /// The status register's link bit remembers a link that was lost until it is read.
  private var linkWasLost = true

  private static let initial: [UInt16] = {
    var r = [UInt16](repeating: 0, count: 32)
    r[Register.control] = 0x1140  // negotiation on, full duplex, 1000 Mb/s
    r[Register.status] = 0x7949  // 10 and 100 Mb/s, half and full duplex; extended status and registers; can negotiate
    r[Register.identifier1] = 0x0141
    r[Register.identifier2] = 0x0C20
    r[Register.advertisement] = 0x0DE1  // all of 10 and 100 Mb/s, both kinds of pause
    r[Register.gigabitControl] = 0x0E00
    r[Register.extendedStatus] = 0x3000  // 1000BASE-T, full and half duplex
    r[Register.specificControl] = 0x0068
    r[Register.extendedControl] = 0x0D60
    r[Register.nextPage] = 0x2001
    return r
  }()

  /// What the other end of the cable can do: everything, with symmetric pause.
  private static let partner: UInt16 = 0x45E1
  private static let partnerGigabit: UInt16 = 0x3C00  // both receivers fine, 1000BASE-T full and half duplex

  private static let writable: [Int: UInt16] = [
    Register.control: 0x7DC0, Register.advertisement: 0xBFFF, Register.nextPage: 0xFFFF, Register.gigabitControl: 0xFF00,
    Register.specificControl: 0xFFFF, Register.interruptEnable: 0xFFFF, Register.extendedControl: 0xFFFF, 29: 0xFFFF, 30: 0xFFFF,
  ]

  var isLoopback: Bool { registers[Register.control] & Self.loopbackBit != 0 }
  var isPoweredDown: Bool { registers[Register.control] & Self.powerDown != 0 }
  private var negotiates: Bool { registers[Register.control] & Self.negotiate != 0 }

  mutating func read(_ number: Int) -> UInt16 {
    var value = registers[number & 31]
    switch number {
    case Register.status:
      if isUp && negotiates { value |= Self.negotiationComplete }
      if isUp && !linkWasLost { value |= Self.linkStatus }
      linkWasLost = !isUp
    case Register.partnerAbility: if isUp && negotiates { value = Self.partner }
    case Register.expansion: value = isUp && negotiates ? 0x0007 : 0x0004
    case Register.gigabitStatus: if isUp && negotiates { value = Self.partnerGigabit }
    case Register.specificStatus:
      value = UInt16(speed.rawValue) << 14 | (isFullDuplex ? 1 << 13 : 0)
      value |= isUp ? 1 << 11 | 1 << 10 : 0  // resolved; link, as it is now
      if isUp && registers[Register.advertisement] & 0x0400 != 0 { value |= 3 << 2 }  // pause both ways
    case Register.interruptStatus: registers[Register.interruptStatus] = 0
    default: break
    }
    return value
  }

  enum Effect { case none, renegotiate, powerDown }

  mutating func write(_ number: Int, _ value: UInt16) -> Effect {
    guard let mask = Self.writable[number & 31] else { return .none }
    if number == Register.control && value & Self.reset != 0 {
      // Software reset keeps the configuration, and makes it take effect.
      registers[number] = value & mask & ~Self.restart
      return isPoweredDown ? .powerDown : .renegotiate
    }
    let before = registers[number]
    registers[number] = before & ~mask | value & mask
    guard number == Register.control else { return .none }
    registers[number] &= ~Self.restart
    if isPoweredDown { return .powerDown }
    let changes = (before ^ registers[number]) & (Self.negotiate | Self.powerDown)
    let forced = !negotiates && (before ^ registers[number]) & 0x2140 != 0
    return value & Self.restart != 0 || changes != 0 || forced ? .renegotiate : .none
  }

  mutating func hardwareReset() {
    let up = isUp
    self = E1000PHY()
    linkWasLost = up || linkWasLost
  }

  /// Two ends have agreed, or the other one has gone.
  mutating func setLink(_ up: Bool) {
    if isUp != up {
      registers[Register.interruptStatus] |= 1 << 10 | (up ? 1 << 11 : 0)
    }
    if !up && isUp { linkWasLost = true }
    isUp = up
    if up { resolve() }
  }

  /// The best that both ends can do; without negotiation what is forced.
  private mutating func resolve() {
    let control = registers[Register.control]
    guard negotiates else {
      isFullDuplex = control & Self.fullDuplexBit != 0
      speed = control & 1 << 6 != 0 ? .thousand : control & 1 << 13 != 0 ? .hundred : .ten
      return
    }
    let gigabit = registers[Register.gigabitControl]
    let ability = registers[Register.advertisement] & Self.partner
    if gigabit & 0x0300 != 0 {
      speed = .thousand
      isFullDuplex = gigabit & 0x0200 != 0
    } else if ability & 0x0180 != 0 {
      speed = .hundred
      isFullDuplex = ability & 0x0100 != 0
    } else {
      speed = .ten
      isFullDuplex = ability & 0x0040 != 0
    }
  }

  var interruptPending: Bool { registers[Register.interruptStatus] & registers[Register.interruptEnable] != 0 }
}
