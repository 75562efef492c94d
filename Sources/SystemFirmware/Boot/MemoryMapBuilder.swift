import Platform
import Processor

extension SystemFirmware {
  /// The EFI memory map at hand-off, in ascending order. `used` are ranges that the loader has filled, with their types.
  func efiMemoryMap(used: [(range: Range<UInt64>, type: EFIMemoryType)]) -> [EFIMemoryDescriptor] {
    let memory = EFIMemoryAttribute.memory
    let runtime = memory | EFIMemoryAttribute.runtime
    var map: [EFIMemoryDescriptor] = []
    for region in host.memory.ranges where region.lowerBound != FirmwareLayout.base {
      var position = region.lowerBound
      // Rounding may have carried a range past the end of memory.
      let inside = used.map { (range: $0.range.clamped(to: region), type: $0.type) }
      for part in inside.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) where !part.range.isEmpty {
        if part.range.lowerBound > position {
          map.append(EFIMemoryDescriptor(.conventional, position..<part.range.lowerBound, memory))
        }
        map.append(EFIMemoryDescriptor(part.type, part.range, part.type.isRuntime ? runtime : memory))
        position = part.range.upperBound
      }
      if position < region.upperBound { map.append(EFIMemoryDescriptor(.conventional, position..<region.upperBound, memory)) }
    }
    // With a video adapter there is no RAM where it shows its memory.
    let video = MemoryMap.videoMemory
    if !host.memory.isRAM(video.lowerBound, count: UInt64(video.count)) {
      map.append(EFIMemoryDescriptor(.memoryMappedIO, video, EFIMemoryAttribute.uncacheable))
    }
    // Device registers below the firmware: I/O SAPIC and interrupt block.
    map.append(EFIMemoryDescriptor(.memoryMappedIO, 0xFE00_0000..<FirmwareLayout.base, EFIMemoryAttribute.uncacheable))
    typealias F = FirmwareLayout
    map += [
      EFIMemoryDescriptor(.palCode, F.base..<F.base + image.palSize, runtime),
      EFIMemoryDescriptor(.runtimeServicesCode, F.base + image.palSize..<F.codeEnd, runtime),
      EFIMemoryDescriptor(.runtimeServicesData, F.data..<F.dataEnd, runtime),
      EFIMemoryDescriptor(.acpiReclaim, F.acpi..<F.acpiEnd, memory),
      EFIMemoryDescriptor(.acpiNVS, F.acpiNVS..<F.acpiNVSEnd, memory),
      EFIMemoryDescriptor(.runtimeServicesData, F.stacks..<F.end, runtime),
      EFIMemoryDescriptor(
        .portSpace, MemoryMap.portSpace..<MemoryMap.portSpace + MemoryMap.portSpaceSize,
        EFIMemoryAttribute.uncacheable | EFIMemoryAttribute.runtime),
    ]
    return map.sorted { $0.physical < $1.physical }
  }
}
