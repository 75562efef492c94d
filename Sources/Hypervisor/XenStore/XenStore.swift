/// XenStore: the tree of small values through which domains and their administrators find each other.
///
/// - ``read(_:)``, ``write(_:_:)``, ``list(_:)``, ``makeDirectory(_:)``, ``remove(_:)``, ``permissions(of:)``,
///   ``setPermissions(_:_:)``, ``watch(_:_:)``, ``unwatch(_:)``, ``transaction(_:)``: domain 0's side, which is Swift code here.
/// - ``introduce(_:frame:port:)`` and ``release(_:)``: a guest's connection through a shared page (`XenStore+Rings.swift`). A guest that
///   breaks its ring loses the connection, which ``dropped`` reports, and nothing else.
///
/// Transactions work on a snapshot; any change by others between begin and end makes them fail with EAGAIN, as in xenstored. Watches tell a
/// domain only of what it may read. Domain 0's watches are called one after another, after the operation that caused them.
public final class XenStore {
  public let quotas: StoreQuotas
  let events: EventChannels
  let grants: GrantTables
  private(set) var tree = StoreTree()
  /// Counts changes: what a transaction compares.
  private var generation: UInt64 = 0
  var connections: [UInt16: StoreConnection] = [:]
  /// A guest's connection was closed because of what it did.
  public var dropped: ((_ domain: UInt16, _ reason: String) -> Void)?
  public internal(set) var statistics = Statistics()

  public struct Statistics: Equatable, Sendable {
    public var requests: UInt64 = 0
    public var errors: UInt64 = 0
    public var conflicts: UInt64 = 0
    public var watchEvents: UInt64 = 0
    public var dropped: UInt64 = 0
  }

  public init(events: EventChannels, grants: GrantTables, quotas: StoreQuotas = StoreQuotas()) {
    (self.events, self.grants, self.quotas) = (events, grants, quotas)
  }

  // MARK: Domain 0

  public func read(_ path: String) throws(StoreError) -> String {
    String(decoding: try tree.readable(StorePath(path), by: DomainNumber.host).value, as: UTF8.self)
  }
  public func bytes(_ path: String) throws(StoreError) -> [UInt8] {
    try tree.readable(StorePath(path), by: DomainNumber.host).value
  }
  public func list(_ path: String) throws(StoreError) -> [String] {
    try tree.readable(StorePath(path), by: DomainNumber.host).names
  }
  public func permissions(of path: String) throws(StoreError) -> [StorePermission] {
    try tree.readable(StorePath(path), by: DomainNumber.host).permissions
  }
  public func exists(_ path: String) -> Bool { (try? list(path)) != nil }

  public func write(_ path: String, _ value: String) throws(StoreError) { try transaction { $0.write(path, value) } }
  public func makeDirectory(_ path: String) throws(StoreError) { try transaction { $0.makeDirectory(path) } }
  public func remove(_ path: String) throws(StoreError) { try transaction { $0.remove(path) } }
  public func setPermissions(_ path: String, _ permissions: [StorePermission]) throws(StoreError) {
    try transaction { $0.setPermissions(path, permissions) }
  }

  /// Changes that others see all at once.
  public struct Batch {
    private enum Operation {
      case write(String)
      case makeDirectory, remove
      case setPermissions([StorePermission])
    }
    private var operations: [(path: String, operation: Operation)] = []

    public mutating func write(_ path: String, _ value: String) { operations.append((path, .write(value))) }
    public mutating func makeDirectory(_ path: String) { operations.append((path, .makeDirectory)) }
    public mutating func remove(_ path: String) { operations.append((path, .remove)) }
    public mutating func setPermissions(_ path: String, _ permissions: [StorePermission]) {
      operations.append((path, .setPermissions(permissions)))
    }

    fileprivate func apply(_ tree: inout StoreTree, _ quotas: StoreQuotas) throws(StoreError) -> [StoreChange] {
      var changes: [StoreChange] = []
      for (text, operation) in operations {
        let path = try StorePath(text)
        switch operation {
        case .write(let value): changes += try tree.write(path, [UInt8](value.utf8), by: DomainNumber.host, quotas: quotas)
        case .makeDirectory: changes += try tree.makeDirectory(path, by: DomainNumber.host, quotas: quotas)
        case .remove: changes += try tree.remove(path, by: DomainNumber.host)
        case .setPermissions(let list): changes += try tree.setPermissions(path, list, by: DomainNumber.host)
        }
      }
      return changes
    }
  }

  /// Does all that `body` asks for, or nothing. Nothing can come between, so there are no conflicts.
  public func transaction(_ body: (inout Batch) -> Void) throws(StoreError) {
    var batch = Batch()
    body(&batch)
    var new = tree
    let changes = try batch.apply(&new, quotas)
    publish(new, changes)
  }

  /// Makes a tree the current one, and tells who watches.
  func publish(_ new: StoreTree, _ changes: [StoreChange]) {
    guard !changes.isEmpty else { return }
    generation += 1
    let old = tree
    tree = new
    for change in changes { fire(change, old) }
    deliver()
  }

  // MARK: Domain 0's watches

  private struct HostWatch {
    let path: Watched
    let handler: (String) -> Void
  }
  /// What a watch waits for.
  enum Watched: Equatable {
    case path(StorePath)
    /// @introduceDomain, @releaseDomain.
    case special(String)

    /// The path that an event carries; nil: this change is none of its.
    func event(_ change: StoreChange) -> StorePath? {
      guard case .path(let path) = self else { return nil }
      if change.path.isWithin(path) { return change.path }
      return change.isRemoval && path.isWithin(change.path) ? path : nil
    }
  }
  private var hostWatches: [Int: HostWatch] = [:]
  private var nextWatch = 0
  private var waiting: [(watch: Int, path: String)] = []
  private var isDelivering = false

  static let introduced = "@introduceDomain"
  static let released = "@releaseDomain"

  /// `handler` is called with the path that has changed; the first time at once, with `path` itself. Returns what ``unwatch(_:)`` takes.
  @discardableResult
  public func watch(_ path: String, _ handler: @escaping (String) -> Void) throws(StoreError) -> Int {
    let watched: Watched
    if path == Self.introduced || path == Self.released { watched = .special(path) } else { watched = .path(try StorePath(path)) }
    let number = nextWatch
    nextWatch += 1
    hostWatches[number] = HostWatch(path: watched, handler: handler)
    waiting.append((number, path))
    deliver()
    return number
  }

  public func unwatch(_ watch: Int) { hostWatches[watch] = nil }

  private func fire(_ change: StoreChange, _ old: StoreTree) {
    for (number, watch) in hostWatches.sorted(by: { $0.key < $1.key }) {
      if let path = watch.path.event(change) { waiting.append((number, path.description)) }
    }
    for connection in connections.values.sorted(by: { $0.domain < $1.domain }) {
      for watch in connection.watches {
        guard let path = watch.watched.event(change) else { continue }
        // Who may no longer read it is told, too: it was its.
        guard tree.mayRead(path, connection.domain) || old.mayRead(path, connection.domain) else { continue }
        queue(watch, path.description, connection)
      }
    }
  }

  func fireSpecial(_ name: String) {
    for (number, watch) in hostWatches.sorted(by: { $0.key < $1.key }) where watch.path == .special(name) {
      waiting.append((number, name))
    }
    deliver()
  }

  /// Handlers may change the store: what that causes comes after what waits already.
  func deliver() {
    guard !isDelivering else { return }
    isDelivering = true
    defer { isDelivering = false }
    while !waiting.isEmpty {
      let (number, path) = waiting.removeFirst()
      hostWatches[number]?.handler(path)
    }
    for connection in connections.values.sorted(by: { $0.domain < $1.domain }) where !connection.output.isEmpty {
      flush(connection)
    }
  }

  // MARK: Transactions of guests

  /// A snapshot and what was changed in it.
  struct Transaction {
    var tree: StoreTree
    let generation: UInt64
    var changes: [StoreChange] = []
    var changed: Set<StoreChange> = []
  }

  func begin() -> Transaction { Transaction(tree: tree, generation: generation) }

  func commit(_ transaction: Transaction) throws(StoreError) {
    guard transaction.generation == generation else {
      statistics.conflicts += 1
      throw .tryAgain
    }
    publish(transaction.tree, transaction.changes)
  }

  /// Changes the tree, or a transaction's.
  func change(
    _ connection: StoreConnection, _ transaction: UInt32, _ body: (inout StoreTree) throws(StoreError) -> [StoreChange]
  ) throws(StoreError) {
    guard transaction != 0 else {
      var new = tree
      let changes = try body(&new)
      return publish(new, changes)
    }
    guard var current = connection.transactions[transaction] else { throw .noEntry }
    let changes = try body(&current.tree)
    for change in changes where current.changed.insert(change).inserted { current.changes.append(change) }
    guard current.changes.count <= quotas.changes else { throw .noSpace }
    connection.transactions[transaction] = current
  }
}
