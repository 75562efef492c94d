import CVNC

#if canImport(Glibc)
  import Glibc
#endif

/// A picture that two processes see: lines of `width` pixels without gaps, from the beginning of a file that only memory has.
enum SharedPicture {
  /// The largest picture, in pixels. The host gives memory for what is used of it.
  static let pixelLimit = 4096 * 4096
  static let byteCount = 4 * pixelLimit

  static func create() throws(NetworkError) -> (descriptor: Int32, memory: UnsafeMutableRawPointer) {
    let descriptor = memfd_create("epicure-screen", CVNC_CLOSE_ON_EXEC)
    guard descriptor >= 0, ftruncate(descriptor, byteCount) == 0, let memory = map(descriptor, PROT_READ | PROT_WRITE) else {
      let code = errno
      if descriptor >= 0 { close(descriptor) }
      throw NetworkError("there is no memory for a screen", errno: code)
    }
    return (descriptor, memory)
  }

  static func map(_ descriptor: Int32, _ protection: Int32) -> UnsafeMutableRawPointer? {
    let memory = mmap(nil, byteCount, protection, MAP_SHARED, descriptor, 0)
    return memory == MAP_FAILED ? nil : memory
  }
}
