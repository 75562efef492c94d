/// Where a screen can be seen: `[ADDRESS:]DISPLAY`, or `[ADDRESS:]auto` for the first display that is free.
public struct VNCAddress: Sendable, Equatable {
  public var host = "127.0.0.1"
  /// Nil: the first that is free.
  public var display: Int?

  private static let largestDisplay = 65535 - VNCServer.firstPort
  private static let automaticDisplays = 0..<100

  public init(host: String = "127.0.0.1", display: Int?) { (self.host, self.display) = (host, display) }

  /// `:1`, `0.0.0.0:1` and `[::1]:auto`; the brackets may be missing.
  public init?(parsing text: String) {
    let (host, text) = ListeningSocket.split(text[...])
    if let host { self.host = host }
    if text == "auto" { return }
    guard let number = Int(text), 0...Self.largestDisplay ~= number else { return nil }
    display = number
  }

  /// A socket that listens, and its display.
  func listen() throws(NetworkError) -> (Int32, Int) {
    guard display == nil else { return try open(display ?? 0) }
    for number in Self.automaticDisplays.dropLast() {
      do throws(NetworkError) { return try open(number) } catch { continue }
    }
    // The last attempt says why.
    return try open(Self.automaticDisplays.upperBound - 1)
  }

  private func open(_ display: Int) throws(NetworkError) -> (Int32, Int) {
    let port = VNCServer.firstPort + display
    return (try ListeningSocket.open(host: host, port: port, name: "display \(display) (port \(port))"), display)
  }
}
