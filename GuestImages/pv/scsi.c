/* The SCSI host's front end (xen/include/public/io/vscsiif.h): one for the first host of a domain. */
#include "xenbus.h"

struct segment { u32 reference; u16 offset, length; };
struct request {
  u16 id; u8 act, command_length, command[16]; u16 timeout, channel, target, unit, pad; u8 direction, segments;
  struct segment segment[SCSI_SEGMENTS]; u32 reserved[3];
} __attribute__((packed));
struct response { u16 id; u8 pad, sense_length, sense[96]; s32 result; u32 residual, reserved[36]; } __attribute__((packed));
_Static_assert(sizeof(struct request) == 0xfc && sizeof(struct response) == 0xfc, "vscsiif");

static struct scsi *the_host;
static void on_scsi(u32 port) { the_host->events++; }

int scsi_begin(struct scsi *host) {
  memory_set(host, 0, sizeof *host);
  the_host = host;
  if (!device_find(&host->device, "vscsi", 0)) return 0;
  struct ring_page *page = pages(1);
  ring_begin(&host->ring, page, sizeof(struct request));
  u32 reference = grant(host->device.backend_domain, page, 0);
  host->port = device_port(&host->device, on_scsi);
  u32 t;
  do {
    t = store_start();
    device_write(t, &host->device, "ring-ref", reference);
    device_write(t, &host->device, "event-channel", host->port);
  } while (store_end(t, 1) == -11);
  device_switch(&host->device, INITIALISED);
  if (device_wait(&host->device, CONNECTED, CLOSING) != CONNECTED) return 0;
  device_write(0, &host->device, "vscsi-devs/dev-0/state", INITIALISED);
  device_switch(&host->device, CONNECTED);
  return 1;
}

int scsi_submit(struct scsi *host, struct scsi_command *c) {
  u16 id = 0;
  while (id < SCSI_COMMANDS && host->commands[id]) id++;
  if (id == SCSI_COMMANDS || ring_full(&host->ring)) return 0;
  struct request *r = ring_slot(&host->ring, host->ring.req_prod);
  memory_set(r, 0, sizeof *r);
  r->id = id;
  r->act = c->act;
  r->command_length = c->length;
  memory_copy(r->command, c->command, c->length);
  r->target = c->target;
  r->direction = c->direction;
  for (u64 done = 0; done < c->size; r->segments++) {
    u64 offset = (u64)(c->buffer + done) & (PAGE - 1), count = PAGE - offset < c->size - done ? PAGE - offset : c->size - done;
    c->references[r->segments] = grant(host->device.backend_domain, c->buffer + done, c->direction == TO_DEVICE);
    r->segment[r->segments] = (struct segment){c->references[r->segments], offset, count};
    done += count;
  }
  c->segments = r->segments;
  c->done = 0;
  host->commands[id] = c;
  host->ring.req_prod++;
  return 1;
}

void scsi_notify(struct scsi *host) { if (ring_push(&host->ring)) event_send(host->port); }

u64 scsi_collect(struct scsi *host) {
  u64 n = 0;
  do {
    while (host->ring.rsp_cons != host->ring.page->rsp_prod) {
      barrier();
      struct response *r = ring_slot(&host->ring, host->ring.rsp_cons++);
      struct scsi_command *c = r->id < SCSI_COMMANDS ? host->commands[r->id] : 0;
      if (!c) continue;
      host->commands[r->id] = 0;
      c->result = r->result;
      c->residual = r->residual;
      c->sense_length = r->sense_length;
      if (r->sense_length) memory_copy(c->sense, r->sense, sizeof c->sense);
      for (u8 i = 0; i < c->segments; i++) ungrant(c->references[i]);
      c->done = 1;
      c->next = host->finished;
      host->finished = c;
      n++;
    }
  } while (ring_more(&host->ring));
  return n;
}

s32 scsi_do(struct scsi *host, struct scsi_command *c) {
  if (!scsi_submit(host, c)) return -1;
  scsi_notify(host);
  for (;;) {
    u64 seen = host->events;
    scsi_collect(host);
    if (c->done) return c->result;
    wait_for(&host->events, seen + 1);
  }
}

void scsi_end(struct scsi *host) {
  device_switch(&host->device, CLOSING);
  device_wait(&host->device, CLOSING, CLOSED);
  device_switch(&host->device, CLOSED);
}
