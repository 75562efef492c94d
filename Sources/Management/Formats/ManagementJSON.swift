import Foundation

/// The JSON beside every table: the keys are the properties' names with underscores, in alphabetical order.
public enum ManagementJSON {
  /// Ends with a newline.
  public static func text(_ value: some Encodable) throws -> String { try text(value, .prettyPrinted) }

  /// The same in one line, for lists of any length.
  public static func line(_ value: some Encodable) throws -> String { try text(value, []) }

  private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  public static func value<Value: Decodable>(_: Value.Type = Value.self, from text: String) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Value.self, from: Data(text.utf8))
  }
}
