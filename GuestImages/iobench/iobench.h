/* One kernel for all ways to a disk and to a network: what its parts offer each other. It runs as PV domain, on the bare machine, and as HVM
   domain, which looks like a bare machine. */
#ifndef IOBENCH_H
#define IOBENCH_H
#include "xenbus.h"

/* main.c */
extern int paravirtual;
void finish_run(int failure) __attribute__((noreturn));

/* cpu.c: interrupts and events. */
void cpu_mask(void);
void cpu_unmask(void);
/* Called with interrupts masked: sleeps until one comes; unmasks. */
void cpu_wait(void);
/* A level-triggered line of the I/O SAPIC, or an edge. */
void interrupt_connect(u32 input, int level, void (*handler)(void));

/* entry.S */
u64 call_sal(u64 entry, u64 gp, const u64 arguments[5], u64 *value);
void call_physical(u64 descriptor, u64 argument) __attribute__((noreturn));

/* machine.c: a machine with firmware. */
void machine_begin(void);
void machine_off(int failure) __attribute__((noreturn));
void machine_halt(void);
void *uncached(u64 physical);
u8 in8(u32 port);
u16 in16(u32 port);
u32 in32(u32 port);
void out8(u32 port, u8 value);
void out16(u32 port, u16 value);
void out32(u32 port, u32 value);
void serial_put(char c);
/* One character, now. */
void serial_mark(char c);

/* hvm.c: false: not a domain with paravirtualized drivers. */
int hvm_begin(void);

/* pci.c: functions of bus 0 with addresses that the firmware has assigned. */
struct pci { u32 address; u64 bar[6]; u32 input; };
/* `device` 0xffff: any. The first function from `from` on; its bus mastering is switched on. */
int pci_find(struct pci *pci, u16 vendor, u16 device);
u32 pci_read(u32 address, u32 reg, u32 size);
void pci_write(u32 address, u32 reg, u32 size, u32 value);

/* Block devices. */
struct request { u64 sector; u32 sectors; int write; u8 *buffer; u64 begin, end; int status; volatile int done; u32 parts; };
struct block_device {
  const char *name;
  /* False: there is no such device. Sets `sectors`. */
  int (*begin)(struct block_device *);
  /* False: no room now. */
  int (*submit)(struct request *);
  /* Tells the device of what was submitted; null: it knows. */
  void (*kick)(void);
  /* Takes what has finished; null: interrupts do. */
  void (*collect)(void);
  /* With interrupts masked: there is something to collect. */
  int (*ready)(void);
  u64 sectors;
};
extern struct block_device ide_disk, scsi_disk, virtio_disk, vbd_disk, vscsi_disk;
void request_done(struct request *r, int status);
extern volatile u64 requests_done;
void run_block(const char *words);
void check_block(const char *words);

/* Network interfaces. */
struct interface {
  const char *name;
  int (*begin)(struct interface *);
  /* Copies; false: no room now. */
  int (*send)(const void *frame, u64 size);
  /* The next frame's size; 0: there is none. */
  u64 (*receive)(void *frame, u64 size);
  /* With interrupts masked: there is something to receive. */
  int (*ready)(void);
  u8 mac[6];
};
extern struct interface e1000_interface, virtio_interface, vnif_interface;
void run_network(const char *words);
void check_network(const char *name);
void run_peer(const char *name);

/* results.c */
/* How often a device was told to look, and the processor. */
extern volatile u64 doorbells, interrupts;
void results_begin(void);
void results_add(u64 ticks);
void results_print(u64 requests, u64 bytes, u64 ticks, u64 errors);
/* The marks between which the host counts. */
void mark_begin(void);
void mark_end(void);

/* words.c: `a:b:c`. */
/* The next word, cut off; null at the end. */
char *next_word(const char **words);
int same(const char *a, const char *b);

/* virtio.c: queues of the legacy interface. */
struct descriptor { u64 address; u32 length; u16 flags, next; };
struct virtqueue { u32 port; u16 index, size, free, used; struct descriptor *table; volatile u16 *available; volatile u16 *used_ring; u32 in_use; };
int virtio_begin(struct pci *pci, u16 device, u32 features);
void virtio_queue(struct virtqueue *q, struct pci *pci, u16 index);
void virtio_ready(struct pci *pci);
void virtio_give(struct virtqueue *q, u16 head);
void virtio_kick(struct virtqueue *q);
/* The head of a chain that has come back, or -1. */
int virtio_take(struct virtqueue *q, u32 *length);
int virtio_pending(struct virtqueue *q);
/* Interrupts are only for who waits; true: there is something already. */
int virtio_await(struct virtqueue *q);
#endif
