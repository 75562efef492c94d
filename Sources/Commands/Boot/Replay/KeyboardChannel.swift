import HostResources
import Inspection
import SplitDrivers

/// Keys and pointer of a screen's clients on their way to the guest, by way of the journal.
final class KeyboardChannel {
  private let channel: InputChannel

  private enum Kind: UInt64 { case key, pointer }

  /// Nil: the machine has no keyboard that clients type on. To be made in recordings and replays alike, whether or not anybody looks.
  init?(_ server: Server, _ journal: Journal) {
    guard server.keyboard != nil else { return nil }
    channel = journal.channel { [unowned server] in Self.perform(InputChannel.numbers(in: $0), server.keyboard) }
  }

  private static func perform(_ numbers: [UInt64], _ keyboard: KeyboardBackEnd?) {
    guard let kind = numbers.first.flatMap(Kind.init) else { return }
    switch kind {
    case .key where numbers.count == 3: keyboard?.key(UInt16(truncatingIfNeeded: numbers[1]), isDown: numbers[2] != 0)
    case .pointer where numbers.count == 4:
      let (x, y) = (Int(truncatingIfNeeded: numbers[1]), Int(truncatingIfNeeded: numbers[2]))
      keyboard?.pointer(x: x, y: y, buttons: UInt8(truncatingIfNeeded: numbers[3]))
    default: break
    }
  }

  func connect(_ screen: VNCServer) {
    screen.keyChanged = { [channel] in channel.deliver(numbers: Kind.key.rawValue, UInt64($0), $1 ? 1 : 0) }
    // Within the screen, so not negative.
    screen.pointerMoved = { [channel] in
      channel.deliver(numbers: Kind.pointer.rawValue, UInt64($0), UInt64($1), UInt64($2))
    }
  }
}
