/// A domain's screen: `stdvga`, `vnc` and what goes with them, or what an entry of `vfb` says.
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
  /// Without SDL nobody is shown what an entry of that type has, but it can be photographed.
  public init(_ frameBuffer: FramebufferConfiguration) {
    (hasAdapter, isShown, listen) = (true, frameBuffer.kind == .vnc, frameBuffer.listen)
    (display, takesUnusedDisplay, password) = (frameBuffer.display, frameBuffer.takesUnusedPort, frameBuffer.password)
  }

  public var isThere: Bool { hasAdapter || isShown }
}

extension DomainConfiguration {
  /// What the guest has for a screen, whichever keys say so.
  public var guestScreen: ScreenConfiguration {
    switch kind {
    case .hardware: screen
    case .paravirtualized: framebuffers.first.map(ScreenConfiguration.init) ?? ScreenConfiguration()
    }
  }
}
