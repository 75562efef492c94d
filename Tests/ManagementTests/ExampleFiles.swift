/// Files such as those in Xen's tools/examples, written anew: every feature that those use.
enum ExampleFiles {
  /// In the manner of xmexample.vti and xmexample.hvm.
  static let hardware = """
    #  -*- mode: python; -*-
    #============================================================================
    # A domain with full virtualization.
    #============================================================================

    import os, re
    arch = os.uname()[4]
    if re.search('64', arch):
        arch_libdir = 'lib64'
    else:
        arch_libdir = 'lib'

    # The firmware, as Xen wants it.
    kernel = "/usr/lib/xen/boot/guest_firmware.bin"
    builder='hvm'
    memory = 256
    # shadow_memory = 8
    name = "ExampleVTIDomain"
    vcpus=2
    cpus = "0-3,5,^1" # run on cpus 0,2,3,5

    vif = [ 'type=ioemu, mac=00:16:3E:00:00:11, bridge=xenbr0, model=ne2k_pci' ]
    disk = [ 'file:/var/images/xenia64.img,hda,w', ',hdc:cdrom,r' ]

    on_poweroff = 'destroy'
    on_reboot   = 'restart'
    on_crash    = 'preserve'

    device_model = '/usr/' + arch_libdir + '/xen/bin/qemu-dm'
    boot="cd"
    sdl=0
    vnc=1
    vncpasswd=''
    stdvga=0
    serial='pty'
    usb=1
    usbdevice='tablet'
    keymap='ja'

    """

  /// In the manner of xmexample1 and xmexample2.
  static let paravirtual = """
    kernel = "/boot/vmlinuz-2.6.18-xenU"
    ramdisk = "/boot/initrd.gz"
    memory = 64 ; maxmem = 128
    vmid = 3
    name = "VM%d" % vmid
    uuid = "06ED00FE-1162-4fc4-b5d8-11993ee4a8b9"
    vcpus = 4 # make your domain a 4-way
    vif = [ '', 'mac=00:16:3e:00:00:11, bridge=xenbr1' ]
    vfb = [ 'type=vnc,vnclisten=0.0.0.0,vncunused=1' ]
    disk = [ 'phy:sda%d,sda1,w' % (7+vmid),
             'phy:sda6,sda6,r',
             'tap:aio:/images/data.img,xvda,w!' ]
    hostname= "vm%d" % vmid
    dhcp="dhcp"
    root = "/dev/sda1 ro"
    extra = "4 VMID=%d usr=/dev/sda6" % vmid
    """
}
