import ArgumentParser
import HostResources

/// Where a gdb server listens: `[ADDRESS:]PORT`, or as QEMU writes it `tcp:[ADDRESS]:PORT`.
struct DebugAddress: ExpressibleByArgument, Equatable {
  var host = "127.0.0.1"
  /// 0: any that is free.
  var port: Int

  init?(argument: String) {
    var text = argument[...]
    if text.hasPrefix("tcp:") { text = text.dropFirst(4) }
    let (host, rest) = ListeningSocket.split(text)
    if let host { self.host = host }
    guard let number = Int(rest), 0...65535 ~= number else { return nil }
    port = number
  }
}
