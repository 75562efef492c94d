// The machine's fixed devices. Processors are not here: their number is chosen at power-on, so the firmware generates an SSDT.
DefinitionBlock ("dsdt.aml", "DSDT", 2, "EPICUR", "EPICURE", 1)
{
    // Soft off. The sleep type is what the power management block takes for S5.
    Name (\_S5, Package () { 5, 5, 0, 0 })

    Scope (\_SB)
    {
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
