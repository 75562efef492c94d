import Hypervisor
import Processor

extension MonitorCommands {
  private func describe(_ t: Translation) -> String {
    guard t.present else { return "rid \(Self.hex(UInt64(t.rid), digits: 6)), not present" }
    return
      "-> \(Self.hex(t.physical, digits: 13)) \(PageWords.size(UInt64(t.pageShift)).padded(5))rid \(Self.hex(UInt64(t.rid), digits: 6)) key \(Self.hex(UInt64(t.key), digits: 6)) "
      + "ar\(t.accessRights) pl\(t.privilegeLevel) \(PageWords.attribute(t.attribute))\(t.accessed ? " a" : "")\(t.dirty ? " d" : "")"
      + (t.exceptionDeferral ? " ed" : "")
  }

  func tlb(_ arguments: [Substring], _ index: Int) -> [String] {
    let side = arguments.first?.lowercased()
    guard side == nil || side == "i" || side == "d" else {
      return ["tlb takes i for instructions, d for data, or nothing for both"]
    }
    return debugger.inspect(index) { processor in
      [("instruction", true), ("data", false)].filter { side == nil || $0.0.hasPrefix(side ?? "") }.flatMap { name, isInstruction in
        let entries = processor.inspectedTLB(instruction: isInstruction)
        return ["\(name) TLB: \(entries.count) translations; offsets are in the region that has the region identifier"]
          + entries.map { entry in
            let label = entry.register.map { "\(isInstruction ? "i" : "d")tr\($0)" } ?? "tc"
            return "  \(label.padded(6))\(Self.hex(entry.translation.base)) \(describe(entry.translation))"
          }
      }
    }
  }

  func vhpt(_ arguments: [Substring], _ index: Int) -> [String] {
    let address = address(arguments)
    if address == nil && !arguments.isEmpty { return ["\"\(arguments[0])\" is neither a symbol nor a hexadecimal address"] }
    return debugger.inspect(index) { processor in
      let pta = processor.state.cr[CR.pta]
      let isLong = pta & 1 << 8 != 0
      var lines = [
        "pta \(Self.hex(pta)): \(isLong ? "long format" : "short format"), \(PageWords.size(pta >> 2 & 0x3F)) at \(Self.hex(pta & ~0x7FFF)), "
          + "walker \(pta & 1 != 0 ? "on" : "off")"
      ]
      guard let address else { return lines }
      lines.append(
        "entry of \(Self.hex(address)): at \(Self.hex(processor.vhptAddress(address, rr: processor.state.rr[Int(address >> 61)], pta: pta)))"
      )
      guard let entry = processor.inspectedTableEntry(address) else { return lines + ["  the table is not mapped there"] }
      lines.append("  " + entry.words.map { Self.hex($0) }.joined(separator: " "))
      lines.append(processor.inspectedTable(address).map { "  " + describe($0) } ?? "  it is for another address, or empty")
      return lines
    }
  }

  func translate(_ arguments: [Substring], _ index: Int) -> [String] {
    guard let address = address(arguments) else { return ["translate takes an address: a symbol or a hexadecimal number"] }
    guard let found = debugger.translate(address, index) else { return ["\(Self.hex(address)): nothing leads there"] }
    let how =
      switch found.route {
      case .physical: "physical"
      case .register(let n): "translation register \(found.isInstruction ? "i" : "d")tr\(n)"
      case .cache: "translation cache, \(found.isInstruction ? "instructions" : "data")"
      case .table: "VHPT, not in the TLB"
      case .identity: "Linux's identity mapping, or a segment of the kernel"
      }
    var lines = ["\(Self.hex(address)) -> \(Self.hex(found.physical)) by \(how)"]
    if let page = found.page { lines.append("  " + describe(page)) }
    return lines
  }

  func explain(_ arguments: [Substring], _ index: Int) -> [String] {
    let usage = ["explain takes an address, and perhaps read, write or execute"]
    guard let address = address(arguments) else { return usage }
    guard let access = InspectedReference.Access(rawValue: arguments.dropFirst().first.map(String.init) ?? "read") else {
      return usage
    }
    let reference = debugger.inspect(index) { $0.inspectedReference(address, access) }
    let explanation = AddressExplanation(reference, domain: debugger.domain) { debugger.symbols?.name(of: $0) }
    return explanation.lines.map { $0.about.padded(11) + $0.text }
  }

  func frame(_ arguments: [Substring]) -> [String] {
    guard let address = arguments.first.flatMap(Self.number) else {
      return ["p2m takes a guest-physical address, a hexadecimal number"]
    }
    guard let domain = debugger.domain else { return ["the bare machine has no other addresses than its own"] }
    guard let machine = domain.memory.machine(address) else { return ["\(Self.hex(address)): no memory of the domain"] }
    return ["\(Self.hex(address)) -> machine \(Self.hex(machine))\(domain.memory.isWritable(address) ? "" : ", read-only")"]
  }
}
