/* Virtio's legacy interface (version 1.2, section 4.1.4.10), and its queues. */
#include "iobench.h"

#define FEATURES 4
#define ADDRESS 8
#define SIZE 12
#define SELECT 14
#define NOTIFY 16
#define STATUS 18

int virtio_begin(struct pci *pci, u16 device, u32 features) {
  if (!pci_find(pci, 0x1af4, device)) return 0;
  u32 port = pci->bar[0];
  out8(port + STATUS, 0);
  out8(port + STATUS, 3);
  out32(port + FEATURES, features & in32(port));
  return 1;
}

void virtio_queue(struct virtqueue *q, struct pci *pci, u16 index) {
  q->port = pci->bar[0];
  q->index = index;
  out16(q->port + SELECT, index);
  u64 n = q->size = in16(q->port + SIZE);
  u64 used = (16 * n + 2 * (3 + n) + 4095) & ~4095UL;
  u8 *memory = pages((used + 6 + 8 * n + PAGE - 1) / PAGE);
  q->table = (void *)memory;
  q->available = (void *)(memory + 16 * n);
  q->used_ring = (void *)(memory + used);
  for (u64 i = 0; i < n; i++) q->table[i].next = i + 1;
  q->free = q->used = 0;
  q->in_use = 0;
  out32(q->port + ADDRESS, physical(memory) >> 12);
}

void virtio_ready(struct pci *pci) { out8(pci->bar[0] + STATUS, 7); }

/* Available: flags, index, entries. */
void virtio_give(struct virtqueue *q, u16 head) {
  u16 index = q->available[1];
  q->available[2 + index % q->size] = head;
  barrier();
  q->available[1] = index + 1;
  barrier();
}

/* Used: flags, index, pairs of words. */
void virtio_kick(struct virtqueue *q) {
  if (q->used_ring[0] & 1) return;
  out16(q->port + NOTIFY, q->index);
  doorbells++;
}

int virtio_pending(struct virtqueue *q) { return q->used_ring[1] != q->used; }

int virtio_await(struct virtqueue *q) {
  q->available[0] = 0;
  barrier();
  return virtio_pending(q);
}

int virtio_take(struct virtqueue *q, u32 *length) {
  if (!virtio_pending(q)) return -1;
  /* VIRTQ_AVAIL_F_NO_INTERRUPT */
  q->available[0] = 1;
  barrier();
  volatile u32 *entry = (volatile u32 *)(q->used_ring + 2) + 2 * (q->used % q->size);
  q->used++;
  *length = entry[1];
  return entry[0];
}
