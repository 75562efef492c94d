import CELF

/// A little-endian IA-64 ELF executable, checked: every range that its headers name lies inside the file, and no sum overflows.
public struct ELFProgram: Sendable {
  public struct Segment: Sendable {
    public var virtualAddress: UInt64
    public var physicalAddress: UInt64
    /// What the file provides; the rest of `memorySize` is zeros.
    public var contents: ArraySlice<UInt8>
    public var memorySize: UInt64
    public var fileOffset: UInt64
    public var alignment: UInt64
    public var isReadable: Bool
    public var isWritable: Bool
    public var isExecutable: Bool
  }

  /// ET_DYN: position independent.
  public var isPositionIndependent: Bool
  public var entry: UInt64
  /// PT_LOAD segments in the file's order.
  public var segments: [Segment]
  /// Program header table, for the auxiliary vector.
  public var programHeaderOffset: UInt64
  public var programHeaderSize: Int
  public var programHeaderCount: Int
  /// Virtual address of the program header table in the loaded program, if a segment holds it (AT_PHDR).
  public var programHeaderAddress: UInt64?
  /// Path of the dynamic linker that the program asks for (PT_INTERP).
  public var interpreter: String?
  /// PT_GNU_STACK with the executable flag, or no such header.
  public var wantsExecutableStack: Bool

  /// More program headers than any real program has; a larger count is a damaged header.
  static let maximumHeaders = 512

  /// The executable itself, or one that gzip has compressed, which may decompress to at most `limit` bytes.
  public init(compressedOrNot bytes: [UInt8], limit: UInt64, file: String) throws(ImageError) {
    try self.init(GzipReader.plain(bytes, limit: limit, magic: Self.magic, file: file), file: file)
  }

  /// First bytes of every ELF file.
  public static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]

  /// `file` names the bytes in errors.
  public init(_ bytes: [UInt8], file: String) throws(ImageError) {
    func fail(_ reason: ImageError.Reason) -> ImageError { ImageError(file: file, reason: reason) }
    guard bytes.count >= 16, bytes.starts(with: Self.magic) else { throw fail(.notELF) }
    guard bytes[4] == UInt8(ELFCLASS64) else { throw fail(.wrongClass) }
    guard bytes[5] == UInt8(ELFDATA2LSB) else { throw fail(.wrongByteOrder) }
    guard bytes.count >= 64 else { throw fail(.truncated("the ELF header")) }
    let headers: Headers
    // libelf wants writable memory and may keep pointers into it: give it a copy that lives as long as the handle.
    var copy = bytes
    let result = copy.withUnsafeMutableBytes { Headers.read($0) }
    switch result {
    case .success(let h): headers = h
    case .failure(let failure): throw fail(failure.reason)
    }
    let size = UInt64(bytes.count)
    isPositionIndependent = headers.type == UInt16(ET_DYN)
    entry = headers.entry
    programHeaderOffset = headers.tableOffset
    programHeaderSize = 56
    programHeaderCount = headers.entries.count
    segments = []
    interpreter = nil
    wantsExecutableStack = true
    programHeaderAddress = nil
    for (index, p) in headers.entries.enumerated() {
      switch p.p_type {
      case UInt32(PT_LOAD):
        guard p.p_filesz <= p.p_memsz else { throw fail(.badSegment(index, "its file size exceeds its memory size")) }
        guard p.p_offset <= size, p.p_filesz <= size - p.p_offset else { throw fail(.truncated("segment \(index)")) }
        guard !p.p_vaddr.addingReportingOverflow(p.p_memsz).overflow,
          !p.p_paddr.addingReportingOverflow(p.p_memsz).overflow
        else { throw fail(.badSegment(index, "it wraps around the address space")) }
        guard p.p_memsz > 0 else { continue }
        let start = Int(p.p_offset)
        segments.append(
          Segment(
            virtualAddress: p.p_vaddr, physicalAddress: p.p_paddr, contents: bytes[start..<start + Int(p.p_filesz)],
            memorySize: p.p_memsz, fileOffset: p.p_offset, alignment: p.p_align, isReadable: p.p_flags & UInt32(PF_R) != 0,
            isWritable: p.p_flags & UInt32(PF_W) != 0, isExecutable: p.p_flags & UInt32(PF_X) != 0))
        let tableSize = UInt64(headers.entries.count * 56)
        if programHeaderAddress == nil, headers.tableOffset >= p.p_offset,
          headers.tableOffset - p.p_offset <= p.p_filesz, tableSize <= p.p_filesz - (headers.tableOffset - p.p_offset)
        {
          programHeaderAddress = p.p_vaddr + (headers.tableOffset - p.p_offset)
        }
      case UInt32(PT_INTERP):
        guard p.p_offset <= size, p.p_filesz <= size - p.p_offset, p.p_filesz <= 4096 else {
          throw fail(.truncated("the interpreter's name"))
        }
        let name = bytes[Int(p.p_offset)..<Int(p.p_offset + p.p_filesz)].prefix { $0 != 0 }
        interpreter = String(decoding: name, as: UTF8.self)
      case UInt32(PT_GNU_STACK):
        wantsExecutableStack = p.p_flags & UInt32(PF_X) != 0
      default: break
      }
    }
    guard !segments.isEmpty else { throw fail(.noLoadableSegment) }
  }
}

/// What libelf reads out of an ELF image.
private struct Headers {
  var type: UInt16
  var entry: UInt64
  var tableOffset: UInt64
  var entries: [GElf_Phdr]

  struct Failure: Error { var reason: ImageError.Reason }

  static func read(_ image: UnsafeMutableRawBufferPointer) -> Result<Headers, Failure> {
    func failure(_ reason: ImageError.Reason) -> Result<Headers, Failure> { .failure(Failure(reason: reason)) }
    var lastError: String { elf_errmsg(-1).map { String(cString: $0) } ?? "unknown error" }
    guard elf_version(UInt32(EV_CURRENT)) != UInt32(EV_NONE) else { return failure(.malformedHeader("libelf is too old")) }
    guard let elf = elf_memory(image.baseAddress?.assumingMemoryBound(to: CChar.self), image.count) else {
      return failure(.malformedHeader(lastError))
    }
    defer { elf_end(elf) }
    guard elf_kind(elf) == ELF_K_ELF else { return failure(.notELF) }
    var header = GElf_Ehdr()
    guard gelf_getehdr(elf, &header) != nil else { return failure(.malformedHeader(lastError)) }
    guard header.e_machine == UInt16(EM_IA_64) else { return failure(.wrongMachine(header.e_machine)) }
    guard header.e_type == UInt16(ET_EXEC) || header.e_type == UInt16(ET_DYN) else { return failure(.wrongType(header.e_type)) }
    guard header.e_phentsize == 56 || header.e_phnum == 0 else {
      return failure(.malformedHeader("program headers of \(header.e_phentsize) bytes"))
    }
    var count = 0
    guard elf_getphdrnum(elf, &count) == 0 else { return failure(.malformedHeader(lastError)) }
    guard count <= ELFProgram.maximumHeaders else { return failure(.tooManyHeaders(count)) }
    // libelf reports fewer headers than e_phnum when the file is too short for them.
    guard count >= Int(header.e_phnum) || header.e_phnum == UInt16(PN_XNUM) else {
      return failure(.truncated("the program header table"))
    }
    guard header.e_phoff <= UInt64(image.count), UInt64(count * 56) <= UInt64(image.count) - header.e_phoff else {
      return failure(.truncated("the program header table"))
    }
    var entries: [GElf_Phdr] = []
    for index in 0..<count {
      var entry = GElf_Phdr()
      guard gelf_getphdr(elf, Int32(index), &entry) != nil else { return failure(.malformedHeader(lastError)) }
      entries.append(entry)
    }
    return .success(Headers(type: header.e_type, entry: header.e_entry, tableOffset: header.e_phoff, entries: entries))
  }
}
