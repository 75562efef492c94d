/* The first unit of a paravirtualized SCSI host, by pv/scsi.c: READ (10) and WRITE (10), in parts of 26 pages. */
#include "iobench.h"

#define PARTS SCSI_COMMANDS
#define PART_SECTORS (SCSI_SEGMENTS * PAGE / 512)
static struct scsi host;
static struct scsi_command parts[PARTS];
static struct request *owner[PARTS];
/* Parts that nobody has. */
static u32 free_parts[PARTS], free_count;

static void fill(struct scsi_command *c, const struct request *r, u32 sector, u32 count) {
  u64 at = r->sector + sector;
  *c = (struct scsi_command){.act = SCSI_COMMAND, .length = 10, .direction = r->write ? TO_DEVICE : FROM_DEVICE,
    /* A write is on the medium when it ends. */
    .command = {r->write ? 0x2a : 0x28, r->write ? 8 : 0, at >> 24, at >> 16, at >> 8, at, 0, count >> 8, count},
    .buffer = r->buffer + sector * 512, .size = count * 512};
}

static int submit(struct request *r) {
  u32 needed = (r->sectors + PART_SECTORS - 1) / PART_SECTORS;
  if (free_count < needed) return 0;
  r->parts = needed;
  for (u32 sector = 0; needed; needed--) {
    u32 n = free_parts[--free_count];
    u32 count = r->sectors - sector < PART_SECTORS ? r->sectors - sector : PART_SECTORS;
    fill(&parts[n], r, sector, count);
    owner[n] = r;
    scsi_submit(&host, &parts[n]);
    sector += count;
  }
  return 1;
}

static void kick(void) { scsi_notify(&host); }

static void collect(void) {
  if (!scsi_collect(&host)) return;
  struct scsi_command *part = host.finished;
  host.finished = 0;
  for (; part; part = part->next) {
    u32 n = part - parts;
    struct request *r = owner[n];
    free_parts[free_count++] = n;
    if (part->result) r->status = part->result;
    if (!--r->parts) request_done(r, r->status);
  }
}

static int ready(void) { return ring_more(&host.ring); }

/* Without data, or with eight bytes of them. */
static s32 perform(u8 operation, u8 length, u8 *buffer) {
  static struct scsi_command c;
  c = (struct scsi_command){.act = SCSI_COMMAND, .length = length, .direction = buffer ? FROM_DEVICE : NO_DATA,
    .command = {operation}, .buffer = buffer, .size = buffer ? 8 : 0};
  return scsi_do(&host, &c);
}

static int begin(struct block_device *device) {
  if (!paravirtual && !hvm_begin()) return 0;
  if (!scsi_begin(&host)) return 0;
  /* TEST UNIT READY, until it has said that it was switched on; READ CAPACITY. */
  for (int n = 0; n < 5 && perform(0, 6, 0); n++);
  u8 *data = pages(1);
  if (perform(0x25, 10, data)) return 0;
  host.finished = 0;
  while (free_count < PARTS) free_parts[free_count] = free_count, free_count++;
  device->sectors = ((u64)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3]) + 1;
  return 1;
}

struct block_device vscsi_disk = {"vscsi", begin, submit, kick, collect, ready};
