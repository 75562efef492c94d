import FoundationEssentials

/// JSON for standard output, keys as `--stats` has them.
enum JSONText {
  static func pretty(_ value: some Encodable) throws -> String { try text(value, [.prettyPrinted, .sortedKeys]) }
  static func line(_ value: some Encodable) throws -> String { try text(value, .sortedKeys) }

  private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting.union(.withoutEscapingSlashes)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
