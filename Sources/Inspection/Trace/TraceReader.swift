import CZlib
import FoundationEssentials

/// What is wrong with a trace file.
public enum TraceFailure: Error, Equatable, CustomStringConvertible {
  case notATrace
  case version(UInt32)
  case damagedDescription
  public var description: String {
    switch self {
    case .notATrace: "this is no trace of Epicure's"
    case .version(let version): "the trace has format \(version), and this program reads \(TraceFormat.version): record it again"
    case .damagedDescription: "the head of the trace is damaged"
    }
  }
}

/// Reads trace files, also such that were cut off.
public struct TraceReader {
  public let description: TraceDescription
  /// Names of devices, registers, domains; see ``TraceName``.
  public private(set) var devices: [UInt64: String] = [:]
  public private(set) var registers: [UInt64: String] = [:]
  public private(set) var domains: [UInt64: String] = [:]
  /// The file ends as one does that was finished.
  public private(set) var isComplete = false
  private let bytes: [UInt8]
  private var blocks: [Range<Int>] = []

  public init(_ bytes: [UInt8]) throws(TraceFailure) {
    self.bytes = bytes
    let start = TraceFormat.magic.count
    guard bytes.count >= start + 8, bytes.starts(with: TraceFormat.magic) else { throw .notATrace }
    func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
    guard word(start) == TraceFormat.version else { throw .version(word(start)) }
    let length = Int(word(start + 4))
    let end = start + 8 + length
    guard length <= TraceFormat.largestDescription, end <= bytes.count,
      let description = try? JSONDecoder().decode(TraceDescription.self, from: Data(bytes[start + 8..<end]))
    else { throw .damagedDescription }
    self.description = description
    for domain in description.domains { domains[UInt64(domain.number)] = domain.name }
    var position = end
    while position + 16 <= bytes.count {
      let type = word(position)
      let size = Int(word(position + 8))
      let contents = position + 16..<position + 16 + size
      guard size <= TraceFormat.largestBlock, contents.upperBound <= bytes.count,
        bytes[contents].withUnsafeBufferPointer({ crc32(0, $0.baseAddress, UInt32(size)) }) == UInt(word(position + 12))
      else { break }
      position = contents.upperBound
      switch type {
      case TraceFormat.BlockType.records: blocks.append(contents)
      case TraceFormat.BlockType.names: readName(contents)
      case TraceFormat.BlockType.end: isComplete = true
      // What later versions have besides.
      default: break
      }
    }
  }

  private mutating func readName(_ contents: Range<Int>) {
    guard contents.count >= 9 else { return }
    let number = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[contents.lowerBound + 1 + $1]) << UInt64(8 * $1) }
    let text = String(decoding: bytes[(contents.lowerBound + 9)..<contents.upperBound], as: UTF8.self)
    switch bytes[contents.lowerBound] {
    case 0: devices[number] = text
    case 1: registers[number] = text
    case 2: domains[number] = text
    default: break
    }
  }

  /// All records, in the order in which they ended. Of an exit that has led to others, the inner ones come first.
  public func forEach(_ body: (TraceRecord) throws -> Void) rethrows {
    for block in blocks {
      var decoder = TraceDecoder(bytes[block])
      while !decoder.isAtEnd, let record = decoder.next() { try body(record) }
    }
  }

  /// Where and what: the device register of an exit, the device of a request.
  public func place(of record: TraceRecord) -> String? {
    if let device = record.device { return devices[device] }
    switch record.exitKind {
    case .deviceMemory?, .port?, .interruptBlock?, .ioSAPIC?: return registers[record.detail]
    default: return nil
    }
  }
}
