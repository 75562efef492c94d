/* Devices in XenStore, and shared rings (xen/include/public/io/xenbus.h, ring.h). */
#ifndef XENBUS_H
#define XENBUS_H
#include "store.h"

enum { UNKNOWN, INITIALISING, INIT_WAIT, INITIALISED, CONNECTED, CLOSING, CLOSED, RECONFIGURING, RECONFIGURED };

struct device { char path[64], backend[96]; u16 backend_domain; };

/* The `index`th device of a type; 0: there is none. */
int device_find(struct device *device, const char *type, u64 index);
s64 device_write(u32 transaction, struct device *device, const char *key, u64 value);
s64 device_write_text(u32 transaction, struct device *device, const char *key, const char *value);
u64 device_backend_number(struct device *device, const char *key, u64 missing);
void device_switch(struct device *device, u64 state);
/* Waits until the back end has one of two states; which, or 0 after ten seconds. */
u64 device_wait(struct device *device, u64 state, u64 other);
/* An unbound port for the back end. */
u32 device_port(struct device *device, event_handler handler);
void sleep_nanoseconds(u64 nanoseconds);
u64 nanoseconds(void);

struct ring_page { volatile u32 req_prod, req_event, rsp_prod, rsp_event; u8 pad[48]; u8 entries[]; };
struct front_ring { struct ring_page *page; u32 size, entry, req_prod, rsp_cons; };
void ring_begin(struct front_ring *ring, struct ring_page *page, u32 entry);
static inline void *ring_slot(struct front_ring *ring, u32 index) {
  return ring->page->entries + (index & (ring->size - 1)) * ring->entry;
}
static inline int ring_full(struct front_ring *ring) { return ring->req_prod - ring->rsp_cons == ring->size; }
/* True: the back end wants to be told. */
int ring_push(struct front_ring *ring);
/* True: there are more responses; otherwise the back end will tell. */
int ring_more(struct front_ring *ring);

/* disk.c: the block device's front end. */
struct disk { struct device device; struct front_ring ring; u32 port; u64 sectors, info, sector_size; volatile u64 events;
  u32 in_flight; struct disk_request *finished; };
struct disk_request { u8 operation; u64 sector; u32 sectors; u8 *buffer; volatile int done; s16 status; u32 references[11], count;
  struct disk_request *next; };
int disk_begin(struct disk *disk, u64 index);
/* At most 11 pages; the buffer is aligned to 512 bytes. False: no room in the ring. */
int disk_submit(struct disk *disk, struct disk_request *request);
void disk_notify(struct disk *disk);
/* Takes responses; how many. Their requests are in `finished`, for whoever takes them from there. */
u64 disk_collect(struct disk *disk);
s16 disk_do(struct disk *disk, u8 operation, u64 sector, u32 sectors, void *buffer);
void disk_end(struct disk *disk);
void test_disk(void);
/* scsi.c: the SCSI host's front end. */
#define SCSI_SEGMENTS 26
#define SCSI_COMMANDS 64
enum { SCSI_COMMAND = 1, SCSI_ABORT, SCSI_RESET };
enum { TO_DEVICE = 1, FROM_DEVICE, NO_DATA };
struct scsi_command { u16 target; u8 act, length, direction, command[16], *buffer; u64 size; volatile int done; s32 result;
  u32 residual, references[SCSI_SEGMENTS]; u8 segments, sense_length, sense[96];
  struct scsi_command *next; };
struct scsi { struct device device; struct front_ring ring; u32 port; volatile u64 events; struct scsi_command *commands[SCSI_COMMANDS],
  *finished; };
int scsi_begin(struct scsi *host);
/* At most 26 pages. False: no room in the ring. */
int scsi_submit(struct scsi *host, struct scsi_command *command);
void scsi_notify(struct scsi *host);
/* As disk_collect. */
u64 scsi_collect(struct scsi *host);
/* The result, when it has come. */
s32 scsi_do(struct scsi *host, struct scsi_command *command);
void scsi_end(struct scsi *host);
/* test_scsi.c */
void test_scsi(void);
/* screen.c: shows a picture, and prints what is typed and pointed at. */
void run_screen(void);
void test_screen(void);

/* net.c: the network interface's front end. */
struct net { struct device device; struct front_ring tx, rx; u32 port; u8 mac[6]; volatile u64 events; u64 sent, received, errors; };
int net_begin(struct net *net, u64 index);
/* False: no room. */
int net_send(struct net *net, const void *frame, u64 size);
/* The next frame's size; 0: there is none. */
u64 net_receive(struct net *net, void *frame, u64 size);
void net_wait(struct net *net, u64 nanoseconds);
void run_echo(void);
void run_answer(const char *address);
void run_ping(u64 count);
#endif
