import HostResources
import Testing

@Suite struct DiskSpecificationTests {
  @Test func options() throws {
    let plain = try DiskSpecification(parsing: "disk.img")
    #expect(plain == DiskSpecification(file: "disk.img"))
    var all = DiskSpecification(file: "a,b.qcow2")
    all.bus = .scsi
    all.format = .qcow2
    all.overlay = .file("o,v")
    all.cache = .writethrough
    all.serial = "X 1"
    #expect(
      try DiskSpecification(parsing: "file=a,,b.qcow2,bus=scsi,format=qcow2,overlay=o,,v,cache=writethrough,serial=X 1") == all)
    #expect(try DiskSpecification(parsing: "x,readonly").isReadOnly)
    #expect(try !DiskSpecification(parsing: "x,readonly=off").isReadOnly)
    #expect(try DiskSpecification(parsing: "x,snapshot=on").overlay == .temporary)
    let cd = try DiskSpecification(parsing: "x.iso,cd")
    #expect(cd.isCD && cd.isReadOnly)
    #expect(try DiskSpecification(parsing: "x.iso,media=cdrom") == cd)
    #expect(try DiskSpecification(parsing: "nbd://host:10809/name").isRemote)
    let virtio = try DiskSpecification(parsing: "x,transport=modern,bus=virtio-scsi")
    #expect(virtio.bus == .virtioSCSI && virtio.interface == .modern)
    #expect(try DiskSpecification(parsing: "x,bus=virtio").interface == nil)
    #expect(try DiskSpecification(parsing: "a,,").file == "a,")
  }

  @Test func volumes() throws {
    var mirror = DiskSpecification(file: "a")
    mirror.mirror = "b"
    mirror.record = "c"
    mirror.partition = 2
    #expect(try DiskSpecification(parsing: "a,mirror=b,record=c,partition=2") == mirror)
    var paths = DiskSpecification(file: "nbd://a/x")
    paths.paths = ["nbd://b/x", "c"]
    paths.policy = .roundRobin
    paths.queueSeconds = 30
    #expect(try DiskSpecification(parsing: "nbd://a/x,path=nbd://b/x,path=c,policy=round-robin,queue=30") == paths)
    paths.resolve { "/f/" + $0 }
    #expect(paths.file == "nbd://a/x" && paths.paths == ["nbd://b/x", "/f/c"])
    mirror.resolve { "/f/" + $0 }
    #expect([mirror.file, mirror.mirror, mirror.record] == ["/f/a", "/f/b", "/f/c"])
  }

  @Test(arguments: [
    ("", "no file is named"), (",bus=ide", "no file is named"), ("file=", "no file is named"),
    ("x,bus=usb", "bus=usb: bus is one of ide, scsi, vbd, vscsi, virtio, virtio-scsi"),
    ("x,bus", "bus is one of ide, scsi, vbd, vscsi, virtio, virtio-scsi"),
    ("x,format=iso", "format=iso: format is one of raw, qcow2, qcow, qed, vdi, vhdx, vmdk, vpc, parallels"),
    ("x,cache=none", "cache=none: cache is one of writeback, writethrough, unsafe"),
    ("x,readonly=maybe", "readonly is on or off"), ("x,readonly,readonly", "\"readonly\" is there twice"),
    ("x,overlay", "overlay needs a file: overlay=FILE"), ("x,overlay=y,snapshot=on", "snapshot and overlay exclude each other"),
    ("x,cd,snapshot=on", "nothing is written to a CD: it has no snapshot or overlay"),
    ("x,readonly,overlay=y", "readonly, and snapshot or overlay, exclude each other"),
    ("x,serial=", "a serial number is 1 to 20 ASCII characters"),
    ("x,serial=123456789012345678901", "a serial number is 1 to 20 ASCII characters"),
    ("nbd://h,format=qcow2", "the server of an NBD address has the format: only raw is left"),
    ("x,", "an option is empty; a comma in a file's name is written twice"), ("x,media=tape", "media is disk or cdrom"),
    ("x,mirror", "mirror needs a file: mirror=FILE"), ("x,record=y", "record is an option of mirror=FILE"),
    ("x,queue=3", "policy and queue are options of path=FILE"), ("x,partition=0", "partition is a number from 1 to 1024"),
    ("x,path=y,policy=least", "policy=least: policy is one of round-robin, failover"),
    ("x,path=y,queue=-1", "queue is a number from 1 to 3600"),
    (
      "x,mirror=y,overlay=z",
      "an overlay that is kept lies on one file, not on a partition, a mirror or several paths; snapshot=on does"
    ),
    ("x,bus=virtio,transport=old", "transport is one of transitional, modern"),
    ("x,transport=modern", "transport is for bus=virtio and bus=virtio-scsi"),
  ]) func mistakes(_ text: String, _ message: String) {
    #expect(problem { _ = try DiskSpecification(parsing: text) } == message)
  }

  @Test func unknownOption() {
    #expect(
      problem { _ = try DiskSpecification(parsing: "my,disk.img") }.hasPrefix("there is no option \"disk.img\"; the options are"))
  }
}
