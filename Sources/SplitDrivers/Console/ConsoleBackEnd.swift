import Hypervisor

/// A paravirtualized domain's console (`xen/include/public/io/console.h`): two byte streams in a page that the domain has told the number of.
///
/// ``output`` is called with what the domain writes; ``type(_:)`` is what comes from the administrator. Indices that cannot be end the
/// connection with a report.
public final class ConsoleBackEnd {
  private enum Field {
    static let input = 0
    static let inputSize: UInt32 = 1024
    static let output = 0x400
    static let outputSize: UInt32 = 2048
    static let inputConsumer = 0xC00
    static let inputProducer = 0xC04
    static let outputConsumer = 0xC08
    static let outputProducer = 0xC0C
  }
  /// Bytes that may wait for a domain that does not read.
  public static let inputLimit = 64 << 10

  private let host: DriverHost
  public let domain: UInt16
  private let page: HostMapping
  private var port: UInt32?
  private var typed: [UInt8] = []
  public var output: (([UInt8]) -> Void)?
  public private(set) var bytesWritten: UInt64 = 0
  public private(set) var bytesTyped: UInt64 = 0
  public var isConnected: Bool { port != nil }

  /// `frame`: the domain's number of the page. `port`: the domain's, which waits for domain 0.
  public init(host: DriverHost, domain: UInt16, frame: UInt64, port remote: UInt32) throws(XenError) {
    (self.host, self.domain) = (host, domain)
    guard let page = try? host.grants.mapFrameForHost(frame, of: domain) else { throw .invalid }
    self.page = page
    do throws(XenError) {
      port = try host.events.bindHost(to: domain, port: remote) { [weak self] in self?.serve() }
    } catch {
      host.grants.unmapForHost(page)
      throw error
    }
  }

  deinit { disconnect() }

  /// Before the domain goes.
  public func disconnect() {
    if let port { host.events.closeHost(port) }
    port = nil
    host.grants.unmapForHost(page)
  }

  /// Characters for the domain. What it does not take for too long is lost.
  public func type(_ bytes: [UInt8]) {
    typed += bytes.prefix(Self.inputLimit - typed.count)
    serve()
  }

  /// What a domain has written before anybody listened is there at the first call.
  public func serve() {
    guard port != nil else { return }
    do throws(ProtocolViolation) {
      try takeOutput()
      try giveInput()
    } catch {
      host.report?(domain, "console", error.description)
      disconnect()
    }
  }

  private func takeOutput() throws(ProtocolViolation) {
    let consumer = page.load(Field.outputConsumer, as: UInt32.self)
    let count = page.load(Field.outputProducer, as: UInt32.self) &- consumer
    guard count <= Field.outputSize else { throw .bytes(count) }
    guard count > 0, let port else { return }
    let start = consumer & (Field.outputSize - 1)
    let first = min(count, Field.outputSize - start)
    let bytes = page.copyOut(Field.output + Int(start), count: Int(first)) + page.copyOut(Field.output, count: Int(count - first))
    page.store(Field.outputConsumer, consumer &+ count)
    host.events.sendFromHost(port)
    bytesWritten += UInt64(count)
    output?(bytes)
  }

  private func giveInput() throws(ProtocolViolation) {
    while !typed.isEmpty {
      let producer = page.load(Field.inputProducer, as: UInt32.self)
      let used = producer &- page.load(Field.inputConsumer, as: UInt32.self)
      guard used <= Field.inputSize else { throw .bytes(used) }
      let start = producer & (Field.inputSize - 1)
      let count = min(Field.inputSize - used, Field.inputSize - start, UInt32(typed.count))
      guard count > 0, let port else { return }
      typed[0..<Int(count)].withUnsafeBytes { page.copyIn(Field.input + Int(start), $0) }
      page.store(Field.inputProducer, producer &+ count)
      host.events.sendFromHost(port)
      bytesTyped += UInt64(count)
      typed.removeFirst(Int(count))
    }
  }
}
