import Loading
import Platform

/// Why a machine cannot be started. The description is one line for the user.
public enum BootError: Error, Equatable, CustomStringConvertible {
  case image(ImageError)
  case noFirmwareMemory
  case tooManyProcessors(Int)
  case commandLineTooLong(Int)
  case initrdDoesNotFit(bytes: Int)
  case overlapsBootData(String)
  case notAnApplication(String, damaged: Bool)
  case pci(PCIRoot.Failure)

  public var description: String {
    switch self {
    case .image(let error): error.description
    case .noFirmwareMemory: "the machine has no memory for its firmware"
    case .tooManyProcessors(let count):
      "\(count) processors; the firmware serves at most \(FirmwareLayout.maximumProcessors)"
    case .commandLineTooLong(let bytes):
      "the kernel command line has \(bytes) bytes; at most \(BootBlock.maximumCommandLine) fit"
    case .initrdDoesNotFit(let bytes): "no room in memory for the initial RAM disk of \(bytes) bytes"
    case .notAnApplication(let file, let damaged):
      damaged ? "\(file): a damaged EFI application" : "\(file): not an EFI application for IA-64"
    case .overlapsBootData(let file): "\(file): a segment lies where the boot parameters must be"
    case .pci(let failure): failure.description
    }
  }
}
