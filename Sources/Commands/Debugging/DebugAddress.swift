import ArgumentParser

/// Where a gdb server listens: `[ADDRESS:]PORT`, or as QEMU writes it `tcp:[ADDRESS]:PORT`.
struct DebugAddress: ExpressibleByArgument, Equatable {
  var host = "127.0.0.1"
  /// 0: any that is free.
  var port: Int

  init?(argument: String) {
    var text = argument[...]
    if text.hasPrefix("tcp:") { text = text.dropFirst(4) }
    if let colon = text.lastIndex(of: ":") {
      var host = text[..<colon]
      if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
      if !host.isEmpty { self.host = String(host) }
      text = text[text.index(after: colon)...]
    }
    guard let number = Int(text), 0...65535 ~= number else { return nil }
    port = number
  }
}
