import ArgumentParser
import IA64
import Inspection
import Loading

#if canImport(Glibc)
  import Glibc
#endif

/// `epicure disassemble`: the code of an ELF file as assembly language.
struct DisassembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disassemble",
    abstract: "Print the code of an IA-64 ELF file as assembly language.",
    discussion: """
      FILE may be compressed with gzip. The listing is that of GNU's `objdump -d --disassemble-zeroes`: all sections \
      with instructions, or all executable segments of a file without sections.
      """)

  @Argument(help: ArgumentHelp("The ELF file.", valueName: "file"), completion: .file())
  var file: String

  @Option(help: ArgumentHelp("Begin at this address (0x for hexadecimal).", valueName: "address"))
  var start: Address?

  @Option(help: ArgumentHelp("End before this address.", valueName: "address"))
  var stop: Address?

  /// Larger files than any real kernel are damaged or not meant.
  private static let limit: UInt64 = 1 << 31

  /// A bundle is aligned to its size.
  private static let bundleSize: UInt64 = 16

  func run() throws {
    let limit = DisassembleCommand.limit
    let bytes = try GzipReader.plain(HostFile.read(file, limit: limit), limit: limit, magic: ELFProgram.magic, file: file)
    let code = try DisassembledSections(bytes, file: file)
    var output = StandardOutput()
    try output.write("\n\(file):     file format elf64-ia64-little\n\n")
    let disassembler = Disassembler { code.name(of: $0) }
    for section in code.sections {
      try list(section, of: code, disassembler, to: &output)
    }
    try output.flush()
  }

  private func list(
    _ section: DisassembledSections.Section, of code: DisassembledSections, _ disassembler: Disassembler,
    to output: inout StandardOutput
  ) throws {
    // An address inside a bundle stands for the whole bundle. What is too short for a bundle is not code.
    let size = UInt64(section.contents.count)
    func offset(_ address: UInt64) -> UInt64 { address < section.address ? 0 : min(address - section.address, size) }
    let mask = ~(DisassembleCommand.bundleSize - 1)
    var position = start.map { offset($0.value) & mask } ?? 0
    let end = min(stop.map { (offset($0.value) + DisassembleCommand.bundleSize - 1) & mask } ?? size, size & mask)
    guard position < end else { return }
    try output.write("\nDisassembly of section \(section.name):\n")
    let digits = Disassembler.addressDigits(end: section.address + end)
    var symbol = code.firstSymbol(above: section.address + position)
    let name = code.name(of: section.address + position) ?? DisassembledSections.name(section.name, position)
    try heading(section.address + position, name, to: &output)
    while position < end {
      let address = section.address + position
      while symbol < code.symbols.count, code.symbols[symbol].address <= address {
        try heading(code.symbols[symbol].address, code.symbols[symbol].name, to: &output)
        symbol += 1
      }
      let bundle = section.contents.withUnsafeBytes { memory in
        Bundle(
          low: UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: Int(position), as: UInt64.self)),
          high: UInt64(littleEndian: memory.loadUnaligned(fromByteOffset: Int(position) + 8, as: UInt64.self)))
      }
      for line in disassembler.lines(of: bundle, at: address, digits: digits) {
        try output.write(line)
        try output.write("\n")
      }
      position += DisassembleCommand.bundleSize
    }
  }

  private func heading(_ address: UInt64, _ name: String, to output: inout StandardOutput) throws {
    let digits = String(address, radix: 16)
    try output.write("\n\(String(repeating: "0", count: 16 - digits.count))\(digits) <\(name)>:\n")
  }
}

/// An address on the command line, decimal or `0x` hexadecimal.
struct Address: ExpressibleByArgument, Sendable {
  var value: UInt64

  init?(argument: String) {
    let isHexadecimal = argument.hasPrefix("0x") || argument.hasPrefix("0X")
    guard let value = isHexadecimal ? UInt64(argument.dropFirst(2), radix: 16) : UInt64(argument) else { return nil }
    self.value = value
  }
}
