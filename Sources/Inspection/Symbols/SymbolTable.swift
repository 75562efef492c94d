import Loading
import Pipeline

/// Functions by address, out of an ELF file's symbols or a kernel's System.map.
public struct SymbolTable: Sendable {
  private struct Entry: Sendable {
    var start: UInt64
    var end: UInt64
    var name: String
  }
  /// By ascending address, without overlaps.
  private var entries: [Entry] = []
  /// Variables as well, as far as the source has them.
  private var addresses: [String: UInt64] = [:]

  public var isEmpty: Bool { entries.isEmpty }

  /// Larger files than any real kernel with its symbols are damaged or not meant.
  private static let limit: UInt64 = 1 << 31

  /// An ELF file or a System.map, either of them possibly compressed with gzip.
  public init(path: String) throws(ImageError) {
    let bytes = try GzipReader.plain(HostFile.read(path, limit: Self.limit), limit: Self.limit, magic: [], file: path)
    if bytes.starts(with: ELFProgram.magic) {
      try self.init(elf: bytes, file: path)
    } else {
      guard let table = SymbolTable(systemMap: bytes) else {
        throw ImageError(file: path, reason: .noSymbols)
      }
      self = table
    }
  }

  /// The symbols of a program's code. Inside of what a function's size covers, labels have no say.
  public init(elf bytes: [UInt8], file: String) throws(ImageError) {
    let code = try DisassembledSections(bytes, file: file)
    var covered: UInt64 = 0
    for (index, symbol) in code.symbols.enumerated() {
      addresses[symbol.name] = symbol.address
      if symbol.size == 0 && symbol.address < covered { continue }
      var end = index + 1 < code.symbols.count ? code.symbols[index + 1].address : symbol.address
      if symbol.size != 0 {
        end = symbol.address &+ symbol.size
      } else if let section = code.sections.first(where: { symbol.address &- $0.address < UInt64($0.contents.count) }) {
        let last = section.address + UInt64(section.contents.count)
        if end <= symbol.address || end > last { end = last }
      }
      add(Entry(start: symbol.address, end: end, name: symbol.name))
      covered = max(covered, end)
    }
  }

  /// `nm`'s lines: address, type, name. A function ends where the next symbol begins, whatever that is. Nil: no such lines.
  public init?(systemMap bytes: [UInt8]) {
    var symbols: [(address: UInt64, isCode: Bool, name: String)] = []
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
      guard parts.count == 3, parts[1].count == 1, let type = parts[1].first,
        let address = UInt64(String(decoding: parts[0], as: UTF8.self), radix: 16)
      else { return nil }
      // Absolute symbols are numbers.
      if type == UInt8(ascii: "A") || type == UInt8(ascii: "a") { continue }
      symbols.append((address, "tTwW".utf8.contains(type), String(decoding: parts[2], as: UTF8.self)))
    }
    guard !symbols.isEmpty else { return nil }
    // Where several begin, the plainest name: linker scripts mark the ends of sections with underscores.
    func rank(_ symbol: (address: UInt64, isCode: Bool, name: String)) -> (UInt64, Int, String) {
      (symbol.address, symbol.name.prefix { $0 == "_" }.count, symbol.name)
    }
    symbols.sort { rank($0) < rank($1) }
    for symbol in symbols where addresses[symbol.name] == nil { addresses[symbol.name] = symbol.address }
    for (index, symbol) in symbols.enumerated() where symbol.isCode {
      guard let next = symbols[index...].first(where: { $0.address > symbol.address }) else { continue }
      add(Entry(start: symbol.address, end: next.address, name: symbol.name))
    }
  }

  /// Appends an entry; the one before it ends where this begins. Of several at one address the first stays.
  private mutating func add(_ entry: Entry) {
    guard entry.end > entry.start else { return }
    if let last = entries.last {
      guard last.start != entry.start else { return }
      if last.end > entry.start { entries[entries.count - 1].end = entry.start }
    }
    entries.append(entry)
  }

  /// Where a function or a variable is; nil: there is none of that name.
  public func address(of name: String) -> UInt64? { addresses[name] }

  public func symbol(of address: UInt64) -> SymbolName? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0, address < entries[low - 1].end else { return nil }
    return SymbolName(name: entries[low - 1].name, address: entries[low - 1].start)
  }

  /// Where the function of that name lies; of several the first.
  public func range(of name: String) -> Range<UInt64>? { entries.first { $0.name == name }.map { $0.start..<$0.end } }

  /// The function that an address lies in.
  public func range(around address: UInt64) -> (name: String, range: Range<UInt64>)? {
    guard let symbol = symbol(of: address), let range = range(startingAt: symbol.address) else { return nil }
    return (symbol.name, range)
  }

  private func range(startingAt start: UInt64) -> Range<UInt64>? { entries.first { $0.start == start }.map { $0.start..<$0.end } }

  /// `name` or `name+0x10`.
  public func name(of address: UInt64) -> String? {
    symbol(of: address).map { DisassembledSections.name($0.name, address - $0.address) }
  }
}
