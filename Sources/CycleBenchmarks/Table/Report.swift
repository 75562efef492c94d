/// All measurements of a run, as text, Markdown and JSON.
public struct Report: Sendable {
  public let machine: String
  public let measurements: [Measurement]

  public init(machine: String, _ measurements: [Measurement]) {
    self.machine = machine
    self.measurements = measurements
  }

  /// Nothing failed, and nothing deviates without a reason.
  public var isClean: Bool { measurements.allSatisfy { $0.verdict != .failed && $0.verdict != .deviates } }

  public func count(_ verdict: Measurement.Verdict) -> Int { measurements.count { $0.verdict == verdict } }

  public var summary: String {
    let published = measurements.count { $0.benchmark.published != nil }
    return "\(measurements.count) benchmarks on \(machine): \(published) with a published figure, \(count(.agrees)) agree, "
      + "\(count(.explained)) explained, \(count(.deviates)) deviate, \(count(.failed)) failed"
  }

  // MARK: Text

  private static let headings = ["benchmark", "model", "published", "unit", "source", "diff.", "verdict"]

  private func cells(_ m: Measurement) -> [String] {
    let published = m.benchmark.published
    let source = published.map { $0.confidence == .verified ? $0.source : "\($0.source) (\($0.confidence.rawValue))" }
    let difference = m.difference.map {
      published.map { $0.figure.nearest(m.figure?.value ?? 0) } == 0
        ? Decimal.text($0) : Decimal.text($0 * 100, decimals: 1) + " %"
    }
    return [
      m.benchmark.name, m.figure?.description ?? "–", published?.figure.description ?? "–", m.benchmark.unit, source ?? "–",
      difference ?? "–", m.verdict.rawValue,
    ]
  }

  /// A table in columns; what failed and what is explained has its reason below.
  public var text: String {
    let rows = [Self.headings] + measurements.map(cells)
    let widths = Self.headings.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines: [String] = []
    for (index, row) in rows.enumerated() {
      let padded = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 1 || column == 5 ? space + cell : cell + space
      }
      lines.append(trailingSpaceRemoved(padded.joined(separator: "  ")))
      if index > 0, let note = note(measurements[index - 1]) { lines.append("    \(note)") }
    }
    return lines.joined(separator: "\n") + "\n\n\(summary)\n"
  }

  /// What must stand beside a figure in the text.
  private func note(_ m: Measurement) -> String? {
    switch m.verdict {
    case .failed: m.failure
    case .explained: m.benchmark.reason
    default: nil
    }
  }

  private func trailingSpaceRemoved(_ text: String) -> String {
    var result = text[...]
    while result.last == " " { result.removeLast() }
    return String(result)
  }

  // MARK: Markdown

  /// The page that the repository keeps.
  public var markdown: String {
    var page = """
      # Cycles: model and published figures

      Written by `Benchmarks/cycles.sh`, that is `epicure bench cycles --markdown`, for `\(machine)`; not edited by hand. How the
      benchmarks measure is in `Sources/CycleBenchmarks`. A difference is relative to the published figure, or to the nearest end
      of a published range; where zero is published it is in units. Published figures that are marked P are known from a primary
      document that could not be read again (H: high, M: medium confidence). Without a published figure, the model's is a
      parameter of the machine's description, or follows from several.

      \(summary).

      """
    var family = ""
    for m in measurements {
      if m.benchmark.family != family {
        family = m.benchmark.family
        page += "\n## \(family)\n\n| Benchmark | Model | Published | Unit | Source | Difference | Verdict | Remark |\n"
        page += "| --- | ---: | ---: | --- | --- | ---: | --- | --- |\n"
      }
      let remark = [m.failure, m.benchmark.reason, m.benchmark.remark].compactMap { $0 }.joined(separator: "; ")
      page += "| " + (cells(m) + [remark]).map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
    page += "\n## Sources\n\n| Name | |\n| --- | --- |\n"
    for source in Source.all { page += "| \(source.name) | \(source.title) |\n" }
    return page
  }
}

// MARK: JSON

extension Report: Encodable {
  private enum Keys: String, CodingKey { case machine, benchmarks, agree, explained, deviate, failed, unpublished }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(machine, forKey: .machine)
    try container.encode(count(.agrees), forKey: .agree)
    try container.encode(count(.explained), forKey: .explained)
    try container.encode(count(.deviates), forKey: .deviate)
    try container.encode(count(.failed), forKey: .failed)
    try container.encode(count(.unpublished), forKey: .unpublished)
    try container.encode(measurements, forKey: .benchmarks)
  }
}

extension Measurement: Encodable {
  private enum Keys: String, CodingKey {
    case family, name, unit, model, numerator, denominator, published, source, confidence, difference, verdict, remark, reason,
      failure
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(benchmark.family, forKey: .family)
    try container.encode(benchmark.name, forKey: .name)
    try container.encode(benchmark.unit, forKey: .unit)
    try container.encodeIfPresent(figure?.value, forKey: .model)
    try container.encodeIfPresent(figure?.numerator, forKey: .numerator)
    try container.encodeIfPresent(figure?.denominator, forKey: .denominator)
    try container.encodeIfPresent(benchmark.published?.figure.description, forKey: .published)
    try container.encodeIfPresent(benchmark.published?.source, forKey: .source)
    try container.encodeIfPresent(benchmark.published?.confidence.rawValue, forKey: .confidence)
    try container.encodeIfPresent(difference, forKey: .difference)
    try container.encode(verdict.rawValue, forKey: .verdict)
    try container.encodeIfPresent(benchmark.remark, forKey: .remark)
    try container.encodeIfPresent(benchmark.reason, forKey: .reason)
    try container.encodeIfPresent(failure, forKey: .failure)
  }
}
