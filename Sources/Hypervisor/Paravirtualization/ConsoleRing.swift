/// The host's end of a PV domain's console: two byte streams in a page of the guest's (`xen/include/public/io/console.h`).
///
/// The guest may write anything into the page. Indices that cannot be are taken as an empty ring.
public final class ConsoleRing {
  private let domain: Domain
  private let page: UnsafeMutableRawPointer
  private var port: UInt32 = 0
  /// Told of each character that the guest writes.
  public var transmit: ((UInt8) -> Void)?
  /// Told when the guest has taken something.
  public var readyToReceive: (() -> Void)?

  private enum Layout {
    static let input = 0
    static let inputSize: UInt32 = 1024
    static let output = 0x400
    static let outputSize: UInt32 = 2048
    static let inputConsumer = 0xC00
    static let inputProducer = 0xC04
    static let outputConsumer = 0xC08
    static let outputProducer = 0xC0C
  }

  /// `frame`: of the guest. Nil: it has no such frame.
  public init?(_ domain: Domain, frame: UInt64, port guestPort: UInt32) throws(XenError) {
    guard let page = domain.memory.host(frame << FramePool.frameShift, count: Int(FramePool.frameSize)) else { return nil }
    (self.domain, self.page) = (domain, page)
    port = try domain.services.events.bindHost(to: domain.domainNumber, port: guestPort) { [unowned self] in serve() }
  }

  deinit { domain.services.events.closeHost(port) }

  private func index(_ offset: Int) -> UInt32 { page.load(fromByteOffset: offset, as: UInt32.self) }

  private func serve() {
    let producer = index(Layout.outputProducer)
    var consumer = index(Layout.outputConsumer)
    if producer &- consumer > Layout.outputSize { consumer = producer }
    let isNew = consumer != producer
    while consumer != producer {
      transmit?(page.load(fromByteOffset: Layout.output + Int(consumer % Layout.outputSize), as: UInt8.self))
      consumer &+= 1
    }
    page.storeBytes(of: consumer, toByteOffset: Layout.outputConsumer, as: UInt32.self)
    if isNew { domain.services.events.sendFromHost(port) }
    if room > 0 { readyToReceive?() }
  }

  /// Characters that the guest's ring has room for.
  public var room: Int {
    let used = index(Layout.inputProducer) &- index(Layout.inputConsumer)
    return used > Layout.inputSize ? 0 : Int(Layout.inputSize - used)
  }

  /// Returns how many fitted.
  public func receive(_ bytes: some Sequence<UInt8>) -> Int {
    var producer = index(Layout.inputProducer)
    var count = 0
    for byte in bytes.prefix(room) {
      page.storeBytes(of: byte, toByteOffset: Layout.input + Int(producer % Layout.inputSize), as: UInt8.self)
      producer &+= 1
      count += 1
    }
    guard count > 0 else { return 0 }
    page.storeBytes(of: producer, toByteOffset: Layout.inputProducer, as: UInt32.self)
    domain.services.events.sendFromHost(port)
    return count
  }
}
