/* A machine with firmware: found as Linux/ia64 finds it, through what the boot loader leaves behind. */
#include "iobench.h"

#define UART 0x3f8
#define FIFO 16
struct efi_table { u64 guid[2], address; };
struct memory { u32 type, pad; u64 start, virtual_start, pages, attribute; };
static u64 port_space, pal_entry;
u64 sal_entry, sal_gp;
static u32 fifo_room;

void *uncached(u64 physical) { return (void *)(physical | 6UL << 61); }

static volatile void *port_address(u32 port) { return (u8 *)uncached(port_space) + ((u64)(port >> 2) << 12 | (port & 0xfff)); }
u8 in8(u32 port) { return *(volatile u8 *)port_address(port); }
u16 in16(u32 port) { return *(volatile u16 *)port_address(port); }
u32 in32(u32 port) { return *(volatile u32 *)port_address(port); }
/* A write of a port is done when the next begins (Volume 2, section 10.7.1). */
void out8(u32 port, u8 value) { *(volatile u8 *)port_address(port) = value; asm volatile("mf.a" ::: "memory"); }
void out16(u32 port, u16 value) { *(volatile u16 *)port_address(port) = value; asm volatile("mf.a" ::: "memory"); }
void out32(u32 port, u32 value) { *(volatile u32 *)port_address(port) = value; asm volatile("mf.a" ::: "memory"); }

static void find_ports(void) {
  u8 *map = virtual(boot->memmap);
  for (u64 at = 0; at < boot->memmap_size; at += boot->memdesc_size) {
    struct memory *m = (void *)(map + at);
    /* EfiMemoryMappedIOPortSpace */
    if (m->type == 12) port_space = m->start;
  }
}

/* The entry points of PAL and SAL (SAL specification, table 3-4). */
static void find_firmware(void) {
  u8 *system = virtual(boot->systab);
  u64 count = *(u64 *)(system + 104);
  struct efi_table *tables = virtual(*(u64 *)(system + 112));
  for (u64 n = 0; n < count; n++) {
    if (tables[n].guid[0] != 0x11d32d88eb9d2d32 || tables[n].guid[1] != 0x4dc13f279000169a) continue;
    static const u8 sizes[] = {48, 32, 16, 32, 16, 16};
    u8 *sal = virtual(tables[n].address), *at = sal + 96;
    for (u32 left = *(u16 *)(sal + 10); left; left--, at += sizes[*at % 6]) {
      if (*at) continue;
      pal_entry = (u64)virtual(*(u64 *)(at + 8));
      sal_entry = (u64)virtual(*(u64 *)(at + 16));
      sal_gp = (u64)virtual(*(u64 *)(at + 24));
    }
  }
}

void machine_begin(void) {
  find_ports();
  /* 115200 baud, eight bits, FIFO. */
  out8(UART + 3, 0x83);
  out8(UART, 1);
  out8(UART + 1, 0);
  out8(UART + 3, 3);
  out8(UART + 2, 7);
  serial_output = serial_put;
  find_firmware();
}

void serial_put(char c) {
  if (!fifo_room) {
    while (!(in8(UART + 5) & 0x20));
    fifo_room = FIFO;
  }
  out8(UART, c);
  fifo_room--;
}

/* Nothing waits in front of it or behind it while a job runs. */
void serial_mark(char c) {
  if (c == '>') while (!(in8(UART + 5) & 0x40));
  out8(UART, c);
  fifo_room = 0;
}

/* PAL_HALT_LIGHT: until an interrupt is pending, whether PSR.i is on or not. */
void machine_halt(void) {
  static struct firmware_call call;
  call.entry = pal_entry;
  call.arguments[0] = 29;
  call_pal_static(&call);
}

/* ResetSystem, in physical mode as before SetVirtualAddressMap. */
void machine_off(int failure) {
  while (!(in8(UART + 5) & 0x40));
  u64 runtime = *(u64 *)((u8 *)virtual(boot->systab) + 88);
  cpu_mask();
  /* EfiResetShutdown; what ends otherwise is a failure: the machine stays on. */
  if (!failure) call_physical(*(u64 *)((u8 *)virtual(runtime) + 104), 2);
  for (;;) machine_halt();
}
