import HostResources
import Inspection
import SystemFirmware

/// The file of the non-volatile EFI variables.
extension BoardServer {
  /// What the largest store takes, and its overhead.
  private static let largestFile = 1 << 20

  /// Takes the variables from the file, if it exists, and keeps them there from now on.
  func keepVariables(in file: ReplacedFile, _ journal: Journal) throws {
    do {
      let existing = journal.isReplaying ? nil : try file.read(limit: Self.largestFile)
      if let contents = journal.ask(.variables, bytes: { existing }) { try firmware.loadNonVolatile(contents) }
      // A file that cannot be written is noticed now, not by the guest.
      if !journal.isReplaying { try file.write(firmware.nonVolatileContents) }
    } catch let problem as StorageProblem {
      throw CommandFailure(CommandFailure.badInput, "--nvram: \(problem)")
    } catch {
      throw CommandFailure(CommandFailure.badInput, "--nvram \(file.path): \(error)")
    }
    firmware.storeNonVolatile = { contents in
      let failed = journal.ask(.variables) {
        do throws(StorageProblem) { try file.write(contents) } catch {
          StandardError.write("epicure: the EFI variables could not be saved: \(error)")
          return true
        }
        return false
      }
      return !failed
    }
  }
}
