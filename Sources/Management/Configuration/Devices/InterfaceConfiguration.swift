/// An entry of `vif`; the empty text is an adapter with all defaults.
public struct InterfaceConfiguration: Sendable, Equatable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// An emulated adapter.
    case emulated = "ioemu"
    /// The ring of the PV driver.
    case paravirtual = "netfront"
  }

  /// Nil: what the domain's kind suggests.
  public var kind: Kind?
  /// In lower case with colons; nil: one is made up.
  public var address: String?
  public var bridge: String?
  public var model: String?
  public var ip: String?
  public var script: String?
  public var interfaceName: String?
  public var backendDomain: String?
  public var rate: String?

  public init() {}

  /// xm's options, and xl's name `vif` for the type netfront.
  public init(parsing text: String) throws(SettingProblem) {
    let known: Set = ["type", "mac", "bridge", "ip", "script", "backend", "vifname", "rate", "model", "accel", "policy", "label"]
    let options = try SpecificationText.pairs(text, known: known, of: "a vif").filter { !$0.value.isEmpty }
    switch options["type"] {
    case nil: break
    case "vif"?, "paravirtualised"?: kind = .paravirtual
    case let type?: kind = try SpecificationText.choice(type)
    }
    if let mac = options["mac"] { address = try Self.address(mac) }
    if let rate = options["rate"] { self.rate = try Self.rate(rate) }
    (bridge, model, ip, script) = (options["bridge"], options["model"], options["ip"], options["script"])
    (interfaceName, backendDomain) = (options["vifname"], options["backend"])
  }

  private static func address(_ text: String) throws(SettingProblem) -> String {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6, parts.allSatisfy({ 1...2 ~= $0.utf8.count && $0.allSatisfy(\.isHexDigit) }) else {
      throw SettingProblem("expected a mac like 00:16:3e:00:00:11, found '\(text)'")
    }
    let bytes = parts.compactMap { UInt8($0, radix: 16) }
    guard bytes.count == 6, bytes[0] & 1 == 0, bytes.contains(where: { $0 != 0 }) else {
      throw SettingProblem("an adapter cannot have the address '\(text)'")
    }
    return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }

  /// `10Mb/s`, `250KB/s`, `1MB/s@20ms`
  private static func rate(_ text: String) throws(SettingProblem) -> String {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    func fits(_ part: Substring, _ units: [String]) -> Bool {
      let digits = part.prefix { "0"..."9" ~= $0 }
      return 1...9 ~= digits.count && units.contains(String(part.dropFirst(digits.count)))
    }
    let rates = ["", "K", "M", "G"].flatMap { [$0 + "b/s", $0 + "B/s"] }
    guard 1...2 ~= parts.count, fits(parts[0], rates), parts.count == 1 || fits(parts[1], ["us", "ms", "s"]) else {
      throw SettingProblem("expected a rate like 10Mb/s or 1MB/s@20ms, found '\(text)'")
    }
    return text
  }
}
