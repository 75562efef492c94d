/// What drivers find at a virtio device on the PCI bus.
public enum VirtioInterface: String, Sendable, CaseIterable, Codable {
  /// Both interfaces: drivers of before virtio 1.0 use ports, newer ones structures in memory.
  case transitional
  /// Only what version 1.0 has defined.
  case modern

  /// What `transport=` says; nil: something else.
  static func named(_ text: String?) -> VirtioInterface? { text.flatMap(Self.init(rawValue:)) }
  static let choices = "transport is one of " + allCases.map(\.rawValue).joined(separator: ", ")
}
