import Foundation
import HostResources
import Platform
import Yams

/// What `--machine FILE` says: the boards, the partitions on them, and what each partition boots. Keys are those of the options of
/// `epicure boot`.
struct MachineFile: Sendable, Equatable {
  struct Partition: Sendable, Equatable {
    var name: String
    var parts: [BoardReference]
    var kernel: String?
    var initrd: String?
    var append = ""
    var disks: [DiskSpecification] = []
    var nics: [NICSpecification] = []
    /// A file for the console's output; nil: the terminal.
    var console: String?
    var until: String?
    var nvram: String?
  }
  /// A board that breaks at a moment of guest time: for trying what follows.
  struct BoardFailure: Sendable, Equatable {
    var board: String
    var seconds: Double
  }

  var chassis: Chassis
  var partitions: [Partition]
  var failures: [BoardFailure]

  /// Relative file names in a machine file start where the file is.
  static func load(path: String) throws(CommandFailure) -> MachineFile {
    let text: String
    do {
      text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    } catch {
      throw CommandFailure(CommandFailure.badInput, "cannot read \(path)")
    }
    do throws(Failure) {
      return try parse(text, folder: (path as NSString).deletingLastPathComponent)
    } catch {
      throw CommandFailure(CommandFailure.badInput, "\(path): \(error)")
    }
  }

  /// One line for the user.
  struct Failure: Error, Equatable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
  }

  static func parse(_ text: String, folder: String = "") throws(Failure) -> MachineFile {
    let document: Document
    do {
      document = try YAMLDecoder().decode(Document.self, from: text)
    } catch {
      throw Failure(explain(error))
    }
    return try MachineFile(document, folder: folder)
  }

  private init(_ document: Document, folder: String) throws(Failure) {
    var boards: [SystemBoard] = []
    for board in document.boards {
      guard let memory = MemorySize(argument: board.memory) else {
        throw Failure("board \(board.name): memory \"\(board.memory)\" is not a size like 4G or 512M")
      }
      boards.append(
        SystemBoard(
          name: board.name, sockets: board.sockets ?? SystemBoard.largestSocketCount, memory: memory.bytes,
          isSpare: board.spare ?? false))
    }
    guard !document.partitions.isEmpty else { throw Failure("there are no partitions") }
    partitions = []
    for p in document.partitions {
      var parts: [BoardReference] = []
      for text in p.boards {
        guard let part = BoardReference(text) else {
          throw Failure("partition \(p.name): \"\(text)\" is neither a board (SB0) nor half a board (SB0/0, SB0/1)")
        }
        parts.append(part)
      }
      func resolve(_ path: String) -> String {
        path.hasPrefix("/") || path.contains("://") || folder.isEmpty ? path : folder + "/" + path
      }
      var disks: [DiskSpecification] = []
      for text in p.disks ?? [] {
        do throws(DiskSpecification.Failure) {
          var disk = try DiskSpecification(parsing: text)
          disk.resolve(resolve)
          disks.append(disk)
        } catch {
          throw Failure("partition \(p.name): disk \(text): \(error)")
        }
      }
      var nics: [NICSpecification] = []
      for text in p.nics ?? [] {
        do throws(NICSpecification.Failure) { nics.append(try NICSpecification(parsing: text)) } catch {
          throw Failure("partition \(p.name): nic \(text): \(error)")
        }
      }
      partitions.append(
        Partition(
          name: p.name, parts: parts, kernel: p.kernel.map(resolve), initrd: p.initrd.map(resolve), append: p.append ?? "",
          disks: disks, nics: nics, console: p.console.map(resolve), until: p.until,
          nvram: p.nvram.map(resolve)))
    }
    do throws(Chassis.Failure) {
      chassis = try Chassis(boards: boards, partitions: partitions.map { Chassis.Partition(name: $0.name, parts: $0.parts) })
    } catch { throw Failure(error.description) }
    failures = []
    for failure in document.failures ?? [] {
      guard chassis.board(failure.board) != nil else { throw Failure("failures: there is no board \(failure.board)") }
      guard failure.seconds >= 0, failure.seconds < 1e9 else {
        throw Failure("failures: board \(failure.board): seconds must not be negative")
      }
      failures.append(BoardFailure(board: failure.board, seconds: failure.seconds))
    }
    failures.sort { $0.seconds < $1.seconds }
  }

  // MARK: The file as it is written

  private struct Document: Decodable {
    var boards: [Board]
    var partitions: [PartitionEntry]
    var failures: [FailureEntry]?
    init(from decoder: any Decoder) throws {
      let c = try decoder.container(keyedBy: Key.self, allowing: ["boards", "partitions", "failures"])
      boards = try c.decode([Board].self, forKey: Key("boards"))
      partitions = try c.decode([PartitionEntry].self, forKey: Key("partitions"))
      failures = try c.decodeIfPresent([FailureEntry].self, forKey: Key("failures"))
    }
  }
  private struct Board: Decodable {
    var name: String
    var sockets: Int?
    var memory: String
    var spare: Bool?
    init(from decoder: any Decoder) throws {
      let c = try decoder.container(keyedBy: Key.self, allowing: ["name", "sockets", "memory", "spare"])
      name = try c.decode(String.self, forKey: Key("name"))
      sockets = try c.decodeIfPresent(Int.self, forKey: Key("sockets"))
      memory = try c.decode(String.self, forKey: Key("memory"))
      spare = try c.decodeIfPresent(Bool.self, forKey: Key("spare"))
    }
  }
  private struct PartitionEntry: Decodable {
    var name: String
    var boards: [String]
    var kernel, initrd, append, console, until, nvram: String?
    var disks, nics: [String]?
    init(from decoder: any Decoder) throws {
      let c = try decoder.container(
        keyedBy: Key.self,
        allowing: ["name", "boards", "kernel", "initrd", "append", "disks", "nics", "console", "until", "nvram"])
      name = try c.decode(String.self, forKey: Key("name"))
      boards = try c.decode([String].self, forKey: Key("boards"))
      kernel = try c.decodeIfPresent(String.self, forKey: Key("kernel"))
      initrd = try c.decodeIfPresent(String.self, forKey: Key("initrd"))
      append = try c.decodeIfPresent(String.self, forKey: Key("append"))
      console = try c.decodeIfPresent(String.self, forKey: Key("console"))
      until = try c.decodeIfPresent(String.self, forKey: Key("until"))
      nvram = try c.decodeIfPresent(String.self, forKey: Key("nvram"))
      disks = try c.decodeIfPresent([String].self, forKey: Key("disks"))
      nics = try c.decodeIfPresent([String].self, forKey: Key("nics"))
    }
  }
  private struct FailureEntry: Decodable {
    var board: String
    var seconds: Double
    init(from decoder: any Decoder) throws {
      let c = try decoder.container(keyedBy: Key.self, allowing: ["board", "seconds"])
      board = try c.decode(String.self, forKey: Key("board"))
      seconds = try c.decode(Double.self, forKey: Key("seconds"))
    }
  }
  fileprivate struct Key: CodingKey, ExpressibleByStringLiteral {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringLiteral name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private static func explain(_ error: any Error) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        .replacingOccurrences(of: ".[", with: "[")
      return path.isEmpty ? "" : "\(path): "
    }
    switch error {
    case DecodingError.keyNotFound(let key, let context): return "\(place(context))\(key.stringValue) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      return "\(place(context))this is not what belongs here"
    case DecodingError.dataCorrupted(let context):
      if let inner = context.underlyingError { return "\(inner)".split(separator: "\n").first.map(String.init) ?? "not YAML" }
      return place(context) + context.debugDescription
    default: return "\(error)".split(separator: "\n").first.map(String.init) ?? "not YAML"
    }
  }
}

extension Decoder {
  /// A container in which a misspelt key is an error, as it should be for people who write files by hand.
  fileprivate func container(keyedBy type: MachineFile.Key.Type, allowing names: Set<String>) throws -> KeyedDecodingContainer<
    MachineFile.Key
  > {
    let c = try container(keyedBy: type)
    if let unknown = c.allKeys.first(where: { !names.contains($0.stringValue) }) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "there is no key \(unknown.stringValue); known are \(names.sorted().joined(separator: ", "))"))
    }
    return c
  }
}
