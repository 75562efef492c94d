/// An HVM domain's screen: `stdvga`, `vnc` and what goes with them.
public struct ScreenConfiguration: Sendable, Equatable, Codable {
  /// There is an adapter, whoever looks at it (`stdvga`).
  public var hasAdapter = false
  /// It is shown to VNC clients (`vnc`).
  public var isShown = false
  public var listen = "127.0.0.1"
  /// The port is 5900 more; nil: the domain's number.
  public var display: Int?
  /// Whether any free display will do.
  public var takesUnusedDisplay = true
  public var password: String?

  public init() {}
  public var isThere: Bool { hasAdapter || isShown }
}
