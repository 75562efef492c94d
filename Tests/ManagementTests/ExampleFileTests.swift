import Management
import TestSupport
import Testing

@Suite struct ExampleFileTests {
  @Test func hardwareDomain() throws {
    let file = try read(ExampleFiles.hardware)
    let domain = file.configuration
    #expect(domain.name == "ExampleVTIDomain" && domain.kind == .hardware && domain.memory == 256 && domain.maximumMemory == 256)
    #expect(domain.firmware == "/usr/lib/xen/boot/guest_firmware.bin" && domain.kernel == nil)
    #expect(domain.virtualProcessors == 2 && domain.onlineProcessors.bits == 3)
    #expect(domain.affinity.map(\.bits) == [0b101101, 0b101101])
    #expect(domain.weight == 256 && domain.cap == 0)
    let vif = try #require(domain.interfaces.first)
    #expect(domain.interfaces.count == 1 && vif.kind == .emulated && vif.bridge == "xenbr0" && vif.model == "ne2k_pci")
    #expect(vif.address == "00:16:3e:00:00:11")
    try #require(domain.disks.count == 2)
    #expect(
      domain.disks[0].backend == .file && domain.disks[0].target == "/var/images/xenia64.img"
        && domain.disks[0].access == .readWrite)
    #expect(domain.disks[0].device.name == "hda" && domain.disks[0].device.number == 0x300 && !domain.disks[0].isOptical)
    #expect(domain.disks[1].target == nil && domain.disks[1].isOptical && domain.disks[1].access == .readOnly)
    #expect(domain.disks[1].device.name == "hdc" && domain.disks[1].device.number == 22 << 8)
    #expect(domain.onPoweroff == .destroy && domain.onReboot == .restart && domain.onCrash == .preserve)
    #expect(domain.bootOrder == [.disk, .optical] && domain.serial == "pty" && domain.acpi && domain.apic)
    #expect(domain.screen.isShown && !domain.screen.hasAdapter && domain.screen.password == nil)
    #expect(file.warnings.isEmpty)
    #expect(
      file.ignored.map { "\($0.key)\($0.isRelevant ? "!" : "")" } == [
        "device_model!", "sdl", "usb!", "usbdevice!", "keymap!",
      ])
    #expect(file.ignored[0].description == "/etc/xen/guest:29: device_model: Epicure has its own device models")
  }

  @Test func paravirtualDomain() throws {
    let file = try read(ExampleFiles.paravirtual)
    let domain = file.configuration
    #expect(domain.name == "VM3" && domain.kind == .paravirtualized && domain.uuid == "06ed00fe-1162-4fc4-b5d8-11993ee4a8b9")
    #expect(domain.kernel == "/boot/vmlinuz-2.6.18-xenU" && domain.ramdisk == "/boot/initrd.gz" && domain.firmware == nil)
    #expect(
      domain.memory == 64 && domain.maximumMemory == 128 && domain.virtualProcessors == 4 && domain.onlineProcessors.bits == 15)
    #expect(domain.affinity == Array(repeating: .all, count: 4))
    // XendConfig.py: root, then ip, then the rest.
    #expect(domain.commandLine == "root=/dev/sda1 ro ip=:1.2.3.4:::vm3:eth0:dhcp 4 VMID=3 usr=/dev/sda6")
    #expect(domain.disks.map(\.uname) == ["phy:/dev/sda10", "phy:/dev/sda6", "tap:aio:/images/data.img"])
    #expect(domain.disks.map(\.device.number) == [0x801, 0x806, 202 << 8])
    #expect(domain.disks.map(\.access) == [.readWrite, .readOnly, .shared])
    #expect(domain.interfaces.map(\.address) == [nil, "00:16:3e:00:00:11"])
    #expect(domain.framebuffers.map(\.kind) == [.vnc] && domain.framebuffers[0].listen == "0.0.0.0")
    // `vmid` is used by the script: no misspelling.
    #expect(file.warnings.isEmpty && file.ignored.isEmpty)
  }

  @Test func defaults() throws {
    let domain = try read("kernel = '/boot/vmlinux'", file: "/etc/xen/small").configuration
    var expected = DomainConfiguration(name: "small")
    expected.kernel = "/boot/vmlinux"
    #expect(domain == expected)
    // Section 9.1 of the reference.
    #expect(domain.memory == 128 && domain.maximumMemory == 128 && domain.virtualProcessors == 1 && domain.vhpt == 0)
    #expect(domain.onPoweroff == .destroy && domain.onReboot == .restart && domain.onCrash == .restart)
    #expect(
      domain.onServerStart == .ignore && domain.onServerStop == .ignore && domain.bootOrder == [.disk] && domain.serial == nil)
  }

  @Test func json() throws {
    for text in [ExampleFiles.hardware, ExampleFiles.paravirtual] {
      let domain = try read(text).configuration
      let json = try ManagementJSON.text(domain)
      #expect(try ManagementJSON.value(DomainConfiguration.self, from: json) == domain)
    }
    let json = try ManagementJSON.text(try read(ExampleFiles.hardware).configuration)
    for line in [
      #""kind" : "hvm","#, #""memory" : 256,"#, #""online_processors" : "0-1","#, #""on_crash" : "preserve","#, #""0,2-3,5""#,
      #""virtual_processors" : 2"#,
    ] {
      #expect(json.contains(line), "\(line)")
    }
  }

  @Test func commandLine() throws {
    let domain = try read(
      "kernel = '/k'; memory = 64; name = 'a%d' % number", "memory=256", "number=7", "extra=4 console=hvc0", "disk=phy:sda1,xvda,w",
      "disk=file:/b,xvdb,r", "on_crash=destroy", "cpus=0-1", "uuid=06ed00fe-1162-4fc4-b5d8-11993ee4a8b9", "serial=", "vif="
    ).configuration
    #expect(domain.name == "a7" && domain.memory == 256 && domain.commandLine == "4 console=hvc0" && domain.onCrash == .destroy)
    #expect(domain.disks.map(\.uname) == ["phy:/dev/sda1", "file:/b"])
    #expect(domain.affinity == [ProcessorMask(bits: 3)] && domain.uuid == "06ed00fe-1162-4fc4-b5d8-11993ee4a8b9")
    #expect(domain.interfaces == [InterfaceConfiguration()])
    #expect(try read("kernel = '/k'", "disk=['phy:sda1,xvda,w', 'phy:sda2,xvdb,w']").configuration.disks.count == 2)
    #expect(try read("kernel = '/k'", "cpus=[0, '1-2']", "vcpus=2").configuration.affinity.map(\.bits) == [1, 6])
    #expect(try read("kernel = '/k'", "extra=5").configuration.commandLine == "5")
    #expect(try read("kernel = '/k'", "extra='5'").configuration.commandLine == "5")
    // int() of an argument, as xm's set_int() takes it.
    #expect(try read("kernel = '/k'", "memory=0256").configuration.memory == 256)
    #expect(try read("kernel = '/k'; vcpus = 8", "vcpu_avail=0x0F").configuration.onlineProcessors.bits == 15)
    #expect(refusal("kernel = '/k'", "memory=lots") == "command line: memory: expected an integer from 1 to 16777216, found 'lots'")
    #expect(refusal("kernel = '/k'", "memory") == "command line: 'memory' is not of the form name=value")
    #expect(refusal("kernel = '/k'", "2x=1") == "command line: '2x' cannot be the name of a setting")
    #expect(refusal("kernel = '/k'", "if=1") == "command line: 'if' cannot be the name of a setting")
    #expect(
      try read("kernel = '/k'", "memroy=64").warnings.map(\.description) == ["command line: memroy: not a known key; is it memory?"]
    )
    #expect(try read("kernel = '/k'; extra = 'a' * n", "n=2").warnings == [])
  }

  @Test(.ends(withinMinutes: 1)) func manyUnknownKeys() throws {
    let file = try read("kernel = '/k'\n" + (0..<60_000).map { "memor\($0) = 1\n" }.joined())
    #expect(file.warnings.count == 100)
  }

  /// A message is one line of a terminal that stays as it was.
  @Test func messagesAreHarmless() {
    let message = refusal("builder = '\\x1b[2J\\n\u{2028}\u{202E}\u{85}" + String(repeating: "a", count: 10_000) + "'") ?? ""
    #expect(message.unicodeScalars.count < 600 && message.hasPrefix("/etc/xen/guest:1: builder: "))
    #expect(!message.unicodeScalars.contains { $0.value < 32 || [0x85, 0x2028, 0x202E].contains($0.value) })
  }

  @Test func unknownKeys() throws {
    let file = try read("kernel = '/k'\nmemroy = 64\nzzz = 1\n_helper = 2\nused = 3\nextra = '%d' % used\nimport os\n")
    #expect(
      file.warnings.map(\.description) == [
        "/etc/xen/guest:2: memroy: not a known key; is it memory?", "/etc/xen/guest:3: zzz: not a known key",
      ])
    #expect(
      refusal("kernel = '/k'\n", file: "/etc/xen/my guest")?.hasPrefix(
        "/etc/xen/my guest: name: there is none, and the file's name cannot be one") == true)
  }
}
