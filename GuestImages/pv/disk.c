/* The block device's front end (xen/include/public/io/blkif.h). */
#include "xenbus.h"

struct segment { u32 reference; u8 first, last; u16 pad; };
struct request { u8 operation, segments; u16 handle; u32 pad; u64 id, sector; struct segment segment[11]; };
struct response { u64 id; u8 operation, pad; s16 status; };

#define LIMIT 4
static struct disk *disks[LIMIT];
static void on_disk(u32 port) {
  for (int n = 0; n < LIMIT; n++) if (disks[n] && disks[n]->port == port) disks[n]->events++;
}

int disk_begin(struct disk *disk, u64 index) {
  memory_set(disk, 0, sizeof *disk);
  if (!device_find(&disk->device, "vbd", index)) return 0;
  struct ring_page *page = pages(1);
  ring_begin(&disk->ring, page, sizeof(struct request));
  u32 reference = grant(disk->device.backend_domain, page, 0);
  disk->port = device_port(&disk->device, on_disk);
  for (int n = 0; n < LIMIT; n++) if (!disks[n]) { disks[n] = disk; break; }
  u32 t;
  do {
    t = store_start();
    device_write(t, &disk->device, "ring-ref", reference);
    device_write(t, &disk->device, "event-channel", disk->port);
    device_write_text(t, &disk->device, "protocol", "ia64-abi");
  } while (store_end(t, 1) == -11);
  device_switch(&disk->device, INITIALISED);
  if (device_wait(&disk->device, CONNECTED, CLOSING) != CONNECTED) return 0;
  disk->sectors = device_backend_number(&disk->device, "sectors", 0);
  disk->info = device_backend_number(&disk->device, "info", 0);
  disk->sector_size = device_backend_number(&disk->device, "sector-size", 0);
  device_switch(&disk->device, CONNECTED);
  return 1;
}

int disk_submit(struct disk *disk, struct disk_request *r) {
  if (ring_full(&disk->ring)) return 0;
  struct request *slot = ring_slot(&disk->ring, disk->ring.req_prod);
  slot->operation = r->operation;
  slot->handle = 0;
  slot->id = (u64)r;
  slot->sector = r->sector;
  r->count = 0;
  r->done = 0;
  u64 left = r->sectors * 512UL;
  for (u8 *at = r->buffer; left; ) {
    u64 offset = (u64)at & (PAGE - 1), size = PAGE - offset < left ? PAGE - offset : left;
    u32 reference = grant(disk->device.backend_domain, at, r->operation == 1 || r->operation == 2);
    r->references[r->count] = reference;
    slot->segment[r->count++] = (struct segment){reference, offset / 512, (offset + size) / 512 - 1, 0};
    at += size;
    left -= size;
  }
  slot->segments = r->count;
  disk->ring.req_prod++;
  disk->in_flight++;
  return 1;
}

void disk_notify(struct disk *disk) { if (ring_push(&disk->ring)) event_send(disk->port); }

u64 disk_collect(struct disk *disk) {
  u64 n = 0;
  do {
    while (disk->ring.rsp_cons != disk->ring.page->rsp_prod) {
      barrier();
      struct response *slot = ring_slot(&disk->ring, disk->ring.rsp_cons);
      struct disk_request *r = (struct disk_request *)slot->id;
      r->status = slot->status;
      for (u32 i = 0; i < r->count; i++) ungrant(r->references[i]);
      r->done = 1;
      r->next = disk->finished;
      disk->finished = r;
      disk->ring.rsp_cons++;
      disk->in_flight--;
      n++;
    }
  } while (ring_more(&disk->ring));
  return n;
}

s16 disk_do(struct disk *disk, u8 operation, u64 sector, u32 sectors, void *buffer) {
  struct disk_request r = {operation, sector, sectors, buffer};
  disk_submit(disk, &r);
  disk_notify(disk);
  for (;;) {
    u64 seen = disk->events;
    disk_collect(disk);
    if (r.done) return r.status;
    wait_for(&disk->events, seen + 1);
  }
}

void disk_end(struct disk *disk) {
  device_switch(&disk->device, CLOSING);
  device_wait(&disk->device, CLOSING, CLOSED);
  device_switch(&disk->device, CLOSED);
}

static u64 pattern(u64 sector, u64 word) { return sector * 0x9e3779b97f4a7c15 + word * 0xbf58476d1ce4e5b9; }

void test_disk(void) {
  static struct disk disk;
  if (!disk_begin(&disk, 0)) return;
  check("sectors", disk.sectors > 2048);
  check_equal("sector size", disk.sector_size, 512);
  if (disk.info & 4) return;
  u8 *buffer = pages(12), *back = pages(12);
  /* Eleven pages at once; odd sectors, odd lengths; many in flight. */
  for (u64 n = 0; n < 11 * PAGE / 8; n++) ((u64 *)buffer)[n] = pattern(64 + n / 64, n % 64);
  check_equal("write", (u16)disk_do(&disk, 1, 64, 11 * PAGE / 512, buffer), 0);
  check_equal("read", (u16)disk_do(&disk, 0, 64, 11 * PAGE / 512, back), 0);
  check_equal("what was written", compare(buffer, back, 11 * PAGE), 0);
  check_equal("read of three sectors from the middle of a page", (u16)disk_do(&disk, 0, 65, 3, back + 512 * 5), 0);
  check_equal("what was written there", compare(buffer + 512, back + 512 * 5, 3 * 512), 0);
  check_equal("flush", (u16)disk_do(&disk, 3, 0, 0, 0), 0);
  check_equal("barrier", (u16)disk_do(&disk, 2, 64, 1, buffer), 0);
  check_equal("beyond the end", (u16)disk_do(&disk, 0, disk.sectors - 1, 2, back), (u16)-1);
  check_equal("no such operation", (u16)disk_do(&disk, 77, 0, 1, back), (u16)-1);
  static struct disk_request requests[32];
  for (u64 n = 0; n < 32; n++) {
    requests[n] = (struct disk_request){0, 64 + n * 8, 8, back + n * 4096};
    check("room in the ring", disk_submit(&disk, &requests[n]));
  }
  disk_notify(&disk);
  for (u64 done = 0; done < 32;) {
    u64 seen = disk.events;
    done += disk_collect(&disk);
    if (done < 32) wait_for(&disk.events, seen + 1);
  }
  check_equal("32 in flight", compare(buffer, back, 32 * 4096), 0);
  disk_end(&disk);
}
