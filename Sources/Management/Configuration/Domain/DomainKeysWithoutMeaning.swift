/// Keys that files have and that change nothing here, and why.
extension DomainKey {
  static let withoutMeaning = table.flatMap { note, names in
    names.split(separator: " ").map { DomainKey(name: String($0), kind: .ignored(note)) }
  }

  private static let table: [(note: String, names: String)] = [
    (
      "Epicure has its own device models",
      "device_model device_model_version device_model_override device_model_args xen_platform_pci"
    ),
    ("Epicure makes its own page tables; Xen ignored it on ia64, too", "shadow_memory hap oos pae"),
    (
      "the guest's screen is seen with VNC only, and there is one kind of adapter",
      "sdl vncviewer vncconsole nographic videoram opengl display xauthority gfx_passthru spice"
    ),
    ("clients say which symbol a key has, and there is no emulator's monitor", "keymap monitor monitor_path"),
    ("there is no such device on this server", "isa soundhw usb usbdevice usbport vusb fda fdb parallel vtpm"),
    ("devices of the host are not handed out by port or interrupt line", "ioports irq pci_msitranslate pci_power_mgmt"),
    ("domain 0 of this server is Epicure itself", "blkif netif tpmif"),
    ("there are no security labels", "access_control"),
    ("an empty entry of vif does the same", "nics"),
    ("for x86 processors", "cpuid cpuid_check hpet viridian timer_mode tsc_mode vpt_align nestedhvm nx machine_address_size"),
    ("for x86 processors", "suppress_spurious_page_faults s3_integrity"),
    (
      "nothing here depends on it",
      "features bootentry description target pool superpages memory_sharing nomigrate snapshot full-screen"
    ),
  ]
}
