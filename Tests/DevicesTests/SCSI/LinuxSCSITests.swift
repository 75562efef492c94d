import Devices
import HostResources
import TestSupport
import Testing

/// Linux 6.1's sym53c8xx, sd and sr, unmodified: the oracle for controller and targets, and for what happens when something fails.
@Suite("Linux on SCSI disks", .enabled(if: LinuxBench.shouldRun, LinuxBench.advice), .ends(withinMinutes: 5)) struct LinuxSCSITests
{
  /// Words that the drivers use when something is wrong.
  private static let trouble = [
    "abort", "timeout", "timed out", "failed", "unexpected", "unknown", "suspicious", "extraneous", "reset occurred", "I/O error",
    "Sense Key", "DRIVER",
  ]
  private func troubles(_ text: String) -> [Substring] {
    text.split(whereSeparator: \.isNewline).filter { line in
      (line.contains("sym0") || line.contains("sd ") || line.contains("sr ") || line.contains("scsi"))
        && Self.trouble.contains { line.contains($0) } && !line.contains("Power-on or device reset occurred")
    }
  }

  /// Probing, negotiation, sizes; then many commands at once on two disks, with verification by fio.
  @Test func probesAndVerifies() throws {
    let bench = try LinuxBench(
      script: """
        F="--direct=1 --ioengine=psync --verify=crc32c --do_verify=1 --verify_fatal=1 --group_reporting --thread"
        fio $F --name=v --filename=/dev/sda --rw=randrw --bs=4k --size=256k --numjobs=16 --offset_increment=1m | grep err=
        fio $F --name=w --filename=/dev/sdb --rw=write --bs=256k --size=1m --numjobs=4 --offset_increment=2m | grep err=
        fio $F --size=256k --rw=randrw --bsrange=512-96k --numjobs=6 --offset_increment=1m --name=x --filename=/dev/sda \
          --name=y --filename=/dev/sdb | grep err=
        dd if=/dev/sr0 of=/dev/sdb bs=64k seek=128 conv=fsync 2>/dev/null
        blockdev --getsize64 /dev/sda /dev/sdb /dev/sr0
        """)
    let disks = [MemoryStorage(blocks: 65536), MemoryStorage(blocks: 32768)]
    let disc = MemoryStorage(blocks: 2048)
    disc.isReadOnly = true
    for n in disc.bytes.indices { disc.bytes[n] = UInt8(truncatingIfNeeded: n &* 31 ^ n >> 9) }
    try bench.scsi.bus.attach(SCSIDisk(storage: disks[0]), id: 0)
    try bench.scsi.bus.attach(SCSIDisk(storage: disks[1]), id: 10)
    try bench.scsi.bus.attach(SCSICDROM(storage: disc), id: 5)
    #expect(bench.run(seconds: 60))
    let text = bench.text
    for expected in [
      "sym0: <895a> rev 0x1", "sym0: No NVRAM, ID 7, Fast-40, LVD, parity checking",
      "FAST-40 WIDE SCSI 80.0 MB/s ST (25 ns, offset 31)", "tagged command queuing enabled, command queue depth 16",
      "[sda] 65536 512-byte logical blocks: (33.6 MB/32.0 MiB)", "[sdb] 32768 512-byte logical blocks",
      "Write cache: enabled, read cache: enabled, supports DPO and FUA", "sr 0:0:5:0: Attached scsi generic sg1 type 5",
    ] { #expect(bench.says(expected), "\(expected)") }
    let successes = text.components(separatedBy: "err= 0").count - 1
    #expect(successes == 3, "\(bench.end)")
    #expect(troubles(text) == [])
    let isCopied = disks[1].bytes[128 * 65536..<128 * 65536 + disc.bytes.count].elementsEqual(disc.bytes)
    #expect(isCopied)
    let statistics = bench.scsi.statistics
    #expect(statistics.reselections > 500)
    // Transfers of 256 KiB are interrupted: the driver continues them from the phase mismatch registers.
    #expect(statistics.phaseMismatches > 10)
    #expect(disks[0].flushes > 0)
  }

  /// A block that cannot be read is EIO for whoever reads it, and the disk goes on.
  @Test func mediumErrors() throws {
    let bench = try LinuxBench(
      script: """
        echo BREAK
        dd if=/dev/sda of=/dev/null bs=4k skip=25 count=1 iflag=direct && echo WRONG
        dd if=/dev/sda of=/dev/null bs=4k skip=26 count=10 iflag=direct && echo AFTER
        dd if=/dev/zero of=/dev/sda bs=4k seek=50 count=1 oflag=direct && echo WRONG
        dd if=/dev/zero of=/dev/sda bs=4k seek=60 count=1 oflag=direct && echo WRITTEN
        """)
    let storage = MemoryStorage(blocks: 8192)
    try bench.scsi.bus.attach(SCSIDisk(storage: storage), id: 0)
    bench.lineEnded = { line in
      if line == "BREAK" {
        storage.unreadable = [203]
        storage.unwritable = [402: .noSpace]
      }
    }
    #expect(bench.run(seconds: 120))
    #expect(!bench.says("WRONG"))
    #expect(bench.says("AFTER"))
    #expect(bench.says("WRITTEN"))
    #expect(bench.says("critical medium error, dev sda, sector 20"), "\(bench.end)")
  }

  /// Linux reads from a disk whose target loses the first command; `deaf`: and from then on hears nothing more.
  private func readThrough(deaf: Bool, seconds: UInt64) throws -> LinuxBench {
    let bench = try LinuxBench(
      script: """
        echo BREAK
        dd if=/dev/sda of=/dev/null bs=4k count=8 iflag=direct && echo SURVIVED
        """)
    let target = try bench.scsi.bus.attach(SCSIDisk(storage: MemoryStorage(blocks: 8192)), id: 0)
    bench.lineEnded = { line in
      guard line == "BREAK" else { return }
      var once = true
      target.forgets = { _ in
        if once && deaf { target.isDeaf = true }
        defer { once = false }
        return once
      }
    }
    #expect(bench.run(seconds: seconds))
    #expect(bench.says("SURVIVED"), "\(bench.end)")
    return bench
  }

  /// A command that is never answered: the driver's time runs out, ABORT, and the command is tried again.
  @Test func lostCommand() throws {
    let bench = try readThrough(deaf: false, seconds: 300)
    #expect(bench.says("ABORT operation complete"), "\(bench.end)")
  }

  /// A target that hangs: the driver resets the bus itself when nobody answers its abort.
  @Test func hungTarget() throws {
    let bench = try readThrough(deaf: true, seconds: 600)
    #expect(bench.says("SCSI BUS reset detected") && bench.says("ABORT operation complete"), "\(bench.end)")
  }
}
