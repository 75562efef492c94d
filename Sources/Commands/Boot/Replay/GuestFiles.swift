import Foundation
import Inspection
import Loading

/// The files that a guest is made of, as a recording knows them.
enum GuestFiles {
  static let largest: UInt64 = 16 << 30

  static func absolute(_ path: String, in folder: String) -> String { path.hasPrefix("/") ? path : folder + "/" + path }

  /// Reads and describes files; what is not there is somebody else's to complain about.
  static func describe(_ files: [(role: String, path: String?)]) -> [RecordingHeader.File] {
    let folder = FileManager.default.currentDirectoryPath
    return files.compactMap { role, path in
      guard let path, let bytes = try? HostFile.read(path, limit: largest) else { return nil }
      return RecordingHeader.File(
        role: role, path: absolute(path, in: folder), size: UInt64(bytes.count), hash: MachineHash.text(ContentHash.of(bytes)))
    }
  }

  /// Throws unless the file is the one that was recorded.
  static func check(_ path: String, is file: RecordingHeader.File) throws(CommandFailure) {
    func refuse(_ text: String) -> CommandFailure {
      CommandFailure(CommandFailure.badInput, "\(text); --\(file.role) FILE says where it is now")
    }
    let bytes: [UInt8]
    do throws(ImageError) { bytes = try HostFile.read(path, limit: largest) } catch { throw refuse("\(error)") }
    guard MachineHash.text(ContentHash.of(bytes)) == file.hash else {
      throw refuse("\(path): is not the \(file.role) that was recorded")
    }
  }
}
