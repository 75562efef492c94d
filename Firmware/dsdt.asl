// The machine's fixed devices. Processors are not here: their number is chosen at power-on, so the firmware generates an SSDT.
DefinitionBlock ("dsdt.aml", "DSDT", 2, "EPICUR", "EPICURE", 1)
{
    // Soft off. The sleep type is what the power management block takes for S5.
    Name (\_S5, Package () { 5, 5, 0, 0 })

    Scope (\_SB)
    {
        // The root of the PCI bus. Windows and wiring are those of MemoryMap and PCIRoot in Sources/Platform.
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_SEG, 0)
            Name (_BBN, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
                // The board's fixed ports of a PCI function: the IDE controller's.
                DWordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0170, 0x0177, 0, 0x0008)
                DWordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x01F0, 0x01F7, 0, 0x0008)
                DWordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0374, 0x0377, 0, 0x0004)
                DWordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x03F4, 0x03F7, 0, 0x0004)
                DWordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x1000, 0xFFFF, 0, 0xF000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0x80000000, 0xFDFFFFFF, 0, 0x7E000000)
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0xE0000000000, 0xEFFFFFFFFFF, 0, 0x10000000000)
            })
            // Pin p (0 to 3) of device d is input 16 + (4 d + p) mod 48 of the I/O SAPIC.
            Method (_PRT, 0, Serialized)
            {
                Name (WIRE, Package (128) {})
                Local0 = 0
                While (Local0 < 128)
                {
                    // Linux evaluates no expressions inside of a package.
                    Local1 = Package (4) { 0, 0, 0, 0 }
                    Local1 [0] = ((Local0 >> 2) << 16) | 0xFFFF
                    Local1 [1] = Local0 & 3
                    Local1 [3] = 16 + (Local0 % 48)
                    WIRE [Local0] = Local1
                    Local0++
                }
                Return (WIRE)
            }
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 0)
            Name (_DDN, "COM1")
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x3F8, 0x3F8, 1, 8)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 4 }
            })
        }
    }
}
