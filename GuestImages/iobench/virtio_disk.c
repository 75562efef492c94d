/* A virtio block device: header, data, status. */
#include "iobench.h"

#define LIMIT 64
#define NEXT 1
#define WRITE 2
struct header { u32 type, reserved; u64 sector; };
static struct virtqueue queue;
static struct header *headers;
static volatile u8 *statuses;
static struct request *owner[LIMIT];
static u32 port;

/* Acknowledges; who waits collects. */
static void on_interrupt(void) { in8(port + 19); }

static void collect(void) {
  u32 length;
  for (int head; (head = virtio_take(&queue, &length)) >= 0;) {
    u32 slot = head / 3;
    struct request *r = owner[slot];
    owner[slot] = 0;
    request_done(r, statuses[slot]);
  }
}

static int submit(struct request *r) {
  u32 slot = 0;
  while (slot < LIMIT && owner[slot]) slot++;
  if (slot == LIMIT) return 0;
  owner[slot] = r;
  headers[slot] = (struct header){r->write, 0, r->sector};
  struct descriptor *d = queue.table + 3 * slot;
  d[0] = (struct descriptor){physical(headers + slot), sizeof(struct header), NEXT, 3 * slot + 1};
  d[1] = (struct descriptor){physical(r->buffer), r->sectors * 512, NEXT | (r->write ? 0 : WRITE), 3 * slot + 2};
  d[2] = (struct descriptor){physical((u8 *)statuses + slot), 1, WRITE, 0};
  virtio_give(&queue, 3 * slot);
  return 1;
}

static void kick(void) { virtio_kick(&queue); }
static int ready(void) { return virtio_await(&queue); }

static int begin(struct block_device *device) {
  static struct pci pci;
  /* FLUSH: writes may be done when the host has them. */
  if (!virtio_begin(&pci, 0x1001, 1 << 9)) return 0;
  port = pci.bar[0];
  virtio_queue(&queue, &pci, 0);
  headers = pages(1);
  statuses = pages(1);
  device->sectors = in32(port + 20) | (u64)in32(port + 24) << 32;
  interrupt_connect(pci.input, 1, on_interrupt);
  virtio_ready(&pci);
  return 1;
}

struct block_device virtio_disk = {"virtio", begin, submit, kick, collect, ready};
