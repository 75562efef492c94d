/// A record with its numbers explained: a line of JSON, a line of CSV.
public struct TraceRecordText: Sendable, Encodable {
  public var number: Int
  public var cycle: UInt64
  public var cost: UInt64
  public var domain: UInt16
  /// Virtual and physical processor, where there is one.
  public var cpu: UInt8?
  public var pcpu: UInt8?
  public var kind: String
  public var cause: String
  /// Bundle and slot.
  public var ip: String?
  public var symbol: String?
  /// The device, or the device's register.
  public var place: String?
  /// See ``TraceRecord``.
  public var detail: String
  public var a: String
  public var b: String
  public var c: String

  public init(_ number: Int, _ r: TraceRecord, _ symbols: SymbolTable?, place: String?) {
    (self.number, cycle, cost, domain) = (number, r.cycle, r.cost, r.domain)
    cpu = r.processor == TraceRecord.noProcessor ? nil : r.processor
    pcpu = r.physical == TraceRecord.noProcessor ? nil : r.physical
    (kind, cause) = (r.kind.name, r.causeName)
    if r.ip != 0 {
      ip = TraceText.location(r.ip)
      symbol = symbols?.name(of: r.ip & ~0xF)
    }
    self.place = place
    (detail, a, b, c) = (TraceText.hex(r.detail), TraceText.hex(r.a), TraceText.hex(r.b), TraceText.hex(r.c))
  }

  /// The first line of a CSV file.
  public static let columns = "number,cycle,cost,domain,cpu,pcpu,kind,cause,ip,symbol,place,detail,a,b,c"

  /// A line as RFC 4180 has it, without its end.
  public var csv: String {
    func field(_ value: (some CustomStringConvertible)?) -> String {
      guard let text = value.map({ "\($0)" }) else { return "" }
      guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
      return "\"" + text.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }
    return [
      "\(number)", "\(cycle)", "\(cost)", "\(domain)", field(cpu), field(pcpu), kind, field(cause), field(ip), field(symbol),
      field(place),
      detail, a, b, c,
    ].joined(separator: ",")
  }
}
