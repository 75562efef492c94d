/* The block device of a PV domain, or of an HVM domain with such drivers, by pv/disk.c: requests in parts of eleven pages. */
#include "iobench.h"

#define PARTS 128
#define PART_SECTORS (11 * PAGE / 512)
static struct disk disk;
static struct disk_request parts[PARTS];
static struct request *owner[PARTS];
/* Parts that nobody has. */
static u32 free_parts[PARTS], free_count;

static int submit(struct request *r) {
  u32 needed = (r->sectors + PART_SECTORS - 1) / PART_SECTORS;
  if (free_count < needed || disk.ring.size - disk.in_flight < needed) return 0;
  r->parts = needed;
  for (u32 sector = 0; needed; needed--) {
    u32 n = free_parts[--free_count];
    u32 count = r->sectors - sector < PART_SECTORS ? r->sectors - sector : PART_SECTORS;
    parts[n] = (struct disk_request){r->write, r->sector + sector, count, r->buffer + sector * 512};
    owner[n] = r;
    disk_submit(&disk, &parts[n]);
    sector += count;
  }
  return 1;
}

static void kick(void) { disk_notify(&disk); }

static void collect(void) {
  if (!disk_collect(&disk)) return;
  struct disk_request *part = disk.finished;
  disk.finished = 0;
  for (; part; part = part->next) {
    u32 n = part - parts;
    struct request *r = owner[n];
    free_parts[free_count++] = n;
    if (part->status) r->status = part->status;
    if (!--r->parts) request_done(r, r->status);
  }
}

static int ready(void) { return ring_more(&disk.ring); }

static int begin(struct block_device *device) {
  if (!paravirtual && !hvm_begin()) return 0;
  if (!disk_begin(&disk, 0)) return 0;
  device->sectors = disk.sectors;
  while (free_count < PARTS) free_parts[free_count] = free_count, free_count++;
  return 1;
}

struct block_device vbd_disk = {"vbd", begin, submit, kick, collect, ready};
