import FoundationEssentials

/// What a recording begins with: what has to be the same for the run to be the same.
public struct RecordingHeader: Codable, Sendable, Equatable {
  /// A file that the guest was made of.
  public struct File: Codable, Sendable, Equatable {
    /// `kernel`, `initrd`, `pipeline`.
    public var role: String
    /// Absolute.
    public var path: String
    public var size: UInt64
    public var hash: String
    public init(role: String, path: String, size: UInt64, hash: String) {
      (self.role, self.path, self.size, self.hash) = (role, path, size, hash)
    }
  }

  /// Options of the command line, without the command.
  public var arguments: [String]
  /// What relative names of files are relative to.
  public var folder: String
  public var files: [File]
  /// The machine has a screen, whoever looks at it.
  public var hasVideo: Bool
  /// Layout of the processors' state: another one is another program's.
  public var stateVersion: UInt32

  public init(arguments: [String], folder: String, files: [File], hasVideo: Bool, stateVersion: UInt32) {
    (self.arguments, self.folder, self.files) = (arguments, folder, files)
    (self.hasVideo, self.stateVersion) = (hasVideo, stateVersion)
  }
}

/// A disk of a recorded run, as it was at power-on.
public struct RecordedDisk: Codable, Sendable, Equatable {
  public var file: String
  public var size: UInt64
  /// Of all its contents; nil: there was too much of it.
  public var hash: String?
  /// Nanoseconds, of the file's last change; nil: it has no such thing.
  public var modified: UInt64?

  public init(file: String, size: UInt64, hash: String?, modified: UInt64?) {
    (self.file, self.size, self.hash, self.modified) = (file, size, hash, modified)
  }
}

/// How a recorded run ended.
public struct RecordingEnd: Codable, Sendable, Equatable {
  /// As statistics have it: `powered-off`, `matched`, ...
  public var outcome: String
  public var instructions: UInt64
  public var cycles: UInt64
  public var stateHash: String
  public var memoryHash: String
  /// When the disks' files were last changed.
  public var modified: [UInt64?]

  public init(
    outcome: String, instructions: UInt64, cycles: UInt64, stateHash: String, memoryHash: String, modified: [UInt64?]
  ) {
    (self.outcome, self.instructions, self.cycles) = (outcome, instructions, cycles)
    (self.stateHash, self.memoryHash, self.modified) = (stateHash, memoryHash, modified)
  }
}

/// Why a recording cannot be made or used: one line for the user.
public struct RecordingProblem: Error, Equatable, CustomStringConvertible, Sendable {
  public var description: String
  public init(_ path: String, _ reason: String) { description = "\(path): \(reason)" }
}
