/// A port somebody may look at.
public final class ObservedPort: NetworkPort {
  private let port: any NetworkPort
  /// Told of every frame that the adapter sends or takes; nil: nobody looks.
  public var observer: ((_ isReceived: Bool, _ bytes: Int) -> Void)?

  public init(_ port: any NetworkPort) { self.port = port }

  public var frameArrived: (() -> Void)? {
    get { port.frameArrived }
    set { port.frameArrived = newValue }
  }
  public var statistics: NetworkStatistics { port.statistics }

  public func send(_ frame: [UInt8]) {
    observer?(false, frame.count)
    port.send(frame)
  }

  public func receive() -> [UInt8]? {
    let frame = port.receive()
    if let frame { observer?(true, frame.count) }
    return frame
  }
}
