/// EFI_STATUS: errors have the highest bit set (EFI 1.10, appendix D).
enum EFIStatus: UInt64 {
  case success = 0
  case warnDeleteFailure = 2
  case loadError = 0x8000_0000_0000_0001
  case invalidParameter = 0x8000_0000_0000_0002
  case unsupported = 0x8000_0000_0000_0003
  case badBufferSize = 0x8000_0000_0000_0004
  case bufferTooSmall = 0x8000_0000_0000_0005
  case notReady = 0x8000_0000_0000_0006
  case deviceError = 0x8000_0000_0000_0007
  case writeProtected = 0x8000_0000_0000_0008
  case outOfResources = 0x8000_0000_0000_0009
  case volumeCorrupted = 0x8000_0000_0000_000A
  case volumeFull = 0x8000_0000_0000_000B
  case noMedia = 0x8000_0000_0000_000C
  case mediaChanged = 0x8000_0000_0000_000D
  case notFound = 0x8000_0000_0000_000E
  case accessDenied = 0x8000_0000_0000_000F
  case noMapping = 0x8000_0000_0000_0011
  case timeout = 0x8000_0000_0000_0012
  case notStarted = 0x8000_0000_0000_0013
  case alreadyStarted = 0x8000_0000_0000_0014
  case aborted = 0x8000_0000_0000_0015
}
