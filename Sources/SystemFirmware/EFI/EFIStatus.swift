/// EFI_STATUS: errors have the highest bit set (EFI 1.10, appendix D).
enum EFIStatus: UInt64 {
  case success = 0
  case invalidParameter = 0x8000_0000_0000_0002
  case unsupported = 0x8000_0000_0000_0003
  case badBufferSize = 0x8000_0000_0000_0004
  case bufferTooSmall = 0x8000_0000_0000_0005
  case writeProtected = 0x8000_0000_0000_0008
  case outOfResources = 0x8000_0000_0000_0009
  case notFound = 0x8000_0000_0000_000E
  case noMapping = 0x8000_0000_0000_0011
}
