import Management
import Testing

@Suite struct DeviceSpecificationTests {
  /// xl-disk-configuration(5) and xmdomain.cfg(5).
  private func disk(_ text: String) throws -> DiskConfiguration { try DiskConfiguration(parsing: text) }

  private func refusal(_ text: String) -> String? {
    do {
      _ = try disk(text)
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// "These strings are equivalent", says the manual.
  @Test(arguments: [
    "/dev/vg/guest-volume,,hda", "/dev/vg/guest-volume,raw,hda,rw", "format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume",
    "raw:/dev/vg/guest-volume,hda,w", "phy:/dev/vg/guest-volume,hda,w", "phy:vg/guest-volume,ioemu:hda,w",
    "phy:vg/guest-volume,hda:disk,w,0",
  ]) func volume(_ text: String) throws {
    let disk = try disk(text)
    #expect(disk.target == "/dev/vg/guest-volume" && disk.backend == .physical && disk.format == .raw)
    #expect(disk.device.name == "hda" && disk.access == .readWrite && !disk.isOptical)
    #expect(disk.isEmulatedOnly == text.contains("ioemu") && disk.backendDomain == (text.hasSuffix(",0") ? "0" : nil))
  }

  @Test(arguments: [
    "/root/image.iso,,hdc,cdrom", "/root/image.iso,,hdc,,cdrom", "/root/image.iso,raw,hdc,devtype=cdrom",
    "format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso", "raw:/root/image.iso,hdc:cdrom,ro",
    "file:/root/image.iso,hdc:cdrom,r", "file:/root/image.iso,ioemu:hdc:cdrom,w",
  ]) func image(_ text: String) throws {
    let disk = try disk(text)
    #expect(disk.target == "/root/image.iso" && disk.backend == .file && disk.format == .raw)
    #expect(disk.device.name == "hdc" && disk.access == .readOnly && disk.isOptical)
  }

  @Test func emptyDrives() throws {
    for text in [",hdc:cdrom,r", ",,hdc,cdrom", "vdev=hdc,cdrom", ",,hdc,,devtype=cdrom"] {
      let disk = try disk(text)
      #expect(disk.target == nil && disk.isOptical && disk.device.name == "hdc" && disk.uname == "", "\(text)")
    }
  }

  @Test func formats() throws {
    let aio = try disk("tap:aio:/images/a.img,xvda,w!")
    #expect(aio.backend == .tap && aio.format == .raw && aio.target == "/images/a.img" && aio.access == .shared)
    let qcow = try disk("tap:qcow2:/images/b,sda,w")
    #expect(qcow.format == .qcow2 && qcow.device.bus == .scsi && qcow.uname == "tap:qcow2:/images/b")
    #expect(try disk("tap:tapdisk:aio:/a,xvda,r").target == "/a")
    #expect(try disk("tap2:vhd:/a,xvda,r").format == .vhd)
    let xl = try disk("/images/c, qcow2, xvdb, ro")
    #expect(xl.backend == .tap && xl.format == .qcow2 && xl.access == .readOnly)
    #expect(try disk("qcow2:/images/c,xvdb,w").format == .qcow2)
    #expect(try disk("vdev=xvda,target=/a=b, with,commas:and colons ").target == "/a=b, with,commas:and colons ")
    #expect(try disk("/a,,xvda,backendtype=phy,discard,backend=domD").backendDomain == "domD")
    let network = try disk("nbd:server:10809,hda,w")
    #expect(network.backend == .network && network.target == "nbd:server:10809" && network.uname == "nbd:server:10809")
    #expect(try disk("relative/file.img,raw,hda").target == "relative/file.img")
  }

  @Test(arguments: [
    ("phy:/dev/sda,hda", "the disk has no vdev, like hda"),
    ("phy:/dev/sda,zzz,w", "expected a device like hda, sda1 or xvda, found 'zzz'"),
    ("phy:/dev/sda,hda,x", "expected r, w or w! as the mode, found 'x'"), ("phy:,hda,w", "'phy:' names no file"),
    (",hda,w", "the disk hda has no file; only a CD drive may be empty"),
    ("iscsi:target,hda,w", "expected phy:, file:, tap:aio:, tap:qcow2: or nbd: before the file, found 'iscsi:'"),
    ("tap:/a,hda,w", "expected tap:TYPE:FILE, found 'tap:/a'"),
    ("tap:ram:/a,hda,w", "expected one of aio, sync, raw, qcow, qcow2, vhd, vmdk, qed behind tap:, found 'ram'"),
    ("/a,zip,hda,rw", "expected a device like hda, sda1 or xvda, found 'zip'"),
    ("/a,raw,hda,rw,more", "'more' is one part too many"),
    ("/a,raw,hda,format=raw", "the format is there twice"),
    ("/a,raw,hda,colour=red", "a disk has no option 'colour'; the options are"),
    ("vdev=hda,script=nbd,target=x", "script=: scripts of the host are not run"),
    ("phy:/a,hdc:tape,r", "expected cdrom or disk behind hdc:, found 'tape'"),
    ("", "the disk has no vdev, like hda"),
    ("format=vhdx,vdev=hda,target=/a", "expected one of raw, qcow, qcow2, vhd, vmdk, qed, found 'vhdx'"),
    ("nbd:,hda,w", "'nbd:' has no address"),
  ]) func wrongDisks(_ text: String, _ expected: String) {
    let message = refusal(text)
    #expect(message?.hasPrefix(expected) == true, "\(message ?? "accepted")")
  }

  /// xen-vbd-interface(7), and Linux's numbers for the disks beyond it.
  @Test(
    arguments: [
      ("xvda", 202 << 8), ("xvdb2", 202 << 8 | 1 << 4 | 2), ("d1p2", 202 << 8 | 1 << 4 | 2), ("xvdq", 1 << 28 | 16 << 8),
      ("d536p37", 1 << 28 | 536 << 8 | 37), ("xvdtq37", 1 << 28 | 536 << 8 | 37), ("sdb3", 8 << 8 | 1 << 4 | 3),
      ("hdc2", 22 << 8 | 2),
      ("hda1", 0x301), ("hdb", 0x340), ("sdq", 65 << 8), ("sdaa", 65 << 8 | 10 << 4), ("hdt63", 91 << 8 | 64 | 63),
      ("/dev/sda1", 0x801),
      ("0x301", 0x301), ("769", 769), ("51712", 202 << 8),
    ] as [(String, UInt32)]) func deviceNumbers(_ name: String, _ number: UInt32) throws
  {
    #expect(try VirtualDevice(parsing: name).number == number)
  }

  @Test(arguments: [
    "", "hd", "hdu", "hda64", "sda16", "sda01", "xvda256", "xvd1", "sdzzz", "nvme0", "d", "d1p", "dp1", "0x", "-1", "0x-3",
    "999999999999", "HDA",
  ])
  func noDevices(_ name: String) {
    #expect((try? VirtualDevice(parsing: name)) == nil)
  }

  @Test func interfaces() throws {
    let vif = try InterfaceConfiguration(
      parsing:
        "type=netfront, mac=0:16:3e:0:a:FF, bridge = br0, ip=10.0.0.2, script=vif-nat, backend=1, vifname=v0, rate=10Mb/s, accel=x")
    #expect(vif.kind == .paravirtual && vif.address == "00:16:3e:00:0a:ff" && vif.bridge == "br0" && vif.ip == "10.0.0.2")
    #expect(vif.script == "vif-nat" && vif.backendDomain == "1" && vif.interfaceName == "v0" && vif.rate == "10Mb/s")
    #expect(try InterfaceConfiguration(parsing: "") == InterfaceConfiguration())
    #expect(try InterfaceConfiguration(parsing: "type=vif").kind == .paravirtual)
    #expect(try InterfaceConfiguration(parsing: "rate=1MB/s@20ms").rate == "1MB/s@20ms")
    for wrong in [
      "mac=00:16:3e:00:00", "mac=01:16:3e:00:00:11", "mac=00:00:00:00:00:00", "mac=00:16:3e:00:00:1g", "type=wifi", "rate=fast",
      "rate=1MB",
      "mac=00:16:3e:00:00:11,mac=00:16:3e:00:00:12", "bridge", "mac=00:16:3e:00:00:111",
    ] {
      #expect((try? InterfaceConfiguration(parsing: wrong)) == nil, "\(wrong)")
    }
  }

  @Test func masks() throws {
    #expect(ProcessorMask(bits: 0).description == "none" && ProcessorMask.all.description == "all")
    #expect(ProcessorMask(bits: 0b1101111).description == "0-3,5-6" && ProcessorMask(bits: 1 << 63 | 1).description == "0,63")
    for bits: UInt64 in [0, 1, 0b1010, 0xFF00, .max, 1 << 63] {
      #expect(try ProcessorMask(parsing: ProcessorMask(bits: bits).description).bits == bits)
    }
    // xend: "0-3,^1,1" has 1 again.
    #expect(try ProcessorMask(parsing: "0-3,^1,1").bits == 15)
  }

  /// xm's int_unit() with 'm'.
  @Test(arguments: [("512", 512), ("512M", 512), ("512m", 512), ("2G", 2048), ("2048k", 2), ("2047K", 1)]) func memory(
    _ text: String, _ mebibytes: Int
  ) throws {
    #expect(try MemoryAmount(parsing: text).mebibytes == mebibytes)
  }

  @Test(arguments: ["", "M", "0", "1023K", "-5", "+5", "1.5G", "5T", "12 M", "99999999999999999999", "99999999999999G", "0x10"])
  func wrongMemory(_ text: String) {
    #expect((try? MemoryAmount(parsing: text)) == nil)
  }
}
