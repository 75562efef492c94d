/* PCI configuration space, through SAL. */
#include "iobench.h"

#define CONFIG_READ 0x01000010
#define CONFIG_WRITE 0x01000011
extern u64 sal_entry, sal_gp;

u32 pci_read(u32 address, u32 reg, u32 size) {
  u64 arguments[5] = {CONFIG_READ, address | reg, size, 0, 0}, value = ~0UL;
  return call_sal(sal_entry, sal_gp, arguments, &value) ? ~0U : value;
}

void pci_write(u32 address, u32 reg, u32 size, u32 value) {
  u64 arguments[5] = {CONFIG_WRITE, address | reg, size, value, 0}, ignored;
  call_sal(sal_entry, sal_gp, arguments, &ignored);
}

int pci_find(struct pci *pci, u16 vendor, u16 device) {
  for (u32 place = 0; place < 256; place++) {
    u32 address = place << 8;
    if (pci_read(address, 0, 4) != (vendor | (u32)device << 16)) continue;
    pci->address = address;
    for (u32 n = 0; n < 6; n++) {
      u32 low = pci_read(address, 0x10 + 4 * n, 4);
      pci->bar[n] = low & 1 ? low & ~3U : low & ~15U;
      if ((low & 7) == 4) {
        pci->bar[n] |= (u64)pci_read(address, 0x14 + 4 * n, 4) << 32;
        n++;
      }
    }
    /* The I/O SAPIC's input, as the firmware says it. */
    pci->input = pci_read(address, 0x3c, 1);
    pci_write(address, 4, 2, pci_read(address, 4, 2) | 4);
    return 1;
  }
  return 0;
}
