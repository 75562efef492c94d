import ArgumentParser
import Foundation
import IA64
import Inspection
import Loading
import Management

/// `epicure profile`: what the files of `--profile` say.
struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Read profiles: functions and bundles by cycles, samples or events; annotated disassembly.",
    discussion: """
      epicure boot --timing cycle --kernel vmlinux.gz --initrd initramfs.cpio.gz --symbols System.map.gz --profile boot.profile
      epicure profile boot.profile                          functions, and what they waited for
      epicure profile boot.profile --annotate memset        its instructions, each with cycles and stalls
      epicure profile boot.profile --folded | flamegraph.pl > boot.svg

      With --profile-event NAME functions are ranked by that event of the performance monitor.
      """)
  @Argument(help: ArgumentHelp("What --profile wrote.", valueName: "profile"))
  var file: String
  @Option(help: "Sum up by symbol or by bundle.")
  var by = ProfileSummary.Grouping.symbol
  @Option(help: ArgumentHelp("How many lines.", valueName: "n"))
  var top = 30
  @Option(help: ArgumentHelp("Show a function's code, by its name or an address in it.", valueName: "function"))
  var annotate: String?
  @Option(
    help: ArgumentHelp(
      "The ELF file with the code for --annotate. Without this option: the kernel or program that the profile names.",
      valueName: "file"))
  var image: String?
  @Option(
    help: ArgumentHelp(
      "Names functions: an ELF file, or a System.map. Without this option: what --symbols was at the run, or the kernel.",
      valueName: "file"))
  var symbols: String?
  @Flag(help: "Print a line for each function as flame graph programs read it.") var folded = false
  @Flag(help: "Print JSON, with all lines.") var json = false

  private static let limit: UInt64 = 1 << 30

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top counts lines.") }
    guard !(folded && (json || annotate != nil)) else {
      throw ValidationError("--folded has no other form: no --json, no --annotate.")
    }
  }

  func run() throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let profile = try? decoder.decode(ProfileDocument.self, from: Data(HostFile.read(file, limit: Self.limit))) else {
      throw CommandFailure(CommandFailure.badInput, "\(file): this is no profile of Epicure's")
    }
    let table: SymbolTable? =
      try symbols.map { try SymbolTable(path: $0) } ?? (profile.symbols ?? profile.kernel).flatMap { try? SymbolTable(path: $0) }
    var output = StandardOutput()
    if let annotate {
      let code = try annotated(annotate, profile, table)
      try output.write(json ? ManagementJSON.text(code) : AnnotatedTable(code, profile).text)
    } else {
      let summary = ProfileSummary(profile, by: by, symbols: table)
      if json {
        try output.write(ManagementJSON.text(summary))
      } else if folded {
        for row in summary.rows { try output.write("\(row.name) \(row.cycles == 0 ? row.count : row.cycles)\n") }
      } else {
        try output.write(ProfileTable(summary, count: top, by: by).text)
      }
    }
    try output.flush()
  }

  private func annotated(_ function: String, _ profile: ProfileDocument, _ table: SymbolTable?) throws -> AnnotatedCode {
    let range: Range<UInt64>
    var name = function
    if let found = table?.range(of: function) {
      range = found
    } else if function.hasPrefix("0x"), let address = UInt64(function.dropFirst(2), radix: 16) {
      if let found = table?.range(around: address) {
        (name, range) = found
      } else {
        range = address & ~0xFF..<(address & ~0xFF) + 0x100
      }
    } else {
      throw CommandFailure(
        CommandFailure.badInput,
        "there is no function \(function)" + (table == nil ? ": name an ELF file or a System.map with --symbols" : ""))
    }
    guard let image = image ?? profile.kernel else {
      throw CommandFailure(CommandFailure.badInput, "the profile names no file with the code: name it with --image")
    }
    let bytes = try GzipReader.plain(HostFile.read(image, limit: Self.limit), limit: Self.limit, magic: [], file: image)
    let sections = try DisassembledSections(bytes, file: image).sections
    return AnnotatedCode(name, range, profile) { address in
      for section in sections where address >= section.address && address - section.address + 16 <= UInt64(section.contents.count) {
        let start = section.contents.startIndex + Int(address - section.address)
        func word(_ at: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(section.contents[at + $1]) << UInt64(8 * $1) } }
        return Bundle(low: word(start), high: word(start + 8))
      }
      return nil
    }
  }
}

extension ProfileSummary.Grouping: ExpressibleByArgument {}
