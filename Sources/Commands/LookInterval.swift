/// How long a busy guest runs, in its cycles, before anybody looks whether something has come from outside: some dozens of times a second
/// of the host, or more often while something comes and goes. It depends on the guest alone, so that runs with the same inputs are the same.
struct LookInterval {
  private(set) var cycles = longest
  private var lastCycle: UInt64 = 0
  private var lastExits: UInt64 = 0

  /// Of instructions alone.
  private static let longest: UInt64 = 10_000_000
  /// While there is traffic: about the time that two full frames take on the wire.
  private static let shortest: UInt64 = 50_000
  /// What an exit costs the host, in instructions of the guest. A guest that asks a device over and over does little else; without this
  /// it would look every few seconds.
  private static let instructionsPerExit: UInt64 = 500

  /// Something may come soon.
  mutating func hurry() { cycles = Self.shortest }

  /// Somebody has looked, at `cycle`, after so many exits of all guests.
  mutating func looked(found: Bool, at cycle: UInt64, exits: UInt64) {
    let passed = max(1, cycle &- lastCycle)
    // A domain that has ended takes its count along.
    let work = passed &+ (exits > lastExits ? exits &- lastExits : 0) &* Self.instructionsPerExit
    (lastCycle, lastExits) = (cycle, exits)
    let bearable = Double(Self.longest) * Double(passed) / Double(work)
    cycles = found ? Self.shortest : max(Self.shortest, min(cycles &* 2, UInt64(bearable)))
  }
}

extension Server {
  /// How often the guest has been left, on all processors.
  var exitCount: UInt64 { domain?.virtualProcessors.reduce(0) { $0 &+ $1.exits.total } ?? 0 }
}
