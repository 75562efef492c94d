/// Packets that are words: what gdb asks about its target, and what it sets.
extension RemoteSession {
  func verb(_ fields: inout PacketFields) {
    if fields.skip("Cont?") { return send("vCont;c;C;s;S") }
    if fields.skip("Cont;") { return continueThreads(&fields) }
    if fields.skip("Kill") {
      sendOK()
      wish = .kill
      return
    }
    // vMustReplyEmpty among them.
    send("")
  }

  func set(_ fields: inout PacketFields) {
    guard fields.skip("StartNoAckMode") else { return send("") }
    sendOK()
    acknowledges = false
  }

  func query(_ fields: inout PacketFields) {
    if fields.skip("Supported") { return offer(fields.rest) }
    if fields.skip("Attached") { return send("1") }
    if fields.skip("fThreadInfo") {
      return send("m" + (1...debugger.processorCount).map { String($0, radix: 16) }.joined(separator: ","))
    }
    if fields.skip("sThreadInfo") { return send("l") }
    if fields.skip("ThreadExtraInfo,") {
      guard case .one(let index)? = fields.thread(), isProcessor(index) else { return send(error: Code.invalid) }
      return send(PacketReader.hexadecimal(debugger.summary(index).utf8))
    }
    if fields.skip("Rcmd,") { return monitor(fields.rest) }
    if fields.skip("Xfer:features:read:") { return transfer(&fields, name: "target.xml", Self.description) }
    if fields.skip("Xfer:threads:read:") { return transfer(&fields, name: "", threads) }
    if fields.skip("Symbol") { return sendOK() }
    if fields.rest.elementsEqual("C".utf8) { return send("QC\(String((debugger.stop?.processor ?? 0) + 1, radix: 16))") }
    send("")
  }

  private func offer(_ features: ArraySlice<UInt8>) {
    knowsBreakpointReasons = String(decoding: features, as: UTF8.self).contains("swbreak+")
    var answer =
      "PacketSize=\(String(PacketReader.limit, radix: 16));QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;"
      + "qXfer:features:read+;qXfer:threads:read+"
    if debugger.reverse != nil { answer += ";ReverseStep+;ReverseContinue+" }
    send(answer)
  }

  /// gdb's own registers of IA-64 are meant: it takes no others. This tells it the architecture.
  private static let description =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\"><architecture>ia64-elf64</architecture></target>"

  private var threads: String {
    let list = (0..<debugger.processorCount).map { index in
      "<thread id=\"\(String(index + 1, radix: 16))\" core=\"\(index)\">\(debugger.summary(index))</thread>"
    }
    return "<?xml version=\"1.0\"?><threads>\(list.joined())</threads>"
  }

  /// A part of a document: `annex:offset,length`.
  private func transfer(_ fields: inout PacketFields, name: String, _ document: String) {
    guard fields.field(endingWith: ":").elementsEqual(name.utf8) else { return send("E00") }
    guard let offset = fields.number(), fields.skip(","), let length = fields.number() else { return send(error: Code.invalid) }
    let bytes = Array(document.utf8)
    let first = Int(min(offset, UInt64(bytes.count)))
    let part = bytes[first..<min(bytes.count, first + Int(min(length, UInt64(PacketReader.limit / 2))))]
    send([first + part.count < bytes.count ? UInt8(ascii: "m") : UInt8(ascii: "l")] + part)
  }

  private func monitor(_ text: ArraySlice<UInt8>) {
    guard let bytes = PacketReader.bytes(text) else { return send(error: Code.invalid) }
    say(MonitorCommands(debugger).run(String(decoding: bytes, as: UTF8.self), lookedAt))
    sendOK()
  }
}
