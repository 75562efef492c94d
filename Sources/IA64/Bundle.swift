/// A 128-bit bundle: a 5-bit template and three 41-bit instruction slots (Volume 1, section 3.3).
public struct Bundle: Sendable, Hashable {
  /// The quadword at the bundle's address.
  public var low: UInt64
  /// The quadword at the bundle's address + 8.
  public var high: UInt64

  /// Makes a bundle from its two quadwords in memory order; bundles are little-endian whatever PSR.be holds.
  @inlinable public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// Packs a template number and three slots. The L part of a long instruction is slot 1, the X part slot 2.
  public init(template: UInt8, slots: (UInt64, UInt64, UInt64)) {
    let first = slots.0 & Bundle.slotMask
    let second = slots.1 & Bundle.slotMask
    let third = slots.2 & Bundle.slotMask
    low = UInt64(template & 0x1f) | first << 5 | second << 46
    high = second >> 18 | third << 23
  }

  /// The 41 bits of a slot.
  public static let slotMask: UInt64 = (1 << 41) - 1

  /// The template field, bits 4:0.
  @inlinable public var templateNumber: UInt8 { UInt8(truncatingIfNeeded: low & 0x1f) }

  /// Units and stops that the template field stands for.
  public var template: Template { Template.all[Int(templateNumber)] }

  /// Slots 1 and 2 together hold one long instruction.
  @inlinable public var isLong: Bool { low & 0x1e == 4 }

  /// The 41 bits of slot 0, 1 or 2.
  @inlinable public func slot(_ index: Int) -> UInt64 {
    let mask: UInt64 = (1 << 41) - 1
    switch index {
    case 0: return (low &>> 5) & mask
    case 1: return (low &>> 46 | high &<< 18) & mask
    default: return high &>> 23
    }
  }
}

/// What a value of the template field means: execution units and stops (Volume 1, Table 3-10).
public struct Template: Sendable {
  /// Value of the 5-bit field.
  public let number: UInt8
  /// Unit types of the three slots; nil for a reserved template.
  public let units: (SlotUnit, SlotUnit, SlotUnit)?
  /// Number of the slot after which a stop stands inside the bundle, if any.
  public let innerStop: Int?

  /// A stop follows slot 2: the odd templates.
  public var stopAtEnd: Bool { number & 1 != 0 }
  /// The template is not assigned: executing the bundle is an Illegal Operation fault.
  public var isReserved: Bool { units == nil }
  /// Slots 1 and 2 together hold one long instruction.
  public var isLong: Bool { number & 0x1e == 4 }

  /// Unit letters as the assembler writes them; GNU's `-3-` for reserved templates.
  public var name: String { Self.names[Int(number)] }

  /// By number: to spell one takes the library thousands of instructions.
  private static let names = all.map { template in
    guard let units = template.units else { return "-\(String(template.number >> 1, radix: 16))-" }
    return [units.0, units.1, units.2].map { String(describing: $0).uppercased() }.joined()
  }

  /// By name in small letters: without and with a stop at the end, and with one inside.
  static let named = Dictionary(grouping: all.filter { !$0.isReserved }) { $0.name.lowercased() }

  /// The unit type of a slot; nil for a reserved template.
  @inline(__always) public func unit(_ slot: Int) -> SlotUnit? {
    guard let units else { return nil }
    switch slot {
    case 0: return units.0
    case 1: return units.1
    default: return units.2
    }
  }

  /// Whether a stop follows the slot.
  public func hasStop(after slot: Int) -> Bool {
    slot == 2 ? stopAtEnd : innerStop == slot
  }

  /// All 32 values of the template field.
  public static let all: [Template] = {
    let assigned: [(SlotUnit, SlotUnit, SlotUnit)?] = [
      (.m, .i, .i), (.m, .i, .i), (.m, .l, .x), nil, (.m, .m, .i), (.m, .m, .i), (.m, .f, .i), (.m, .m, .f),
      (.m, .i, .b), (.m, .b, .b), nil, (.b, .b, .b), (.m, .m, .b), nil, (.m, .f, .b), nil,
    ]
    return (0..<32).map { number in
      // Only MI_I (2, 3) and M_MI (0xa, 0xb) have a stop in the middle.
      let innerStop: Int? = number >> 1 == 1 ? 1 : number >> 1 == 5 ? 0 : nil
      return Template(number: UInt8(number), units: assigned[number >> 1], innerStop: innerStop)
    }
  }()
}
