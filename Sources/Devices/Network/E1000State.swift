extension E1000 {
  /// Everything that a saved machine needs of the adapter. Events that are scheduled are in the machine's queue.
  public struct State: Sendable, Equatable, Codable {
    public static let version = 1

    /// Registers without a mechanism of their own, by offset / 4.
    var registers = [UInt32](repeating: 0, count: E1000Register.end / 4)
    var cause: UInt32 = 0
    var mask: UInt32 = 0
    /// The interrupt output.
    var isAsserting = false
    /// ITR: no new interrupt before this cycle.
    var quietUntil: UInt64 = 0
    /// What IOADDR says.
    var window: UInt32 = 0

    var phy = E1000PHY()
    var eeprom: E1000EEPROM
    /// The other end of the cable is there.
    var isConnected = true

    var timers = [EventTimer](repeating: EventTimer(), count: E1000.TimerKind.allCases.count)
    var statistics = E1000Statistics()
    var transmitter = E1000Transmitter()
    /// On the wire to us; nil: the wire is quiet.
    var arriving: [UInt8]?
    /// The packet buffer's receive part: accepted, and not yet in memory.
    var received: [E1000ReceivedFrame] = []
    var receivedBytes = 0
    /// The other end was told to pause.
    var hasPausedPeer = false

    init(eeprom: E1000EEPROM) { self.eeprom = eeprom }

    subscript(_ register: Int) -> UInt32 {
      get { registers[register / 4] }
      set { registers[register / 4] = newValue }
    }
  }
}

/// A deadline that moves often, and an event that moves seldom: moving a deadline back costs nothing, the event finds out when it is due.
struct EventTimer: Sendable, Equatable, Codable {
  var deadline: UInt64?
  /// Cycle of the one event that counts; others that are still in the queue are ignored.
  var scheduled: UInt64?
}
