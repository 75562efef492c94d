/// Guests' connections: two byte streams in a page (`xen/include/public/io/xs_wire.h`).
extension XenStore {
  private enum Ring {
    static let size: UInt32 = 1024
    static let requests = 0
    static let responses = 0x400
    static let requestConsumer = 0x800
    static let requestProducer = 0x804
    static let responseConsumer = 0x808
    static let responseProducer = 0x80C
  }

  /// Connects a guest: its page, in its own frame number, and the port that waits for domain 0.
  public func introduce(_ domain: UInt16, frame: UInt64, port: UInt32) throws(StoreError) {
    guard connections[domain] == nil else { throw .exists }
    guard let page = try? grants.mapFrameForHost(frame, of: domain) else { throw .invalid }
    let connection = StoreConnection(domain: domain, page: page)
    do throws(XenError) {
      connection.port = try events.bindHost(to: domain, port: port) { [weak self, weak connection] in
        if let connection { self?.serve(connection) }
      }
    } catch {
      grants.unmapForHost(page)
      throw .invalid
    }
    connections[domain] = connection
    fireSpecial(Self.introduced)
    serve(connection)
  }

  /// The domain is gone. Its nodes stay for whoever made them to remove.
  public func release(_ domain: UInt16) {
    if let connection = connections[domain] { disconnect(connection) }
    fireSpecial(Self.released)
  }

  public func isIntroduced(_ domain: UInt16) -> Bool { connections[domain] != nil }

  private func disconnect(_ connection: StoreConnection) {
    connections[connection.domain] = nil
    events.closeHost(connection.port)
    grants.unmapForHost(connection.page)
  }

  private func drop(_ connection: StoreConnection, _ reason: String) {
    disconnect(connection)
    statistics.dropped += 1
    dropped?(connection.domain, reason)
  }

  /// Takes what the guest has written, and answers. Requests wait as long as answers do, so that neither can pile up.
  private func serve(_ connection: StoreConnection) {
    guard connection.page.isMapped else { return }
    flush(connection)
    while connection.page.isMapped, connection.output.isEmpty {
      let message: StoreMessage?
      do throws(StoreError) { message = try StoreMessage.first(of: connection.input[...]) } catch {
        return drop(connection, "a request is longer than \(StoreMessage.payloadLimit) bytes")
      }
      if let message {
        connection.input.removeFirst(StoreMessage.headerSize + message.payload.count)
        handle(message, connection)
      } else if !take(connection) {
        return
      }
    }
  }

  private func handle(_ message: StoreMessage, _ connection: StoreConnection) {
    // Its own change may cause events for this guest; the answer may come before or after them.
    let reply = answer(message, connection)
    connection.output.append(reply.bytes)
    if message.kind == StoreMessage.Kind.watch.rawValue, reply.kind == message.kind { fireNewWatch(message, connection) }
    flush(connection)
  }

  /// Takes bytes out of the ring. False: there are none, or the connection is gone.
  private func take(_ connection: StoreConnection) -> Bool {
    let page = connection.page
    let consumer = page.load(Ring.requestConsumer, as: UInt32.self)
    let count = page.load(Ring.requestProducer, as: UInt32.self) &- consumer
    guard count <= Ring.size else {
      drop(connection, "the request ring holds \(count) bytes")
      return false
    }
    guard count > 0 else { return false }
    let start = consumer & (Ring.size - 1)
    let first = min(count, Ring.size - start)
    connection.input += page.copyOut(Ring.requests + Int(start), count: Int(first))
    connection.input += page.copyOut(Ring.requests, count: Int(count - first))
    page.store(Ring.requestConsumer, consumer &+ count)
    events.sendFromHost(connection.port)
    return true
  }

  /// Puts into the ring what fits.
  func flush(_ connection: StoreConnection) {
    guard connection.page.isMapped else { return }
    guard connection.output.count <= StoreConnection.outputLimit else {
      return drop(connection, "\(connection.output.count) messages wait")
    }
    let page = connection.page
    while let message = connection.output.first {
      let producer = page.load(Ring.responseProducer, as: UInt32.self)
      let used = producer &- page.load(Ring.responseConsumer, as: UInt32.self)
      guard used <= Ring.size else { return drop(connection, "the response ring holds \(used) bytes") }
      let start = producer & (Ring.size - 1)
      let count = min(Ring.size - used, Ring.size - start, UInt32(message.count - connection.sent))
      guard count > 0 else { return }
      message[connection.sent..<connection.sent + Int(count)].withUnsafeBytes { page.copyIn(Ring.responses + Int(start), $0) }
      page.store(Ring.responseProducer, producer &+ count)
      events.sendFromHost(connection.port)
      connection.sent += Int(count)
      if connection.sent == message.count {
        connection.output.removeFirst()
        connection.sent = 0
      }
    }
  }
}
