import Foundation
import Yams

/// Reading and writing descriptions as YAML: `base:` names a description that ships, the other keys say what differs from it.
extension MachineDescription {
  /// Why a description cannot be used; the text is one line for the user.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public var description: String
    init(_ description: String) { self.description = description }
  }

  /// Names of the descriptions that ship.
  public static let shipped = ["montecito-1.6", "madison-1.5", "mckinley-1.0"]

  /// A description that ships, by its name, or one in a file.
  public static func load(_ nameOrPath: String) throws(Failure) -> MachineDescription {
    if let text = text(named: nameOrPath) { return try parse(text) }
    guard let text = try? String(contentsOfFile: nameOrPath, encoding: .utf8) else {
      throw Failure("there is no description \(nameOrPath): \(shipped.joined(separator: ", ")), or a YAML file")
    }
    do throws(Failure) { return try parse(text) } catch { throw Failure("\(nameOrPath): \(error)") }
  }

  private static func text(named name: String) -> String? {
    let bytes: [UInt8]
    switch name {
    case "montecito-1.6": bytes = PackageResources.montecito_1_6_yaml
    case "madison-1.5": bytes = PackageResources.madison_1_5_yaml
    case "mckinley-1.0": bytes = PackageResources.mckinley_1_0_yaml
    default: return nil
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A description from YAML text.
  public static func parse(_ text: String) throws(Failure) -> MachineDescription {
    let given: Node
    do {
      given = try Yams.compose(yaml: text) ?? Node.mapping([:])
    } catch {
      throw Failure("\(error)".replacing("\n", with: " "))
    }
    guard case .mapping(var changes) = given else { throw Failure("a description is a list of keys and values") }
    var base = MachineDescription()
    if let name = changes["base"]?.string {
      guard name != "montecito-1.6", let text = Self.text(named: name) else {
        guard name == "montecito-1.6" else {
          throw Failure("base: there is no \(name); there are \(shipped.joined(separator: ", "))")
        }
        return try base.changed(without("base", &changes))
      }
      base = try parse(text)
    }
    return try base.changed(without("base", &changes))
  }

  private static func without(_ key: String, _ mapping: inout Node.Mapping) -> Node.Mapping {
    mapping[Node(key)] = nil
    return mapping
  }

  /// This description with the given keys changed.
  private func changed(_ changes: Node.Mapping) throws(Failure) -> MachineDescription {
    let result: MachineDescription
    do {
      let whole = try Yams.compose(yaml: YAMLEncoder().encode(self)) ?? Node.mapping([:])
      let merged = try Self.merge(whole, Node.mapping(changes), path: "")
      result = try YAMLDecoder().decode(MachineDescription.self, from: Yams.serialize(node: merged))
    } catch let failure as Failure {
      throw failure
    } catch DecodingError.typeMismatch(_, let context) {
      throw Failure("\(Self.name(context.codingPath)): the value is of the wrong kind")
    } catch DecodingError.dataCorrupted(let context) {
      throw Failure("\(Self.name(context.codingPath)): the value is of the wrong kind")
    } catch {
      throw Failure("\(error)")
    }
    try result.check()
    return result
  }

  private static func name(_ path: [any CodingKey]) -> String { path.map { snake($0.stringValue) }.joined(separator: ".") }

  private static func merge(_ base: Node, _ changes: Node, path: String) throws(Failure) -> Node {
    guard case .mapping(var result) = base else {
      guard case .scalar = changes else { throw Failure("\(path): one value is wanted") }
      return changes
    }
    guard case .mapping(let given) = changes else { throw Failure("\(path): keys and values are wanted") }
    for (key, value) in given {
      let name = key.string ?? ""
      guard let own = result.keys.first(where: { snake($0.string ?? "") == name }), let old = result[own] else {
        let known = result.keys.compactMap { $0.string.map(snake) }.sorted().joined(separator: ", ")
        throw Failure("\(path)\(name): there is no such key; there are \(known)")
      }
      result[own] = try merge(old, value, path: "\(path)\(name).")
    }
    return .mapping(result)
  }

  /// Swift's spelling to that of the files: clockMHz is clock_mhz.
  private static func snake(_ name: String) -> String {
    var result = ""
    var previous: Character = "A"
    for c in name {
      if c.isUppercase && !previous.isUppercase { result += "_" }
      result += c.lowercased()
      previous = c
    }
    return result
  }

  /// Sizes and counts that the model's tables can have.
  private func check() throws(Failure) {
    try within(clockMHz, 1...100_000, "clock_mhz")
    try within(itcDivisor, 1...64, "itc_divisor")
    for (name, cache, least) in [("l1i", l1i, 1), ("l1d", l1d, 1), ("l2d", l2d, 1), ("l2i", l2i, 0), ("l3", l3, 1)] {
      try within(cache.line, 16...4096, "\(name).line")
      guard cache.line.nonzeroBitCount == 1 else { throw Failure("\(name).line: a power of two is wanted") }
      try within(cache.ways, 1...64, "\(name).ways")
      try within(cache.bytes, least * cache.line * cache.ways...1 << 30, "\(name).bytes")
      guard cache.bytes == 0 || (cache.bytes % (cache.line * cache.ways) == 0 && cache.sets.nonzeroBitCount == 1) else {
        throw Failure("\(name): bytes / (ways * line) must be a power of two")
      }
      try within(cache.latency, 1...10_000, "\(name).latency")
    }
    try within(frontEnd.bufferBundles, 2...64, "front_end.buffer_bundles")
    try within(dispersal.memoryOperationsPerCycle, 1...4, "dispersal.memory_operations_per_cycle")
    try within(branch.histories, 1...1 << 20, "branch.histories")
    try within(branch.historyBits, 1...4, "branch.history_bits")
    try within(branch.returnStack, 1...64, "branch.return_stack")
    try within(stack.registersPerCycle, 1...96, "stack.registers_per_cycle")
    try within(translation.l1Entries, 1...255, "translation.l1_entries")
    try within(translation.l2Entries, 1...255, "translation.l2_entries")
    try within(memory.loadMisses, 1...16, "memory.load_misses")
    try within(memory.storeMisses, 1...16, "memory.store_misses")
    try within(memory.banks, 1...16, "memory.banks")
    guard memory.banks.nonzeroBitCount == 1 else { throw Failure("memory.banks: a power of two is wanted") }
    // An instruction looks back at two groups.
    try within(latency.integerToMultimedia, 1...3, "latency.integer_to_multimedia")
    try within(memory.nanoseconds, 0...100_000, "memory.nanoseconds")
    try within(memory.busMegabytesPerSecond, 1...1_000_000, "memory.bus_megabytes_per_second")
    try checkLatencies()
  }

  private func within<T: Comparable>(_ value: T, _ range: ClosedRange<T>, _ name: String) throws(Failure) {
    guard range.contains(value) else { throw Failure("\(name): from \(range.lowerBound) to \(range.upperBound), not \(value)") }
  }

  /// Every other number is a count of cycles or a time; none of them may be absurd.
  private func checkLatencies() throws(Failure) {
    try within(branch.mispredict, 0...16_384, "branch.mispredict")
    try within(branch.loopCountAhead, 0...16_384, "branch.loop_count_ahead")
    // Differences of latencies are kept in bytes, latencies in words of groups' records.
    for (group, value, most) in [
      ("latency", latency as Any, 255), ("system", system, 16_384), ("translation", translation, 16_384),
      ("front_end", frontEnd, 16_384), ("memory", memory, 16_384), ("virtualization", virtualization, 1 << 20),
    ] {
      for child in Mirror(reflecting: value).children {
        let name = "\(group).\(Self.snake(child.label ?? ""))"
        if let cycles = child.value as? Int { try within(cycles, 0...most, name) }
        if let time = child.value as? Double { try within(time, 0...1_000_000, name) }
      }
    }
  }

  /// The whole description as YAML, in the files' spelling.
  public var yaml: String {
    func renamed(_ node: Node) -> Node {
      guard case .mapping(let mapping) = node else { return node }
      return .mapping(Node.Mapping(mapping.map { (Node(Self.snake($0.key.string ?? "")), renamed($0.value)) }))
    }
    guard let text = try? YAMLEncoder().encode(self), let node = try? Yams.compose(yaml: text) else { return "" }
    return (try? Yams.serialize(node: renamed(node))) ?? ""
  }
}
