import Foundation
import TestSupport
import Testing

/// Linux on disks of all kinds, from the empty medium to the next boot; the host's file system tools look at what it left.
@Suite(
  "Linux on disks", .enabled(if: GuestTools.shouldRun(GuestTools.archive), GuestTools.advice),
  .enabled(
    if: HostTool.shouldRun("e2fsck", "debugfs", "fsck.fat", "mtype"), "skipped: `make test-packages` installs what is missing"),
  .serialized, .ends(withinMinutes: 10))
struct DiskTests {
  static let size: UInt64 = 96 << 20
  /// The partitions that the script makes: from sectors 2048 and 83968 on.
  static let firstStart: UInt64 = 2048 * 512
  static let secondStart: UInt64 = 83968 * 512

  private func image(in folder: TemporaryFolder) throws -> URL {
    let url = folder.url.appendingPathComponent("disk.img")
    _ = FileManager.default.createFile(atPath: url.path, contents: nil)
    try FileHandle(forWritingTo: url).truncate(atOffset: Self.size)
    return url
  }

  private func boot(
    _ script: String, disk: URL, bus: String, in folder: TemporaryFolder, files: [(String, URL)] = [], more: [String] = []
  ) throws -> Epicure.Result {
    var archive = GuestArchive()
    for (path, url) in files { archive.add(path, try Array(Data(contentsOf: url))) }
    let named = bus == "virtio" ? script.replacingOccurrences(of: "/dev/sda", with: "/dev/vda") : script
    archive.add(script: "set -e\n" + named, as: "script")
    let first = try Data(contentsOf: URL(fileURLWithPath: GuestTools.initramfs(in: folder)))
    let initrd = try folder.write("all.cpio", archive.behind(first))
    return try Epicure.run(
      [
        "boot", "--virtualization", "hvm", "--kernel", Guests.file("linux-6.1/vmlinux.gz").path, "--initrd", initrd, "--append",
        "console=ttyS0 run=sh_/script", "--disk", "\(disk.path),bus=\(bus)",
      ] + more, seconds: 600)
  }

  /// `dd` of one partition into a file of its own.
  private func partition(_ number: Int, of disk: URL, in folder: TemporaryFolder) throws -> URL {
    let url = folder.url.appendingPathComponent("partition\(number).img")
    let start = number == 1 ? Self.firstStart : Self.secondStart
    let end = number == 1 ? Self.secondStart : Self.size
    let answer = try HostTool.run(
      "dd",
      [
        "if=\(disk.path)", "of=\(url.path)", "bs=1M", "iflag=skip_bytes,count_bytes", "skip=\(start)", "count=\(end - start)",
        "conv=sparse",
      ])
    #expect(answer.status == 0, "\(answer.text)")
    return url
  }

  /// The value behind `name=` on a line of the console.
  private func value(_ name: String, in text: String) -> String? {
    text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }

  private static let partitionAndFormat = """
    printf 'o\\nn\\np\\n1\\n2048\\n83967\\nt\\nc\\nn\\np\\n2\\n83968\\n\\nw\\n' | fdisk /dev/sda >/dev/null
    /usr/sbin/mkfs.fat -F 32 /dev/sda1 >/dev/null
    mkfs.ext4 -q /dev/sda2
    mkdir -p /mnt/fat /mnt/ext
    mount -t vfat /dev/sda1 /mnt/fat
    mount -t ext4 /dev/sda2 /mnt/ext

    """

  @Test(arguments: ["ide", "scsi", "virtio", "virtio-scsi"])
  func partitionsFormatsFillsAndChecks(bus: String) throws {
    let folder = try TemporaryFolder()
    let disk = try image(in: folder)
    // A file in each file system, then as much as there is room for, until "No space left on device".
    let result = try boot(
      Self.partitionAndFormat + """
        dd if=/dev/urandom of=/mnt/ext/random bs=64k count=128 2>/dev/null
        dd if=/mnt/ext/random of=/mnt/fat/random bs=64k count=64 2>/dev/null
        dd if=/dev/zero of=/mnt/ext/rest bs=64k 2>/dev/null || echo "ext is full"
        dd if=/dev/zero of=/mnt/fat/rest bs=64k 2>/dev/null || echo "fat is full"
        sync
        echo 3 >/proc/sys/vm/drop_caches
        echo "ext=$(md5sum </mnt/ext/random)"
        echo "fat=$(md5sum </mnt/fat/random)"
        umount /mnt/ext /mnt/fat
        e2fsck -f -n /dev/sda2 && echo "ext is clean"
        fsck.fat -n /dev/sda1 && echo "fat is clean"
        dmesg | grep -iE 'error|exception|timeout|timed out|abort' | grep -v 'errors=' && echo "trouble" || true
        """, disk: disk, bus: bus, in: folder)
    #expect(result.status == 0, "\(result.errors)")
    let text = result.text.replacingOccurrences(of: "\r", with: "")
    for line in ["ext is full", "fat is full", "ext is clean", "fat is clean", "EPICURE GUEST EXIT 0"] {
      #expect(text.contains(line), "\(line)\n\(text.suffix(3000))")
    }
    #expect(!text.contains("\ntrouble"), "\(text.suffix(3000))")
    // The host reads the same.
    let ext = try partition(2, of: disk, in: folder)
    let fat = try partition(1, of: disk, in: folder)
    #expect(try HostTool.run("e2fsck", ["-f", "-n", ext.path]).status == 0)
    #expect(try HostTool.run("fsck.fat", ["-n", fat.path]).status == 0)
    let copies = ["ext", "fat"].map { folder.url.appendingPathComponent($0).path }
    _ = try HostTool.run("debugfs", ["-R", "dump /random \(copies[0])", ext.path])
    _ = try HostTool.run("mcopy", ["-n", "-i", fat.path, "::random", copies[1]])
    for (name, copy) in zip(["ext", "fat"], copies) {
      let sum = try HostTool.run("md5sum", [copy]).text.prefix(32)
      #expect(value(name, in: text)?.hasPrefix(sum) == true && sum.count == 32, "\(name): \(sum)")
    }
  }

  /// What Linux installs, the firmware boots: from power-on through GRUB to the shell, without a kernel from outside.
  @Test(
    .enabled(if: GuestTools.shouldRun("efi/grubia64.efi"), GuestTools.advice), arguments: ["ide", "scsi", "virtio", "virtio-scsi"])
  func bootsAgainFromTheDisk(bus: String) throws {
    let folder = try TemporaryFolder()
    let disk = try image(in: folder)
    let files = try [
      ("grub.efi", GuestTools.file("efi/grubia64.efi")), ("vmlinux.gz", Guests.file("linux-6.1/vmlinux.gz")),
      ("initrd", Guests.file("linux-6.1/initramfs.cpio.gz")),
    ]
    let result = try boot(
      Self.partitionAndFormat + """
        mkdir -p /mnt/fat/EFI/BOOT
        cp /grub.efi /mnt/fat/EFI/BOOT/BOOTIA64.EFI
        cp /vmlinux.gz /initrd /mnt/ext/
        cat >/mnt/fat/EFI/BOOT/grub.cfg <<'END'
        set timeout=0
        menuentry Linux {
          set root=(hd0,msdos2)
          linux /vmlinux.gz console=ttyS0
          initrd /initrd
        }
        END
        umount /mnt/ext /mnt/fat
        """, disk: disk, bus: bus, in: folder, files: files)
    #expect(result.status == 0 && result.text.contains("EPICURE GUEST EXIT 0"), "\(result.errors)\n\(result.text.suffix(2000))")
    let second = try Epicure.run(
      [
        "boot", "--virtualization", "hvm", "--disk", "\(disk.path),bus=\(bus)", "--until", "EPICURE GUEST READY",
        "--limit-seconds", "120",
      ],
      seconds: 600)
    #expect(second.status == 0, "\(second.errors)\n\(second.text.suffix(2000))")
  }
}
