import HostResources

/// Screens for whoever wants to look at them.
enum Screens {
  /// Nil: the machine has none.
  static func show(
    _ server: Server, name: String, at address: VNCAddress, password: String?, _ world: OutsideWorld
  ) throws(CommandFailure) -> VNCServer? {
    guard let source = server.screen else { return nil }
    do throws(NetworkError) {
      let screen = try VNCServer(source, name: name, at: address, password: password, world: world)
      screen.keyChanged = { [weak server] in server?.keyboard?.key($0, isDown: $1) }
      screen.pointerMoved = { [weak server] in server?.keyboard?.pointer(x: $0, y: $1, buttons: $2) }
      return screen
    } catch { throw CommandFailure(CommandFailure.badInput, "VNC: \(error)") }
  }

  /// The first line of a file.
  static func password(_ path: String) throws(CommandFailure) -> String {
    do throws(StorageProblem) {
      guard let bytes = try ReplacedFile(path: path).read(limit: 4096) else { throw StorageProblem(path, "there is no such file") }
      return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    } catch { throw CommandFailure(CommandFailure.badInput, "\(error)") }
  }

  static func write(_ source: any FrameBufferSource, to path: String) throws(CommandFailure) {
    do throws(StorageProblem) { try PNGImage.write(source, to: path) } catch {
      throw CommandFailure(CommandFailure.badInput, "\(error)")
    }
  }
}
