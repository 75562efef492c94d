import CThreadedCode

/// What the engine itself has done: which micro-operations ran, how often translations were made and lost, how often the fast paths
/// served.
public struct EngineProfile: Encodable, Sendable {
  public struct Item: Encodable, Sendable {
    public var name: String
    public var count: UInt64
  }

  /// Slots that the guest has retired, and micro-operations that ran for them.
  public var slots: UInt64 = 0
  public var operationCount: UInt64 = 0
  /// All, the most frequent ones first.
  public var operations: [Item] = []
  /// One after the other.
  public var pairs: [Item] = []
  /// By the virtual address of their first bundle.
  public var blocks: [Item] = []

  public var blocksBuilt: UInt64 = 0
  /// Made invalid by a store to their page, or by fc.
  public var blocksDropped: UInt64 = 0
  /// Made again for that reason.
  public var blocksRenewed: UInt64 = 0
  /// Times that the arena was full.
  public var arenaEmptied: UInt64 = 0
  /// Bytes of micro-operations.
  public var arenaBytes = 0

  /// References of ordinary loads and stores, and those that the software TLB did not serve.
  public var dataReferences: UInt64 = 0
  public var dataMisses: UInt64 = 0
  /// Transfers for which the jump cache had no block.
  public var jumpMisses: UInt64 = 0
  /// Bytes of the software TLBs and jump caches.
  public var tableBytes = 0

  /// Must come before anything is translated. What runs takes some ten times the host instructions.
  public static func begin() { EngineCounts.begin() }

  private static let most = 30

  /// Of `processors`, of all that have run in this process since ``begin()``.
  public init(_ processors: [LogicalProcessor]) {
    let tags = MicroTag.allCases.map { Int($0.rawValue) }
    operations = Self.sorted(tags.map { Item(name: Self.name($0), count: EngineCounts.operations[$0]) })
    operationCount = operations.reduce(0) { $0 &+ $1.count }
    pairs = Self.sorted(
      tags.flatMap { first in
        tags.map { Item(name: "\(Self.name(first)) \(Self.name($0))", count: EngineCounts.pair(first, $0)) }
      }, most: Self.most)
    blocks = Self.sorted(
      EngineCounts.blocks.map { Item(name: "0x" + String($0.key, radix: 16), count: $0.value) }, most: Self.most)
    dataReferences = MicroTag.allCases.filter(\.isPlainReference).reduce(0) {
      $0 &+ EngineCounts.operations[Int($1.rawValue)]
    }
    var domains: [ObjectIdentifier: CoherenceDomain] = [:]
    for processor in processors {
      slots &+= processor.state.pointee.instructions
      dataMisses &+= processor.engine.pointee.dataMisses
      jumpMisses &+= processor.engine.pointee.jumpMisses
      tableBytes += SoftTLB.bytes + JumpEntry.count * MemoryLayout<JumpEntry>.stride
      domains[ObjectIdentifier(processor.domain)] = processor.domain
    }
    for domain in domains.values {
      blocksBuilt &+= domain.blocks.built
      blocksDropped &+= domain.blocks.invalidated
      blocksRenewed &+= domain.blocks.renewed
      arenaEmptied &+= domain.blocks.emptied
      arenaBytes += domain.blocks.used
    }
  }

  private static func name(_ tag: Int) -> String { String(cString: epicure_operation_name(Int32(tag))) }

  private static func sorted(_ items: [Item], most: Int = .max) -> [Item] {
    Array(
      items.filter { $0.count > 0 }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }.prefix(most))
  }
}

extension MicroTag {
  /// An access that the software TLB serves in line.
  fileprivate var isPlainReference: Bool {
    switch self {
    case .ld1, .ld2, .ld4, .ld8, .ld1Inc, .ld2Inc, .ld4Inc, .ld8Inc, .st1, .st2, .st4, .st8, .st1Inc, .st2Inc, .st4Inc, .st8Inc,
      .ldfs, .ldfd, .ldfFill, .ldfsInc, .ldfdInc, .ldfFillInc, .stfs, .stfd, .stfSpill, .stfsInc, .stfdInc, .stfSpillInc,
      .ldfdHost, .ldfdHostInc, .stfdHost, .stfdHostInc:
      true
    default: false
    }
  }
}
