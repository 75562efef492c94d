/* What the domain builder leaves: start_info, boot parameters, firmware's tables, shared_info. */
#include "xen.h"

static u8 sum(const void *p, u64 n) { const u8 *b = p; u8 s = 0; while (n--) s += *b++; return s; }

/* Tables are packed. */
static u64 get(const void *p, int size) { const u8 *b = p; u64 v = 0; while (size--) v = v << 8 | b[size]; return v; }

static u64 count_memory(int type) {
  u64 total = 0;
  for (u64 at = 0; at < boot->memmap_size; at += boot->memdesc_size) {
    u64 *d = virtual(boot->memmap + at);
    if ((u32)d[0] == type) total += d[3] << 12;
  }
  return total;
}

void test_start(u64 rsc) {
  check("ar.rsc shows another privilege level than 0", (rsc >> 2 & 3) != 0);
  check("start_info magic", starts((char *)start_info, "xen-3.0-ia64"));
  check_equal("not privileged", *(u32 *)(start_info + 0x30), 0);
  check_equal("store frame", *(u64 *)(start_info + 0x38), total_frames - 2);
  check_equal("console frame", *(u64 *)(start_info + 0x48), total_frames - 1);
  check("store port", *(u32 *)(start_info + 0x40) != 0);
  check_equal("command line", boot->command_line, physical(start_info + 0x80));
  check_equal("descriptor size", boot->memdesc_size, 40);
  check_equal("descriptor version", boot->memdesc_version, 1);
  check_equal("columns", boot->columns, 80);
  check_equal("rows", boot->rows, 25);
  check_equal("conventional memory", count_memory(7), (total_frames - 4) * PAGE - 0x3000);
  check_equal("runtime data", count_memory(6), 4 * PAGE + 0x1000);
  check_equal("port space", count_memory(12), 0x4000000);

  u64 *systab = virtual(boot->systab);
  check_equal("EFI system table", boot->systab, 0x2000);
  check_equal("its signature", systab[0], 0x5453595320494249);
  check_equal("runtime services", systab[11], 0x2078);
  check_equal("runtime signature", *(u64 *)virtual(0x2078), 0x05652453544e5552);
  u64 tables = systab[14];
  check_equal("tables", systab[13], 6);
  u8 *sal = virtual(*(u64 *)virtual(tables + 16));
  check("SAL signature", starts((char *)sal, "SST_"));
  check_equal("SAL checksum", sum(sal, get(sal + 4, 4) + 0x40), 0);
  check_equal("SAL entries", get(sal + 10, 2), 2);
  u8 *rsdp = virtual(*(u64 *)virtual(tables + 24 + 16));
  check("RSDP", starts((char *)rsdp, "RSD PTR "));
  check_equal("RSDP checksum", sum(rsdp, 20), 0);
  check_equal("RSDP extended checksum", sum(rsdp, 36), 0);
  u8 *xsdt = virtual(get(rsdp + 24, 8));
  check_equal("XSDT checksum", sum(xsdt, get(xsdt + 4, 4)), 0);
  u8 *fadt = virtual(get(xsdt + 36, 8)), *madt = virtual(get(xsdt + 44, 8));
  check_equal("FADT checksum", sum(fadt, get(fadt + 4, 4)), 0);
  check_equal("FADT length", get(fadt + 4, 4), 0xf4);
  u8 *dsdt = virtual(get(fadt + 140, 8));
  check_equal("DSDT checksum", sum(dsdt, get(dsdt + 4, 4)), 0);
  check_equal("MADT checksum", sum(madt, get(madt + 4, 4)), 0);
  u64 processors = 0;
  for (u8 *e = madt + 44; e < madt + get(madt + 4, 4); e += e[1]) processors += e[0] == 7 && e[8] == 1;
  check("processors in the MADT", processors >= 1);

  check_equal("start_info in shared_info", SHARED(u64, 0x1010), physical(start_info) >> PAGE_SHIFT);
  u64 *memmap_info = virtual(SHARED(u64, 0x1020) << PAGE_SHIFT);
  check_equal("memmap_info size", memmap_info[0], boot->memmap_size);
  check_equal("memmap_info descriptors", compare(memmap_info + 3, virtual(boot->memmap), boot->memmap_size), 0);
  check("time of day", SHARED(u32, 0x1000) % 2 == 0 && SHARED(u32, 0x1004) > 1000000000);
  check_equal("interrupt_mask_addr", REG(u64, 0xc18), XSI + 1);
}
