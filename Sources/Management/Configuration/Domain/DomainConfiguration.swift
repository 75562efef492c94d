/// A domain as its administrator wants it: checked, and without anything that depends on the host.
public struct DomainConfiguration: Sendable, Equatable, Codable {
  public enum GuestKind: String, Sendable, Codable, CaseIterable {
    /// `builder = 'linux'`: the kernel knows that it is a domain.
    case paravirtualized = "pv"
    /// `builder = 'hvm'`: a machine of its own, by VT-i.
    case hardware = "hvm"
  }
  public enum BootDevice: String, Sendable, Codable, CaseIterable {
    case floppy = "a"
    case disk = "c"
    case optical = "d"
    case network = "n"
  }
  /// What is done when a domain ends.
  public enum EndAction: String, Sendable, Codable, CaseIterable {
    case destroy, restart, preserve
    case renameRestart = "rename-restart"
    /// These two only after a crash.
    case coredumpDestroy = "coredump-destroy"
    case coredumpRestart = "coredump-restart"
  }
  public enum ServerStart: String, Sendable, Codable, CaseIterable { case ignore, start }
  public enum ServerStop: String, Sendable, Codable, CaseIterable { case ignore, shutdown, suspend }
  /// Which regions of an HVM guest are known to be mapped one to one.
  public enum GuestSystem: String, Sendable, Codable, CaseIterable {
    case unknown = "default"
    /// Region 7.
    case linux
    /// Regions 4 and 5.
    case windows
  }

  public var name: String
  /// In lower case; nil: one is made up.
  public var uuid: String?
  public var kind = GuestKind.paravirtualized

  /// The guest's kernel, started without a firmware's boot loader.
  public var kernel: String?
  public var ramdisk: String?
  /// PV: assembled from `root`, `ip`, `nfs_root` and `extra`. HVM: `epicure_append`.
  public var commandLine = ""
  /// HVM: the file that Xen would start as firmware.
  public var firmware: String?
  /// HVM: the file that keeps the firmware's variables (`epicure_nvram`).
  public var firmwareVariables: String?
  /// HVM: the kernel's System.map, for reports about crashes (`epicure_system_map`).
  public var systemMap: String?
  /// PV: a program like pygrub that finds the kernel on the first disk.
  public var bootloader: String?
  public var bootloaderArguments: String?
  public var bootOrder = [BootDevice.disk]

  /// MiB at the start.
  public var memory = 128
  /// MiB that `mem-set` may not exceed.
  public var maximumMemory = 128

  public var virtualProcessors = 1
  /// Those that run from the start.
  public var onlineProcessors = ProcessorMask.first(1)
  /// Where each virtual processor may run: as many as there are virtual processors.
  public var affinity = [ProcessorMask.all]
  /// Of the credit scheduler.
  public var weight = 256
  /// Percent of a processor; 0: no limit.
  public var cap = 0
  /// The logarithm of the VHPT's size; 0: the hypervisor's choice.
  public var vhpt = 0
  public var guestSystem = GuestSystem.unknown

  public var disks: [DiskConfiguration] = []
  public var interfaces: [InterfaceConfiguration] = []
  public var scsiDevices: [SCSIDeviceConfiguration] = []
  public var framebuffers: [FramebufferConfiguration] = []
  /// HVM.
  public var screen = ScreenConfiguration()
  public var pciDevices: [PCIDeviceConfiguration] = []
  /// Where COM1 of an HVM guest leads: `pty`, `null`, `file:NAME`, ...; nil: nowhere.
  public var serial: String?

  public var acpi = true
  public var apic = true
  /// Whether the real-time clock starts with local time.
  public var hasLocalTime = false
  /// Seconds that are added to it.
  public var clockOffset = 0

  public var onPoweroff = EndAction.destroy
  public var onReboot = EndAction.restart
  public var onCrash = EndAction.restart
  public var onServerStart = ServerStart.ignore
  public var onServerStop = ServerStop.ignore

  public init(name: String) { self.name = name }
}
