/// What guests ask for.
extension XenStore {
  func answer(_ message: StoreMessage, _ connection: StoreConnection) -> StoreMessage {
    statistics.requests += 1
    do throws(StoreError) {
      guard let kind = StoreMessage.Kind(rawValue: message.kind) else { throw .notImplemented }
      return message.reply(try payload(kind, message, connection))
    } catch {
      statistics.errors += 1
      return message.reply(error)
    }
  }

  private static let okay = StoreMessage.text("OK")

  private func payload(_ kind: StoreMessage.Kind, _ message: StoreMessage, _ connection: StoreConnection) throws(StoreError)
    -> [UInt8]
  {
    switch kind {
    case .directory: return try node(message, connection).names.flatMap { StoreMessage.text($0) }
    case .read: return try node(message, connection).value
    case .getPermissions: return try node(message, connection).permissions.flatMap { StoreMessage.text($0.description) }
    case .write:
      guard let (path, value) = message.pathAndValue else { throw .invalid }
      let target = try StorePath(path, of: connection.domain)
      try change(connection, message.transaction) { (tree) throws(StoreError) in
        try tree.write(target, value, by: connection.domain, quotas: quotas)
      }
    case .makeDirectory:
      let path = try path(message, connection)
      try change(connection, message.transaction) { (tree) throws(StoreError) in
        try tree.makeDirectory(path, by: connection.domain, quotas: quotas)
      }
    case .remove:
      let path = try path(message, connection)
      try change(connection, message.transaction) { (tree) throws(StoreError) in try tree.remove(path, by: connection.domain) }
    case .setPermissions: try setPermissions(message, connection)
    case .watch: try watch(message, connection)
    case .unwatch: try unwatch(message, connection)
    case .resetWatches: connection.watches = []
    case .transactionStart: return StoreMessage.text(String(try start(message, connection)))
    case .transactionEnd: try end(message, connection)
    case .getDomainPath: return StoreMessage.text(StorePath.home(of: try domain(message)))
    case .isDomainIntroduced:
      let number = try domain(message)
      return StoreMessage.text(number == DomainNumber.host || connections[number] != nil ? "T" : "F")
    case .debug, .introduce, .release, .resume, .setTarget: throw .accessDenied
    case .watchEvent, .error, .restrict: throw .notImplemented
    }
    return Self.okay
  }

  // MARK: Arguments

  private func path(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) -> StorePath {
    guard let strings = message.strings, strings.count == 1 else { throw .invalid }
    return try StorePath(strings[0], of: connection.domain)
  }

  private func domain(_ message: StoreMessage) throws(StoreError) -> UInt16 {
    guard let strings = message.strings, strings.count == 1, let number: UInt16 = StoreNumber.parse(strings[0]) else {
      throw .invalid
    }
    return number
  }

  private func node(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) -> StoreNode {
    let path = try path(message, connection)
    guard message.transaction != 0 else { return try tree.readable(path, by: connection.domain) }
    guard let transaction = connection.transactions[message.transaction] else { throw .noEntry }
    return try transaction.tree.readable(path, by: connection.domain)
  }

  private func setPermissions(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) {
    guard let strings = message.strings, strings.count >= 2 else { throw .invalid }
    let path = try StorePath(strings[0], of: connection.domain)
    var permissions: [StorePermission] = []
    for text in strings.dropFirst() {
      guard let permission = StorePermission(text) else { throw .invalid }
      permissions.append(permission)
    }
    try change(connection, message.transaction) { (tree) throws(StoreError) in
      try tree.setPermissions(path, permissions, by: connection.domain)
    }
  }

  // MARK: Watches

  private func parseWatch(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) -> (
    StoreConnection.Watch, String
  ) {
    guard let strings = message.strings, strings.count == 2 else { throw .invalid }
    let (path, token) = (strings[0], strings[1])
    // Who comes and goes is not for guests to know.
    guard path.first != "@" else { throw .accessDenied }
    let target = try StorePath(path, of: connection.domain)
    let prefix = path.first == "/" ? "" : StorePath.home(of: connection.domain) + "/"
    return (.init(watched: .path(target), token: token, prefix: prefix), path)
  }

  private func watch(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) {
    let (watch, _) = try parseWatch(message, connection)
    guard !connection.watches.contains(where: { $0.watched == watch.watched && $0.token == watch.token }) else { throw .exists }
    // xenstored says E2BIG, which has no name on the wire, so that EINVAL goes out.
    guard connection.watches.count < quotas.watches else { throw .invalid }
    connection.watches.append(watch)
  }

  /// The event that a new watch causes comes after the answer to its request.
  func fireNewWatch(_ message: StoreMessage, _ connection: StoreConnection) {
    guard let (watch, path) = try? parseWatch(message, connection) else { return }
    queue(watch, watch.prefix + path, connection)
  }

  private func unwatch(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) {
    let (watch, _) = try parseWatch(message, connection)
    guard let index = connection.watches.firstIndex(where: { $0.watched == watch.watched && $0.token == watch.token }) else {
      throw .noEntry
    }
    connection.watches.remove(at: index)
  }

  /// An event for a guest. One that waits already says as much as two.
  func queue(_ watch: StoreConnection.Watch, _ path: String, _ connection: StoreConnection) {
    let seen = String(path.dropFirst(watch.prefix.count))
    let event = StoreMessage(kind: StoreMessage.Kind.watchEvent.rawValue, payload: StoreMessage.text(seen, watch.token)).bytes
    guard !connection.output.dropFirst().contains(event) else { return }
    statistics.watchEvents += 1
    connection.output.append(event)
  }

  // MARK: Transactions

  private func start(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) -> UInt32 {
    guard message.transaction == 0 else { throw .busy }
    guard connection.transactions.count < quotas.transactions else { throw .noSpace }
    while connection.nextTransaction == 0 || connection.transactions[connection.nextTransaction] != nil {
      connection.nextTransaction &+= 1
    }
    let number = connection.nextTransaction
    connection.nextTransaction &+= 1
    connection.transactions[number] = begin()
    return number
  }

  private func end(_ message: StoreMessage, _ connection: StoreConnection) throws(StoreError) {
    guard let strings = message.strings, strings == ["T"] || strings == ["F"] else { throw .invalid }
    guard let transaction = connection.transactions.removeValue(forKey: message.transaction) else { throw .noEntry }
    if strings == ["T"] { try commit(transaction) }
  }
}
