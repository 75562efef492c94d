import HostResources
import SystemFirmware

/// The file of the non-volatile EFI variables.
extension BoardServer {
  /// What the largest store takes, and its overhead.
  private static let largestFile = 1 << 20

  /// Takes the variables from the file, if it exists, and keeps them there from now on.
  func keepVariables(in file: ReplacedFile) throws {
    do {
      if let contents = try file.read(limit: Self.largestFile) { try firmware.loadNonVolatile(contents) }
      // A file that cannot be written is noticed now, not by the guest.
      try file.write(firmware.nonVolatileContents)
    } catch let problem as StorageProblem {
      throw CommandFailure(CommandFailure.badInput, "--nvram: \(problem)")
    } catch {
      throw CommandFailure(CommandFailure.badInput, "--nvram \(file.path): \(error)")
    }
    firmware.storeNonVolatile = { contents in
      do throws(StorageProblem) { try file.write(contents) } catch {
        StandardError.write("epicure: the EFI variables could not be saved: \(error)")
        return false
      }
      return true
    }
  }
}
