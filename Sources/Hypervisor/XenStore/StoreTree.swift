/// One node. Children in the order in which they were made.
struct StoreNode {
  var value: [UInt8] = []
  var permissions: [StorePermission]
  private(set) var names: [String] = []
  private var children: [String: StoreNode] = [:]

  init(permissions: [StorePermission]) { self.permissions = permissions }

  var owner: UInt16 { permissions.first?.domain ?? DomainNumber.host }

  func rights(of domain: UInt16) -> (read: Bool, write: Bool) {
    if domain == DomainNumber.host || domain == owner { return (true, true) }
    let entry = permissions.dropFirst().first { $0.domain == domain } ?? permissions.first
    return (entry?.rights.mayRead ?? false, entry?.rights.mayWrite ?? false)
  }

  subscript(_ name: Substring) -> StoreNode? { children[String(name)] }

  mutating func set(_ name: Substring, _ node: StoreNode) {
    let name = String(name)
    if children.updateValue(node, forKey: name) == nil { names.append(name) }
  }

  mutating func remove(_ name: Substring) -> StoreNode? {
    guard let node = children.removeValue(forKey: String(name)) else { return nil }
    names.removeAll { $0 == name }
    return node
  }

  /// Changes a descendant that is there.
  mutating func change(_ path: ArraySlice<Substring>, _ body: (inout StoreNode) -> Void) {
    guard let first = path.first else { return body(&self) }
    // Through the dictionary's own storage, so that only what a snapshot shares is copied.
    children[String(first)]?.change(path.dropFirst(), body)
  }

  func forEach(_ body: (StoreNode) -> Void) {
    body(self)
    for child in children.values { child.forEach(body) }
  }
}

/// What has changed, for watches.
struct StoreChange: Hashable {
  let path: StorePath
  /// With all that was below.
  let isRemoval: Bool
}

/// The whole store at one moment. A copy is a snapshot, and costs what is changed in it afterwards.
struct StoreTree {
  private var root = StoreNode(permissions: [StorePermission(.none, DomainNumber.host)])
  /// Nodes that each domain owns.
  private(set) var owned: [UInt16: Int] = [DomainNumber.host: 1]

  func node(_ path: StorePath) -> StoreNode? {
    var node = root
    for part in path.parts {
      guard let child = node[part] else { return nil }
      node = child
    }
    return node
  }

  /// The nearest ancestor that is there, or the node itself, and how many parts of the path lead to it.
  private func nearest(_ parts: [Substring]) -> (node: StoreNode, depth: Int) {
    var node = root
    for (depth, part) in parts.enumerated() {
      guard let child = node[part] else { return (node, depth) }
      node = child
    }
    return (node, parts.count)
  }

  // MARK: Reading

  /// A node that a domain may read. Whether one is missing is only told to those who may read where it would be.
  func readable(_ path: StorePath, by domain: UInt16) throws(StoreError) -> StoreNode {
    let parts = path.parts
    let (node, depth) = nearest(parts)
    guard node.rights(of: domain).read else { throw .accessDenied }
    guard depth == parts.count else { throw .noEntry }
    return node
  }

  func mayRead(_ path: StorePath, _ domain: UInt16) -> Bool { node(path)?.rights(of: domain).read ?? false }

  // MARK: Changing

  mutating func write(_ path: StorePath, _ value: [UInt8], by domain: UInt16, quotas: StoreQuotas) throws(StoreError)
    -> [StoreChange]
  {
    guard domain == DomainNumber.host || value.count <= quotas.valueSize else { throw .noSpace }
    _ = try create(path, by: domain, quotas: quotas)
    root.change(path.parts[...]) { $0.value = value }
    return [StoreChange(path: path, isRemoval: false)]
  }

  mutating func makeDirectory(_ path: StorePath, by domain: UInt16, quotas: StoreQuotas) throws(StoreError) -> [StoreChange] {
    try create(path, by: domain, quotas: quotas) ? [StoreChange(path: path, isRemoval: false)] : []
  }

  /// Makes a node and what is missing above it, if the domain may write there. Each has its parent's permissions, and is the domain's that
  /// made it unless that is domain 0. False: it was there.
  private mutating func create(_ path: StorePath, by domain: UInt16, quotas: StoreQuotas) throws(StoreError) -> Bool {
    let parts = path.parts
    let (start, depth) = nearest(parts)
    guard start.rights(of: domain).write else { throw .accessDenied }
    guard depth < parts.count else { return false }
    let count = parts.count - depth
    guard domain == DomainNumber.host || owned[domain, default: 0] + count <= quotas.nodes else { throw .noSpace }
    var permissions = start.permissions
    if domain != DomainNumber.host { permissions[0].domain = domain }
    var made = StoreNode(permissions: permissions)
    for part in parts[(depth + 1)...].reversed() {
      var outer = StoreNode(permissions: permissions)
      outer.set(part, made)
      made = outer
    }
    root.change(parts[..<depth]) { $0.set(parts[depth], made) }
    owned[made.owner, default: 0] += count
    return true
  }

  /// Removes a node with all below it. What is not there is no error if its parent is.
  mutating func remove(_ path: StorePath, by domain: UInt16) throws(StoreError) -> [StoreChange] {
    guard !path.isRoot else { throw .invalid }
    let parts = path.parts
    let (found, depth) = nearest(parts)
    guard found.rights(of: domain).write else { throw .accessDenied }
    guard depth == parts.count else {
      guard depth == parts.count - 1 else { throw .noEntry }
      return []
    }
    var removed: StoreNode?
    root.change(parts.dropLast()) { $0.remove(parts[parts.count - 1]).map { removed = $0 } }
    removed?.forEach { owned[$0.owner, default: 0] -= 1 }
    return [StoreChange(path: path, isRemoval: true)]
  }

  mutating func setPermissions(
    _ path: StorePath, _ permissions: [StorePermission], by domain: UInt16
  ) throws(StoreError) -> [StoreChange] {
    let node = try readable(path, by: domain)
    guard let owner = permissions.first?.domain else { throw .invalid }
    // Nobody gives nodes away to others' accounts but domain 0.
    guard domain == DomainNumber.host || (node.owner == domain && owner == domain) else { throw .accessDenied }
    owned[node.owner, default: 0] -= 1
    owned[owner, default: 0] += 1
    root.change(path.parts[...]) { $0.permissions = permissions }
    return [StoreChange(path: path, isRemoval: false)]
  }
}
