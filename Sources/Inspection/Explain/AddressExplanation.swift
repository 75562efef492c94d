import Hypervisor
import Processor

/// Where an address leads, one line for each step: region register, region identifier, TLB, VHPT, key and rights, guest-physical and machine page.
/// When the reference faults: which fault wins, and which ones it hides.
public struct AddressExplanation: Sendable, Codable {
  public struct Line: Sendable, Codable {
    /// A word for the margin.
    public var about: String
    public var text: String
  }
  public private(set) var lines: [Line] = []
  /// Nil: it leads nowhere.
  public private(set) var physical: UInt64?
  /// Of the machine's memory, in a domain.
  public private(set) var machine: UInt64?
  /// The vector that the reference would raise, and those with lower priority that it would raise without that.
  public private(set) var fault: String?
  public private(set) var hidden: [String] = []

  /// - Parameters:
  ///   - reference: As ``LogicalProcessor/inspectedReference(_:_:privilege:)`` finds it, in a domain with the guest's registers in place.
  ///   - domain: Nil: the bare machine.
  public init(_ reference: InspectedReference, domain: Domain?, name: (UInt64) -> String?) {
    let r = reference
    physical = r.physical
    say(
      "address",
      "\(Self.hex(r.address))" + (name(r.address).map { " <\($0)>" } ?? "")
        + ", to \(r.access.rawValue) at privilege level \(r.privilege)")
    if r.isTranslated {
      tellRegion(r)
      tellRoute(r)
      tellPage(r)
    } else {
      say("mode", "PSR.\(r.access == .execute ? "it" : "dt") is 0: the address is physical; bit 63 makes it uncacheable")
    }
    if let physical, r.faults.first.map({ $0 != .generalException && $0 != .lowerPrivilegeTransfer }) ?? true {
      tellPhysical(physical, r, domain)
    }
    tellFaults(r)
  }

  private mutating func say(_ about: String, _ text: String) { lines.append(Line(about: about, text: text)) }
  private static func hex(_ value: UInt64) -> String { TraceText.hex(value) }

  // MARK: Steps

  private mutating func tellRegion(_ r: InspectedReference) {
    say(
      "region",
      "rr\(r.address >> 61) = \(Self.hex(r.regionRegister)): region identifier \(Self.hex(UInt64(r.rid))), preferred page size "
        + "\(PageWords.size(r.regionRegister >> 2 & 0x3F)), VHPT walker \(r.regionRegister & 1 != 0 ? "on" : "off")")
  }

  private mutating func tellRoute(_ r: InspectedReference) {
    let (side, letter) = r.access == .execute ? ("instruction", "i") : ("data", "d")
    switch r.route {
    case .register(let n)?: return say("TLB", "\(letter)tr\(n) has it")
    case .cache?: return say("TLB", "the \(side) translation cache has it")
    case .table?, nil: say("TLB", "neither a register nor the cache of the \(side) side has it")
    }
    let form = r.tableControl & 1 << 8 != 0 ? "long" : "short"
    let words = r.tableWords.map(Self.hex).joined(separator: " ")
    let entry =
      "PTA = \(Self.hex(r.tableControl)): \(form) format, \(PageWords.size(r.tableControl >> 2 & 0x3F)); the entry is at \(Self.hex(r.tableEntry))"
    switch r.walk {
    case .unneeded: break
    case .off(let bits): say("VHPT", "the walker is off: " + bits.map { "\($0) is 0" }.joined(separator: ", "))
    case .unmapped: say("VHPT", entry + ", which the data TLB does not map")
    case .aborted(let reason):
      say("VHPT", entry + (words.isEmpty ? "" : " (\(words))") + "; the walker gives up: \(Self.words(reason))")
    case .found: say("VHPT", entry + ": \(words)")
    }
  }

  private static func words(_ obstacle: WalkObstacle) -> String {
    switch obstacle {
    case .tableNotPresent: "the table's page is not present"
    case .tableNotWriteBack: "the table's page is not write-back"
    case .tableNotAccessed: "the table's page has its access bit clear"
    case .tableKey: "the key of the table's page does not let it be read"
    case .tableBreakpoint: "a data breakpoint is on the entry"
    case .tableRights: "the table's page cannot be read"
    case .noMemory: "there is no memory"
    case .tag: "the entry's tag is another address's"
    case .reservedField: "the entry has a reserved field set"
    }
  }

  private static let rights = [
    "read", "read, execute", "read, write", "read, write, execute", "read; write at more privileged levels",
    "read, execute; write at level 0", "read, write, execute; at more privileged levels read, write",
    "execute, promote; read at level 0",
  ]

  private mutating func tellPage(_ r: InspectedReference) {
    guard let t = r.page else { return }
    guard t.present else { return say("page", "\(PageWords.size(UInt64(t.pageShift))), not present (p = 0)") }
    say(
      "page",
      "\(PageWords.size(UInt64(t.pageShift))) at \(Self.hex(t.physical)), \(PageWords.attribute(t.attribute)), accessed \(t.accessed ? 1 : 0), "
        + "dirty \(t.dirty ? 1 : 0)" + (t.exceptionDeferral ? ", exceptions deferred" : ""))
    let register = r.keyRegister.map { "pkr\($0) has it" } ?? "no protection key register has it"
    say("key", "\(Self.hex(UInt64(t.key))): " + (r.checksKeys ? register : "not looked at, PSR.pk is 0"))
    say("rights", "ar \(t.accessRights), pl \(t.privilegeLevel): \(Self.rights[Int(t.accessRights & 7)])")
  }

  private mutating func tellPhysical(_ address: UInt64, _ r: InspectedReference, _ domain: Domain?) {
    say("physical", (domain == nil ? "" : "guest-physical ") + Self.hex(address))
    guard let memory = domain?.memory else { return }
    machine = memory.machine(address)
    if let machine {
      say("machine", "\(Self.hex(machine))" + (memory.isWritable(address) ? "" : ", read-only for the domain"))
    } else {
      say("machine", "no memory of the domain: a device, or nothing")
    }
  }

  private mutating func tellFaults(_ r: InspectedReference) {
    guard let first = r.faults.first else { return say("result", "the reference is made") }
    fault = Self.name(first, r)
    hidden = r.faults.dropFirst().map { Self.name($0, r) }
    say("result", "\(Self.name(first, r)), vector \(Self.hex(UInt64(first.rawValue)))")
    if !hidden.isEmpty { say("hidden", "with lower priority: " + hidden.joined(separator: ", ")) }
  }

  /// As the manual calls them (Volume 2, table 5-6).
  private static func name(_ vector: Vector, _ r: InspectedReference) -> String {
    switch vector {
    case .lowerPrivilegeTransfer: "Unimplemented Instruction Address trap"
    case .generalException: "Unimplemented Data Address fault"
    case .dataNestedTLB: "Data Nested TLB fault"
    case .alternateDataTLB: "Alternate Data TLB fault"
    case .alternateInstructionTLB: "Alternate Instruction TLB fault"
    case .vhptTranslation: "VHPT Translation fault"
    case .dataTLB: "Data TLB fault"
    case .instructionTLB: "Instruction TLB fault"
    case .pageNotPresent: "Page Not Present fault"
    case .natConsumption: "NaT Page Consumption fault"
    case .dataKeyMiss: "Data Key Miss fault"
    case .instructionKeyMiss: "Instruction Key Miss fault"
    case .keyPermission: "Key Permission fault"
    case .dataAccessRights: "Data Access Rights fault"
    case .instructionAccessRights: "Instruction Access Rights fault"
    case .dirtyBit: "Dirty Bit fault"
    case .dataAccessBit: "Data Access Bit fault"
    case .instructionAccessBit: "Instruction Access Bit fault"
    case .debug: "\(r.access == .execute ? "Instruction" : "Data") Debug fault"
    default: "\(vector)"
    }
  }
}

extension AddressExplanation {
  /// For the guest of a domain's virtual processor `index`, which must not be running.
  public init(
    _ domain: Domain, processor index: Int, _ address: UInt64, _ access: InspectedReference.Access, privilege: UInt64? = nil,
    name: (UInt64) -> String?
  ) {
    let virtual = domain.virtualProcessors[index]
    let reference = virtual.processor.inspecting(virtual.guest) {
      virtual.processor.inspectedReference(address, access, privilege: privilege)
    }
    self.init(reference, domain: domain, name: name)
  }
}
