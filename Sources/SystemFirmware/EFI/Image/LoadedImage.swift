/// An image that LoadImage has placed in memory.
struct LoadedImage: Sendable, Equatable, Codable {
  var base: UInt64
  var size: UInt64
  /// Pages that hold it.
  var pages: Range<UInt64>
  /// The entry point's function descriptor.
  var entry: UInt64
  var subsystem: PEImage.Subsystem
  /// The Loaded Image interface, and the pool memory that goes with it.
  var interface: UInt64
  var belongings: [UInt64]
  var parent: UInt64
  var isStarted = false
  /// What Exit has left for StartImage's caller.
  var exitData: (UInt64, UInt64) {
    get { (exitDataSize, exitDataAddress) }
    set { (exitDataSize, exitDataAddress) = newValue }
  }
  private var exitDataSize: UInt64 = 0
  private var exitDataAddress: UInt64 = 0

  init(
    base: UInt64, size: UInt64, pages: Range<UInt64>, entry: UInt64, subsystem: PEImage.Subsystem, interface: UInt64,
    belongings: [UInt64], parent: UInt64
  ) {
    (self.base, self.size, self.pages, self.entry) = (base, size, pages, entry)
    (self.subsystem, self.interface, self.belongings, self.parent) = (subsystem, interface, belongings, parent)
  }
}
