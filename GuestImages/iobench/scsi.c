/* The first disk of an LSI53C895A: tagged commands that disconnect. */
#include "scsi.h"

#define TARGET 0
/* Registers. */
#define SCNTL3 0x03
#define SCID 0x04
#define SXFER 0x05
#define DSTAT 0x0c
#define DSA 0x10
#define ISTAT0 0x14
#define DSP 0x2c
#define DIEN 0x39
#define SIEN0 0x40
#define SIST0 0x42
#define SIST1 0x43
#define RESPID0 0x4a
#define SIGP 0x20
#define INTF 0x04
/* Wide, and the offset that is agreed on. */
#define WIDE 0x08
#define OFFSET_31 31

static volatile u8 *chip;
static struct command *commands;
static struct request *owner[SLOTS];
static u32 next_slot;

static u8 get(u32 reg) { return chip[reg]; }
static void set(u32 reg, u8 value) { chip[reg] = value; }
static void set_long(u32 reg, u32 value) { *(volatile u32 *)(chip + reg) = value; }

static void prepare(u32 slot, const u8 *bytes, u32 count, void *data, u32 length, int negotiates) {
  struct command *c = &commands[slot];
  static const u8 negotiation[] = {0xc0, 1, 6, 4, 0x0a, 0, OFFSET_31, 1, 0};
  static const u8 plain[] = {0xc0, 0x20};
  u32 size = negotiates ? sizeof negotiation : 3;
  memory_copy(c->message_bytes, negotiates ? negotiation : plain, negotiates ? size : 2);
  if (!negotiates) c->message_bytes[2] = slot;
  memory_copy(c->command_bytes, bytes, count);
  c->status_byte = c->ended_byte = 0xff;
  c->select = (negotiates ? 0 : WIDE) << 24 | TARGET << 16 | (negotiates ? 0 : OFFSET_31) << 8;
  c->message = (struct move){size, physical(c->message_bytes)};
  c->command = (struct move){count, physical(c->command_bytes)};
  c->status = (struct move){1, physical(&c->status_byte)};
  c->ended = (struct move){1, physical(&c->ended_byte)};
  c->burst = 0;
  u32 at = physical(data);
  for (u32 n = 0; length; n++) {
    u32 part = length > BURST ? BURST : length;
    c->data[n] = (struct move){part, at};
    at += part;
    length -= part;
  }
}

static void on_interrupt(void) {
  u8 status = get(ISTAT0);
  if (status & 3) {
    u8 scsi = get(SIST0), more = get(SIST1), dma = get(DSTAT);
    print("SCSI: chip stopped, SIST 0x%x", (u64)(scsi | more << 8));
    print(" DSTAT 0x%x DSP 0x%x\n", (u64)dma, (u64)*(volatile u32 *)(chip + DSP));
    finish_run(1);
  }
  if (!(status & INTF)) return;
  /* What is written says what SIGP is. */
  set(ISTAT0, INTF | (status & SIGP));
  for (u32 slot = 0; slot < SLOTS; slot++) {
    volatile struct command *c = &commands[slot];
    if (!owner[slot] || c->ended_byte) continue;
    struct request *r = owner[slot];
    owner[slot] = 0;
    request_done(r, c->status_byte);
  }
}

static void push(u32 slot) {
  scripts_queue(slot);
  set(ISTAT0, SIGP);
  doorbells++;
}

/* Without interrupts: the status. */
static u8 do_command(const u8 *bytes, u32 count, void *data, u32 length, int negotiates) {
  u32 slot = next_slot;
  next_slot = (next_slot + 1) % SLOTS;
  prepare(slot, bytes, count, data, length, negotiates);
  push(slot);
  while (((volatile struct command *)commands)[slot].ended_byte) {
    if (get(ISTAT0) & 3) on_interrupt();
  }
  return commands[slot].status_byte;
}

static int submit(struct request *r) {
  u32 slot = next_slot;
  if (owner[slot]) return 0;
  next_slot = (next_slot + 1) % SLOTS;
  /* READ (10) and WRITE (10); a write is on the medium when it ends. */
  u8 bytes[10] = {r->write ? 0x2a : 0x28, r->write ? 8 : 0, r->sector >> 24, r->sector >> 16, r->sector >> 8, r->sector, 0,
                  r->sectors >> 8, r->sectors, 0};
  prepare(slot, bytes, sizeof bytes, r->buffer, r->sectors * 512, 0);
  owner[slot] = r;
  push(slot);
  return 1;
}

static int begin(struct block_device *device) {
  static struct pci pci;
  static u8 data[32] __attribute__((aligned(8)));
  static const u8 ready[6] = {0}, sense[6] = {3, 0, 0, 0, 18}, capacity[10] = {0x25};
  if (!pci_find(&pci, 0x1000, 0x0012)) return 0;
  chip = uncached(pci.bar[1]);
  /* The tag is the second byte of a command's address. */
  commands = (void *)(((u64)pages(5) + 0xffff) & ~0xffffUL);
  u32 start = scripts_build(commands);
  set(ISTAT0, 0x40);
  set(ISTAT0, 0);
  /* Identifier 7; it may be reselected. */
  set(SCID, 0x47);
  set(RESPID0, 0x80);
  /* What stops the chip. */
  set(SIEN0, 0x8f);
  set(SIEN0 + 1, 4);
  set(DIEN, 0x7d);
  set_long(DSA, physical(commands));
  set_long(DSP, start);
  int negotiates = 1;
  for (int n = 0; n < 5; n++, negotiates = 0) {
    if (do_command(ready, 6, data, 0, negotiates) == 0) break;
    do_command(sense, 6, data, 18, 0);
  }
  if (do_command(capacity, 10, data, 8, 0)) return 0;
  device->sectors = ((u64)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3]) + 1;
  set(ISTAT0, INTF);
  interrupt_connect(pci.input, 1, on_interrupt);
  return 1;
}

struct block_device scsi_disk = {"scsi", begin, submit};
