/* Intel 82540EM: rings of legacy descriptors. */
#include "iobench.h"

#define CTRL 0x0000
#define STATUS 0x0008
#define ICR 0x00c0
#define IMS 0x00d0
#define RCTL 0x0100
#define TCTL 0x0400
#define TIPG 0x0410
#define RDBAL 0x2800
#define TDBAL 0x3800
#define RAL 0x5400
#define SLOTS 256
#define BUFFER 2048
struct receive { u64 address; u16 length, checksum; u8 status, errors; u16 special; };
struct transmit { u64 address; u16 length; u8 offset, command, status, start; u16 special; };
static volatile u8 *chip;
static volatile struct receive *receive_ring;
static volatile struct transmit *transmit_ring;
static u8 *receive_buffers, *transmit_buffers;
static u32 receive_next, transmit_next, transmit_oldest, given;

static u32 get(u32 reg) { return *(volatile u32 *)(chip + reg); }
static void set(u32 reg, u32 value) { *(volatile u32 *)(chip + reg) = value; }

/* Reading tells the chip. */
static void on_interrupt(void) { get(ICR); }

static int send(const void *frame, u64 size) {
  while (transmit_oldest != transmit_next && transmit_ring[transmit_oldest % SLOTS].status & 1) transmit_oldest++;
  if (transmit_next - transmit_oldest >= SLOTS - 1) return 0;
  u32 n = transmit_next++ % SLOTS;
  memory_copy(transmit_buffers + n * BUFFER, frame, size);
  volatile struct transmit *d = transmit_ring + n;
  d->length = size;
  d->status = 0;
  /* End of packet, check sequence, report status. */
  d->command = 0x0b;
  barrier();
  set(TDBAL + 0x18, transmit_next % SLOTS);
  doorbells++;
  return 1;
}

static int ready(void) { return receive_ring[receive_next % SLOTS].status & 1; }

static u64 receive(void *frame, u64 size) {
  if (!ready()) {
    if (given) set(RDBAL + 0x18, (receive_next + SLOTS - 1) % SLOTS);
    given = 0;
    return 0;
  }
  barrier();
  volatile struct receive *d = receive_ring + receive_next % SLOTS;
  u64 got = d->length < size ? d->length : size;
  memory_copy(frame, receive_buffers + receive_next % SLOTS * BUFFER, got);
  d->status = 0;
  receive_next++;
  /* A register for many frames, as Linux's driver does it. */
  if (++given == 16) {
    given = 0;
    barrier();
    set(RDBAL + 0x18, (receive_next + SLOTS - 1) % SLOTS);
  }
  return got;
}

static void ring(u32 base, volatile void *memory, u32 tail) {
  set(base, physical((void *)memory));
  set(base + 4, 0);
  set(base + 8, SLOTS * 16);
  set(base + 0x10, 0);
  set(base + 0x18, tail);
}

static int begin(struct interface *net) {
  static struct pci pci;
  if (!pci_find(&pci, 0x8086, 0x100e)) return 0;
  chip = uncached(pci.bar[0]);
  u32 low = get(RAL), high = get(RAL + 4);
  for (int n = 0; n < 6; n++) net->mac[n] = n < 4 ? low >> 8 * n : high >> 8 * (n - 4);
  receive_ring = pages(1);
  transmit_ring = pages(1);
  receive_buffers = pages(SLOTS * BUFFER / PAGE);
  transmit_buffers = pages(SLOTS * BUFFER / PAGE);
  for (u32 n = 0; n < SLOTS; n++) {
    receive_ring[n].address = physical(receive_buffers + n * BUFFER);
    transmit_ring[n].address = physical(transmit_buffers + n * BUFFER);
  }
  set(CTRL, get(CTRL) | 0x40);
  ring(RDBAL, receive_ring, SLOTS - 1);
  ring(TDBAL, transmit_ring, 0);
  set(TIPG, 0x0060200a);
  /* Broadcasts too, without check sequences; short frames are padded. */
  set(RCTL, 1 << 1 | 1 << 15 | 1 << 26);
  set(TCTL, 1 << 1 | 1 << 3);
  interrupt_connect(pci.input, 1, on_interrupt);
  /* A frame has come, none can be taken, the ring runs low; the link has changed. */
  set(IMS, 1 << 7 | 1 << 6 | 1 << 4 | 1 << 2);
  for (;;) {
    cpu_mask();
    if (get(STATUS) & 2) break;
    cpu_wait();
  }
  cpu_unmask();
  return 1;
}

struct interface e1000_interface = {"e1000", begin, send, receive, ready};
