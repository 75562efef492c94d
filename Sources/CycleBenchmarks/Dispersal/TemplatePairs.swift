/// Every pair of templates, with nops, with ALU instructions, and with branches that are not taken.
///
/// A group is the two bundles and a stop. As with the ports, a pass holds it eight times, the reference four times.
enum TemplatePairs {
  static func all() -> [Benchmark] {
    var result: [Benchmark] = []
    for content in TemplateRules.Content.allCases {
      for first in TemplateRules.templates {
        for second in TemplateRules.templates where content != .branches || (first + second).contains("b") {
          result.append(pair(TemplateRules(first: first, second: second, content: content)))
        }
      }
    }
    return result + innerStops
  }

  private static func pair(_ rules: TemplateRules) -> Benchmark {
    func code(_ count: Int) -> Code {
      .loop(
        Text.repeated(count) { copy in
          Text.bundle(rules.first, slots(rules.first, rules.content, copy, 0))
            + Text.bundle(rules.second, slots(rules.second, rules.content, copy, 3), stop: true)
        })
    }
    let published = rules.cycles.map { Published(.exactly($0), "GCC, KB98064") }
    return Benchmark(
      "pairs/\(rules.content)/\(rules.first)-\(rules.second)", unit: "cycles per pair", Method(code(8), minus: code(4), units: 4),
      published, remark: published == nil ? "GCC's tables split two nop.b; not known of silicon" : nil)
  }

  private static func slots(_ template: String, _ content: TemplateRules.Content, _ copy: Int, _ first: Int) -> [String] {
    let targets = [16, 17, 18, 19, 30, 31]
    var result: [String] = []
    for (index, unit) in template.enumerated() where unit != "l" {
      let slot = first + index
      switch unit {
      case _ where content == .nops: result.append("nop 0")
      case "f": result.append("fma.d f\(32 + copy * 6 + slot)=f20,f21,f21")
      case "x": result.append("movl r\(targets[slot])=77")
      case "b": result.append(content == .branches ? "(p10) br.cond.spnt.few end" : "nop 0")
      default: result.append("add r\(targets[slot])=r21,r22")
      }
    }
    return result
  }

  /// The templates with a stop inside: the group ends there, and what follows starts the next cycle.
  private static var innerStops: [Benchmark] {
    let middle = [
      "m;mi": "{ .mmi\nadd r16=r21,r22 ;;\nadd r17=r21,r22\nadd r18=r21,r22\n}\n",
      "mi;i": "{ .mii\nadd r16=r21,r22\nadd r17=r21,r22 ;;\nadd r18=r21,r22\n}\n",
    ]
    let plain = Text.bundle("mmi", ["add r19=r21,r22", "add r30=r21,r22", "add r31=r21,r22"])
    let end = Text.bundle("mmi", ["add r19=r21,r22", "add r30=r21,r22", "add r31=r21,r22"], stop: true)
    func benchmark(_ name: String, _ pair: String, _ cycles: Double) -> Benchmark {
      Benchmark(
        "pairs/stops/\(name)", unit: "cycles per pair",
        Method(.loop(Text.repeated(8) { _ in pair }), minus: .loop(Text.repeated(4) { _ in pair }), units: 4),
        Published(.exactly(cycles), "GCC"))
    }
    return middle.sorted { $0.key < $1.key }.flatMap { name, text in
      let stopped = String(text.dropLast(3)) + " ;;\n}\n"
      return [benchmark("\(name)-mmi", text + end, 2), benchmark("mmi-\(name)", plain + stopped, 2)]
    }
  }
}
