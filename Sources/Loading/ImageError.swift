/// Why a file cannot be booted or run. The description is one line for the user; it begins with the file's name.
public struct ImageError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    case cannotOpen(String)
    case notAFile
    case tooLarge(limit: UInt64)
    case empty
    case notELF
    case wrongClass
    case wrongByteOrder
    case wrongMachine(UInt16)
    case wrongType(UInt16)
    case malformedHeader(String)
    case tooManyHeaders(Int)
    case truncated(String)
    case noLoadableSegment
    case badSegment(Int, String)
    case overlappingSegments(address: UInt64)
    case outsideMemory(address: UInt64, size: UInt64)
    case badGzip(String)
    case decompressedTooLarge(limit: UInt64)
    case noSymbols
  }
  public var file: String
  public var reason: Reason

  public init(file: String, reason: Reason) {
    self.file = file
    self.reason = reason
  }

  public var description: String { "\(file): \(reason)" }
}

extension ImageError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .cannotOpen(let why): why
    case .notAFile: "not a regular file"
    case .tooLarge(let limit): "larger than \(limit) bytes"
    case .empty: "the file is empty"
    case .notELF: "not an ELF file"
    case .wrongClass: "not a 64-bit ELF file"
    case .wrongByteOrder: "not a little-endian ELF file"
    case .wrongMachine(let machine): "for another machine (ELF machine \(machine), IA-64 is 50)"
    case .wrongType(let type): "not an executable (ELF type \(type))"
    case .malformedHeader(let what): "malformed ELF header: \(what)"
    case .tooManyHeaders(let count): "malformed ELF header: \(count) program headers"
    case .truncated(let what): "truncated: \(what) reaches beyond the end of the file"
    case .noLoadableSegment: "no loadable segment"
    case .badSegment(let index, let why): "bad program header \(index): \(why)"
    case .overlappingSegments(let address): "segments overlap at physical address 0x\(String(address, radix: 16))"
    case .outsideMemory(let address, let size):
      "\(size) bytes at physical address 0x\(String(address, radix: 16)) are not in the machine's memory"
    case .badGzip(let why): "broken gzip stream: \(why)"
    case .decompressedTooLarge(let limit): "decompresses to more than \(limit) bytes"
    case .noSymbols: "neither an ELF file nor a System.map"
    }
  }
}
