import Hypervisor
import Inspection
import Processor
import Testing

/// The language of `--filter` and `--break`.
@Suite struct TraceExpressionTests {
  private static func number(_ kind: ExitKind) -> UInt16 { UInt16(kind.index) }

  private static let movToRR: TraceRecord = {
    var r = TraceRecord.exit(number(.instruction(.movToRR)), at: 1000, cost: 250, ip: 0xA000_0001_0000_0101, detail: 0x20_0010_0200)
    (r.a, r.b) = (5, 9)
    return r
  }()
  private static let port = TraceRecord.exit(number(.port), at: 5, ip: 0x40, detail: 0xFFFF_C0FE_3F8)
  private static let hypercall = TraceRecord.exit(number(.hypercall(32)), at: 6, detail: 32)
  private static let pal = TraceRecord.exit(0x10, at: 7, detail: 2, kind: .firmware)
  private static let insert = TraceRecord.exit(2, at: 8, detail: 0x1000, kind: .insert)
  private static let page = TraceRecord.exit(0x5000, at: 9, kind: .interruption)

  private static var context: TraceExpression.Context {
    TraceExpression.Context(
      register: { ["r32": 5, "cr.iva": 0x8000][$0] }, function: { $0 == 0xA000_0001_0000_0100 ? "switch_mm" : nil },
      place: { $0.exitKind == .port ? "serial port+0x5" : nil }, domainName: { $0 == 1 ? "guest" : nil })
  }

  private func holds(_ text: String, _ record: TraceRecord) throws -> Bool {
    try TraceExpression(text, live: true).matches(record, Self.context)
  }

  @Test(arguments: [
    "any", "exit", "privop", "exit cause=mov_to_rr", "exit cause=movToRR", "exit cause=\"mov rr=r\"",
    "exit cause=mov_to_rr and r32 > 4",
    "cost >= 250", "cost = 250 and cycle < 0x3e9", "ip=switch_mm", "ip = 0xa000_0001_0000_0101", "ip & 3 = 1", "domain=guest cpu=0",
    "domain=1", "(insert or exit) and not purge", "not interruption", "a=5 b=9", "r32", "r32 + 1 = 6", "cr.iva == 0x8000",
    "exit and (cost < 10 or cost - 50 = 200)", "not not exit", "cause != rfi", "opcode = 0x2000100200",
  ]) func meets(_ text: String) throws { #expect(try holds(text, Self.movToRR), "\(text)") }

  @Test(
    arguments: [
      "purge", "hypercall", "pal", "device", "exit cause=rfi", "r32 > 5", "ip=schedule", "cause != mov_to_rr", "domain=other",
      "cpu=1",
      "not exit", "exit and purge", "r33", "cost",
    ].dropLast()) func doesNotMeet(_ text: String) throws
  { #expect(try !holds(text, Self.movToRR), "\(text)") }

  @Test func groups() throws {
    #expect(try holds("device at=serialport", Self.port))
    #expect(try !holds("privop", Self.port))
    #expect(try holds("hypercall number=event_channel_op", Self.hypercall) || holds("hypercall number=32", Self.hypercall))
    #expect(try holds("pal number=2", Self.pal))
    #expect(try !holds("sal", Self.pal))
    #expect(try holds("firmware", Self.pal))
    #expect(try holds("tr address=0x1000", Self.insert))
    #expect(try !holds("tc", Self.insert))
    #expect(try holds("interruption vector=0x5000", Self.page))
    #expect(try holds("interruption cause=pagenotpresent", Self.page))
  }

  @Test(arguments: [
    ("", "the condition is empty; try: exit cause=itc.d"),
    ("exit and", "the condition ends too early"),
    ("(exit", "a closing parenthesis is missing"),
    ("exit)", "\")\" is not expected here"),
    ("cause=\"rfi", "a quotation mark is missing"),
    ("cost > dear", "\"dear\" is a name: fields can be equal to it or not, as in cause=dear"),
  ]) func mistakesAreNamed(_ text: String, _ problem: String) {
    do throws(TraceExpression.Failure) {
      _ = try TraceExpression(text, live: true)
      Issue.record("\(text) was accepted")
    } catch { #expect(error.description == problem) }
  }

  @Test func aFileHasNoRegisters() {
    #expect(throws: TraceExpression.Failure.self) { try TraceExpression("exit r32 > 4", live: false) }
  }

  @Test func depthAndLengthAreLimited() {
    #expect(throws: TraceExpression.Failure.self) { try TraceExpression(String(repeating: "(", count: 4000), live: true) }
    #expect(throws: TraceExpression.Failure.self) { try TraceExpression(String(repeating: "not ", count: 1000), live: true) }
    #expect(throws: TraceExpression.Failure.self) { try TraceExpression(String(repeating: "a", count: 100_000), live: true) }
  }

  /// Whatever is typed is a condition or a line for the user.
  @Test func randomWordsAreHarmless() {
    var generator = SplitMix(state: 11)
    let words = [
      "exit", "and", "or", "not", "(", ")", "=", "<", ">", "&", "+", "cause", "ip", "r32", "0x", "12", "\"", "'", "schedule", "!",
      "é",
    ]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1..<10, using: &generator)).map { _ in words.randomElement(using: &generator) ?? "" }
        .joined(separator: Bool.random(using: &generator) ? " " : "")
      guard let expression = try? TraceExpression(text, live: true) else { continue }
      _ = expression.matches(Self.movToRR, Self.context)
    }
  }
}
