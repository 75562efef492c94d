import CELF
import Loading

/// What the disassembler reads of an ELF file: code, and names for addresses. Unlike ``ELFProgram`` it takes relocatable
/// files too.
public struct DisassembledSections: Sendable {
  /// A section that holds instructions.
  public struct Section: Sendable {
    public var name: String
    public var address: UInt64
    public var contents: ArraySlice<UInt8>
  }

  /// A label in one of the sections.
  public struct Symbol: Sendable {
    public var name: String
    public var address: UInt64
    /// Bytes of the function; 0 for a mere label.
    public var size: UInt64
  }

  public private(set) var sections: [Section] = []
  /// By ascending address, one per address.
  public private(set) var symbols: [Symbol] = []

  /// Reads sections flagged SHF_EXECINSTR; of a file without a section table, the executable segments.
  public init(_ bytes: [UInt8], file: String) throws(ImageError) {
    var copy = bytes
    // libelf wants writable memory that lives as long as its handle.
    let result = copy.withUnsafeMutableBytes { image in ELFReader.read(image) }
    let contents: ELFReader
    switch result {
    case .success(let reader): contents = reader
    case .failure(let failure): throw ImageError(file: file, reason: failure.reason)
    }
    for section in contents.sections {
      guard section.offset <= UInt64(bytes.count), section.size <= UInt64(bytes.count) - section.offset else {
        throw ImageError(file: file, reason: .truncated("section \(section.name)"))
      }
      guard !section.address.addingReportingOverflow(section.size).overflow else {
        throw ImageError(file: file, reason: .malformedHeader("section \(section.name) wraps around the address space"))
      }
      let start = Int(section.offset)
      sections.append(
        Section(name: section.name, address: section.address, contents: bytes[start..<start + Int(section.size)]))
    }
    if sections.isEmpty {
      let program = try ELFProgram(bytes, file: file)
      for (index, segment) in program.segments.enumerated() where segment.isExecutable {
        sections.append(Section(name: "segment\(index)", address: segment.virtualAddress, contents: segment.contents))
      }
    }
    for symbol in contents.symbols.sorted(by: { ($0.address, $0.name) < ($1.address, $1.name) }) {
      if let last = symbols.last, last.address == symbol.address {
        symbols[symbols.count - 1].size = max(last.size, symbol.size)
      } else {
        symbols.append(symbol)
      }
    }
  }

  /// Index of the first symbol above an address.
  public func firstSymbol(above address: UInt64) -> Int {
    var low = 0
    var high = symbols.count
    while low < high {
      let middle = (low + high) / 2
      if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// `name` or `name+0x10` for an address in a section, by the last symbol in the section at or before it.
  public func name(of address: UInt64) -> String? {
    guard let section = sections.first(where: { address >= $0.address && address - $0.address < UInt64($0.contents.count) })
    else { return nil }
    let next = firstSymbol(above: address)
    guard next > 0, symbols[next - 1].address >= section.address else { return nil }
    return DisassembledSections.name(symbols[next - 1].name, address - symbols[next - 1].address)
  }

  /// A name with its distance, as objdump writes it.
  public static func name(_ base: String, _ distance: UInt64) -> String {
    distance == 0 ? base : "\(base)+0x\(String(distance, radix: 16))"
  }
}

/// The section and symbol tables, through libelf.
private struct ELFReader {
  struct Header {
    var name: String
    var address: UInt64
    var offset: UInt64
    var size: UInt64
  }

  struct Failure: Error { var reason: ImageError.Reason }

  var sections: [Header] = []
  var symbols: [DisassembledSections.Symbol] = []

  static func read(_ image: UnsafeMutableRawBufferPointer) -> Result<ELFReader, Failure> {
    func failure(_ reason: ImageError.Reason) -> Result<ELFReader, Failure> { .failure(Failure(reason: reason)) }
    guard elf_version(UInt32(EV_CURRENT)) != UInt32(EV_NONE) else { return failure(.malformedHeader("libelf is too old")) }
    guard let elf = elf_memory(image.baseAddress?.assumingMemoryBound(to: CChar.self), image.count) else {
      return failure(.notELF)
    }
    defer { elf_end(elf) }
    guard elf_kind(elf) == ELF_K_ELF else { return failure(.notELF) }
    var header = GElf_Ehdr()
    guard gelf_getehdr(elf, &header) != nil else { return failure(.malformedHeader("unreadable")) }
    guard image.count > 5, image[4] == UInt8(ELFCLASS64) else { return failure(.wrongClass) }
    guard image[5] == UInt8(ELFDATA2LSB) else { return failure(.wrongByteOrder) }
    guard header.e_machine == UInt16(EM_IA_64) else { return failure(.wrongMachine(header.e_machine)) }
    var names = 0
    guard elf_getshdrstrndx(elf, &names) == 0 else { return failure(.malformedHeader("no section names")) }
    var reader = ELFReader()
    var executable: Set<UInt16> = []
    var symbolTables: [(OpaquePointer, GElf_Shdr)] = []
    var next = elf_nextscn(elf, nil)
    while let section = next {
      next = elf_nextscn(elf, section)
      var entry = GElf_Shdr()
      guard gelf_getshdr(section, &entry) != nil else { return failure(.malformedHeader("bad section header")) }
      if entry.sh_type == UInt32(SHT_SYMTAB) { symbolTables.append((section, entry)) }
      guard entry.sh_flags & UInt64(SHF_EXECINSTR) != 0, entry.sh_type != UInt32(SHT_NOBITS) else { continue }
      let index = elf_ndxscn(section)
      let name = elf_strptr(elf, names, Int(entry.sh_name)).map { String(cString: $0) }
      executable.insert(UInt16(truncatingIfNeeded: index))
      reader.sections.append(
        Header(name: name ?? "section\(index)", address: entry.sh_addr, offset: entry.sh_offset, size: entry.sh_size))
    }
    for (section, entry) in symbolTables { reader.readSymbols(elf, section, entry, executable) }
    return .success(reader)
  }

  /// Adds the labels of a symbol table that are in executable sections. A relocatable file's are relative to them.
  private mutating func readSymbols(
    _ elf: OpaquePointer, _ section: OpaquePointer, _ header: GElf_Shdr, _ executable: Set<UInt16>
  ) {
    guard let data = elf_getdata(section, nil), header.sh_entsize > 0 else { return }
    for index in 0..<Int(clamping: header.sh_size / header.sh_entsize) {
      var symbol = GElf_Sym()
      guard gelf_getsym(data, Int32(clamping: index), &symbol) != nil else { return }
      let type = symbol.st_info & 0xf
      guard type <= UInt8(STT_FUNC), executable.contains(symbol.st_shndx),
        let text = elf_strptr(elf, Int(header.sh_link), Int(symbol.st_name))
      else { continue }
      let name = String(cString: text)
      if !name.isEmpty {
        symbols.append(DisassembledSections.Symbol(name: name, address: symbol.st_value, size: symbol.st_size))
      }
    }
  }
}
