/* The first disk of the chip set's IDE controller, by bus master DMA: one request at a time. */
#include "iobench.h"

#define COMMAND 0x1f0
#define CONTROL 0x3f6
#define IDENTIFY 0xec
#define READ_DMA_EXT 0x25
#define WRITE_DMA_EXT 0x35
#define CHUNK 0x10000UL
struct region { u32 address; u16 count, last; };
static struct region *regions;
static struct request *current;
static u32 master;

static void on_interrupt(void) {
  if (!(in8(master + 2) & 4)) return;
  u8 status = in8(COMMAND + 7);
  out8(master, 0);
  u8 transfer = in8(master + 2);
  out8(master + 2, 6);
  struct request *r = current;
  if (!r) return;
  current = 0;
  request_done(r, status & 1 || transfer & 2);
}

static void set_address(u64 lba, u32 sectors) {
  out8(COMMAND + 2, sectors >> 8);
  out8(COMMAND + 3, lba >> 24);
  out8(COMMAND + 4, lba >> 32);
  out8(COMMAND + 5, lba >> 40);
  out8(COMMAND + 2, sectors);
  out8(COMMAND + 3, lba);
  out8(COMMAND + 4, lba >> 8);
  out8(COMMAND + 5, lba >> 16);
}

static int ide_submit(struct request *r) {
  if (current) return 0;
  u64 at = physical(r->buffer), left = r->sectors * 512UL;
  for (u32 n = 0; left; n++) {
    u64 size = CHUNK - (at & (CHUNK - 1));
    if (size > left) size = left;
    regions[n] = (struct region){at, size, size == left ? 0x8000 : 0};
    at += size;
    left -= size;
  }
  barrier();
  current = r;
  out32(master + 4, physical(regions));
  out8(master, r->write ? 0 : 8);
  out8(master + 2, 6);
  out8(COMMAND + 6, 0x40);
  set_address(r->sector, r->sectors);
  out8(COMMAND + 7, r->write ? WRITE_DMA_EXT : READ_DMA_EXT);
  out8(master, r->write ? 1 : 9);
  doorbells++;
  return 1;
}

static int ide_begin(struct block_device *device) {
  static struct pci pci;
  u16 words[256];
  if (!pci_find(&pci, 0x8086, 0x7111)) return 0;
  master = pci.bar[4];
  regions = pages(1);
  out8(CONTROL, 2);
  out8(COMMAND + 6, 0);
  /* After power-on it is busy for a while. */
  while ((in8(COMMAND + 7) & 0xc0) != 0x40);
  out8(COMMAND + 7, IDENTIFY);
  while (in8(COMMAND + 7) & 0x80);
  if (!(in8(COMMAND + 7) & 8)) return 0;
  for (u32 n = 0; n < 256; n++) words[n] = in16(COMMAND);
  device->sectors = words[100] | (u64)words[101] << 16 | (u64)words[102] << 32;
  in8(COMMAND + 7);
  out8(master + 2, 6);
  out8(CONTROL, 0);
  interrupt_connect(14, 0, on_interrupt);
  return 1;
}

struct block_device ide_disk = {"ide", ide_begin, ide_submit};
