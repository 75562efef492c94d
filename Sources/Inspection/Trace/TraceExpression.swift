import Hypervisor

/// A condition on records, as people write it: `exit cause=mov_to_rr and r32 > 4`.
///
/// ```
/// condition  = term { "or" term }            term = factor { [ "and" ] factor }
/// factor     = "not" factor | "(" condition ")" | value [ comparison value ]
/// comparison = "=" "==" "!=" "<" "<=" ">" ">="
/// value      = part { ("&" | "+" | "-") part }
/// part       = number | 0xnumber | word | "text"
/// ```
///
/// Words are kinds of records and groups of them (``Group``), fields (``Field``), registers of the guest (`r32`, `b0`, `p6`, `cr.iva`, `ar.pfs`,
/// `rr5`, `psr`), and on the right of a comparison names: of causes, functions, devices, domains.
public struct TraceExpression: Sendable {
  /// Kinds and groups of kinds.
  enum Group: String, Sendable, CaseIterable {
    case interruption, exit, insert, purge, firmware, event, schedule, request, service, frame, rfi
    /// Calls of the firmware, on the bare machine and in a domain.
    case pal, sal, efi
    /// Privileged instructions of a guest: intercepted, faulting, asked for.
    case privop, hyperprivop, hypercall
    /// Inserts into translation registers, and into the cache.
    case tr, tc
    /// External interrupts.
    case interrupt
    /// Loads and stores that reach a device.
    case device
    case any
  }

  enum Field: String, Sendable, CaseIterable {
    case cause, cycle, cost, ip, cpu, pcpu, domain, detail, a, b, c, at
    // Other words for detail, a, b, c where they mean that.
    case vector, address, opcode, number, isr, ipsr, iim, pa, value, size, rid, offset, bytes
  }

  indirect enum Node: Sendable {
    case or(Node, Node)
    case and(Node, Node)
    case not(Node)
    case group(Group)
    case compare(Value, Comparison, Value)
    case isNotZero(Value)
  }

  indirect enum Value: Sendable {
    case number(UInt64)
    case field(Field)
    case register(String)
    /// A name, or a register or field that is none of ours.
    case text(String)
    case combined(Value, Character, Value)
  }

  enum Comparison: String, Sendable, CaseIterable {
    case equal = "==", unequal = "!=", atMost = "<=", atLeast = ">=", less = "<", greater = ">"
    func holds(_ a: UInt64, _ b: UInt64) -> Bool {
      switch self {
      case .equal: a == b
      case .unequal: a != b
      case .atMost: a <= b
      case .atLeast: a >= b
      case .less: a < b
      case .greater: a > b
      }
    }
  }

  let root: Node
  public let text: String

  /// What a reader cannot make sense of: one line for the user.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// - Parameter live: registers may be named; a file has none.
  public init(_ text: String, live: Bool) throws(Failure) {
    self.text = text
    var parser = TraceExpressionParser(text, live: live)
    root = try parser.parse()
  }

  /// What names and registers mean while a condition is looked at.
  public struct Context {
    /// A register of the guest by its name; nil: there is none of that name.
    public var register: (String) -> UInt64?
    public var function: (UInt64) -> String?
    /// ``TraceReader/place(of:)``.
    public var place: (TraceRecord) -> String?
    public var domainName: (UInt16) -> String?
    public init(
      register: @escaping (String) -> UInt64? = { _ in nil }, function: @escaping (UInt64) -> String? = { _ in nil },
      place: @escaping (TraceRecord) -> String? = { _ in nil }, domainName: @escaping (UInt16) -> String? = { _ in nil }
    ) {
      (self.register, self.function, self.place, self.domainName) = (register, function, place, domainName)
    }
  }

  public func matches(_ record: TraceRecord, _ context: Context = Context()) -> Bool { holds(root, record, context) }

  private func holds(_ node: Node, _ r: TraceRecord, _ context: Context) -> Bool {
    switch node {
    case .or(let a, let b): holds(a, r, context) || holds(b, r, context)
    case .and(let a, let b): holds(a, r, context) && holds(b, r, context)
    case .not(let a): !holds(a, r, context)
    case .group(let group): Self.isIn(group, r)
    case .isNotZero(let value): number(value, r, context).map { $0 != 0 } ?? false
    case .compare(.field(let field), let comparison, .text(let name)):
      named(field, name, r, context).map { $0 == (comparison == .equal) } ?? false
    case .compare(let a, let comparison, let b):
      if let a = number(a, r, context), let b = number(b, r, context) { comparison.holds(a, b) } else { false }
    }
  }

  private static func isIn(_ group: Group, _ r: TraceRecord) -> Bool {
    let firmware: UInt64? =
      r.kind == .firmware ? UInt64(r.cause) : r.exitKind == .firmware ? r.detail : nil
    switch group {
    case .any: return true
    case .interruption: return r.kind == .interruption
    case .exit: return r.kind == .exit
    case .insert: return r.kind == .insert
    case .purge: return r.kind == .purge
    case .event: return r.kind == .event
    case .schedule: return r.kind == .schedule
    case .request: return r.kind == .request
    case .service: return r.kind == .service
    case .frame: return r.kind == .frame
    case .rfi: return r.kind == .rfi || r.exitKind == .instruction(.rfi) || r.exitKind == .hyperprivop(.rfi)
    case .firmware: return firmware != nil
    case .pal: return firmware == 0x10
    case .sal: return firmware == 0x20
    case .efi: return firmware.map { $0 >= 0x100 } ?? false
    case .tr: return r.kind == .insert && r.cause > 1
    case .tc: return r.kind == .insert && r.cause <= 1
    case .interrupt: return r.exitKind == .externalInterrupt || r.kind == .interruption && r.cause == 0x3000
    case .privop, .hyperprivop, .hypercall, .device: break
    }
    switch r.exitKind {
    case .instruction?, .privilegedOperation?: return group == .privop
    case .hyperprivop?: return group == .hyperprivop || group == .privop
    case .hypercall?: return group == .hypercall
    case .deviceMemory?, .port?, .interruptBlock?, .ioSAPIC?: return group == .device
    default: return false
    }
  }

  /// Whether a field has the name; nil: it has no names.
  private func named(_ field: Field, _ name: String, _ r: TraceRecord, _ context: Context) -> Bool? {
    switch field {
    case .cause, .vector, .number: return r.causeNames.contains { Self.plain($0) == Self.plain(name) }
    case .ip: return context.function(r.ip & ~0xF) == name
    case .address, .detail: return context.function(r.detail) == name
    case .at: return context.place(r).map { Self.plain($0).contains(Self.plain(name)) } ?? false
    case .domain: return context.domainName(r.domain) == name
    default: return nil
    }
  }

  /// Letters and digits only: `mov_to_rr`, `movToRR` and `mov to rr` are one name.
  static func plain(_ name: String) -> String { String(name.lowercased().filter { $0.isLetter || $0.isNumber }) }

  private func number(_ value: Value, _ r: TraceRecord, _ context: Context) -> UInt64? {
    switch value {
    case .number(let number): return number
    case .text: return nil
    case .register(let name): return context.register(name)
    case .combined(let a, let sign, let b):
      guard let a = number(a, r, context), let b = number(b, r, context) else { return nil }
      return sign == "&" ? a & b : sign == "+" ? a &+ b : a &- b
    case .field(let field):
      switch field {
      case .cause, .vector: return UInt64(r.cause)
      case .cycle: return r.cycle
      case .cost: return r.cost
      case .ip: return r.ip
      case .cpu: return UInt64(r.processor)
      case .pcpu: return UInt64(r.physical)
      case .domain: return UInt64(r.domain)
      case .detail, .address, .opcode, .number, .offset: return r.detail
      case .a, .isr, .pa, .bytes, .value: return r.a
      case .size: return r.b & 0xFF
      case .b, .ipsr: return r.b
      case .rid: return r.kind == .insert ? r.b >> 8 : r.b
      case .c, .iim: return r.c
      case .at: return nil
      }
    }
  }
}

extension TraceRecord {
  /// All names that its cause goes by.
  var causeNames: [String] {
    guard let kind = exitKind else { return [causeName] }
    switch kind {
    case .instruction(let cause): return [causeName, "\(cause)"]
    case .hyperprivop(let operation): return [causeName, operation.name]
    // "hypercall eventChannelOp", "reflected breakInstruction"
    case .hypercall, .reflected: return [causeName] + causeName.split(separator: " ").map(String.init)
    default: return [causeName]
    }
  }
}
