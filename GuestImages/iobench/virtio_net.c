/* A virtio network device: a header of ten bytes in front of each frame. */
#include "iobench.h"

#define SLOTS 64
#define BUFFER 2048
#define HEADER 10
#define NEXT 1
#define WRITE 2
static struct virtqueue rx, tx;
static u8 *rx_buffers, *tx_buffers, *headers;
static u64 tx_free = ~0UL;
static u32 port;
static struct pci pci;

static void on_interrupt(void) { in8(port + 19); }

static void describe(struct virtqueue *q, u32 slot, u8 *header, u8 *data, u32 size, u16 flags) {
  q->table[2 * slot] = (struct descriptor){physical(header), HEADER, NEXT | flags, 2 * slot + 1};
  q->table[2 * slot + 1] = (struct descriptor){physical(data), size, flags, 0};
}

static int send(const void *frame, u64 size) {
  u32 length;
  for (int head; (head = virtio_take(&tx, &length)) >= 0;) tx_free |= 1UL << head / 2;
  if (!tx_free) return 0;
  u32 slot = __builtin_ctzl(tx_free);
  tx_free &= ~(1UL << slot);
  memory_copy(tx_buffers + slot * BUFFER, frame, size);
  describe(&tx, slot, headers, tx_buffers + slot * BUFFER, size, 0);
  virtio_give(&tx, 2 * slot);
  virtio_kick(&tx);
  return 1;
}

static int ready(void) { return virtio_await(&rx); }

/* Buffers that the device has not been told of. */
#define BATCH 16
static u32 given;

static u64 receive(void *frame, u64 size) {
  u32 length;
  int head = virtio_take(&rx, &length);
  if (head < 0) return 0;
  u64 got = length > HEADER ? length - HEADER : 0;
  if (got > size) got = size;
  memory_copy(frame, rx_buffers + head / 2 * BUFFER, got);
  virtio_give(&rx, head);
  if (++given == BATCH) {
    virtio_kick(&rx);
    given = 0;
  }
  return got;
}

static int begin(struct interface *net) {
  if (!virtio_begin(&pci, 0x1000, 1 << 5)) return 0;
  port = pci.bar[0];
  for (int n = 0; n < 6; n++) net->mac[n] = in8(port + 20 + n);
  virtio_queue(&rx, &pci, 0);
  virtio_queue(&tx, &pci, 1);
  rx_buffers = pages(SLOTS * BUFFER / PAGE);
  tx_buffers = pages(SLOTS * BUFFER / PAGE);
  headers = pages(1);
  /* Frames that have been sent are found when the next one is. */
  tx.available[0] = 1;
  interrupt_connect(pci.input, 1, on_interrupt);
  virtio_ready(&pci);
  for (u32 n = 0; n < SLOTS; n++) {
    describe(&rx, n, headers + 64 + n * 16, rx_buffers + n * BUFFER, BUFFER, WRITE);
    virtio_give(&rx, 2 * n);
  }
  virtio_kick(&rx);
  return 1;
}

struct interface virtio_interface = {"virtio", begin, send, receive, ready};
