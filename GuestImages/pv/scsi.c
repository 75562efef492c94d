/* The SCSI host's front end (xen/include/public/io/vscsiif.h), and what it finds: one disk after another. */
#include "xenbus.h"

struct segment { u32 reference; u16 offset, length; };
struct request {
  u16 id; u8 act, command_length, command[16]; u16 timeout, channel, target, unit, pad; u8 direction, segments;
  struct segment segment[26]; u32 reserved[3];
} __attribute__((packed));
struct response { u16 id; u8 pad, sense_length, sense[96]; s32 result; u32 residual, reserved[36]; } __attribute__((packed));

enum { COMMAND = 1, ABORT, RESET };
enum { TO_DEVICE = 1, FROM_DEVICE, NO_DATA };

static struct device device;
static struct front_ring ring;
static u32 port;
static volatile u64 events;
static void on_scsi(u32 p) { events++; }
static struct response last;

static s32 perform(u16 target, u8 act, const u8 *command, u8 length, u8 direction, u8 *buffer, u64 size) {
  static u16 id;
  struct request *r = ring_slot(&ring, ring.req_prod);
  memory_set(r, 0, sizeof *r);
  r->id = ++id;
  r->act = act;
  r->command_length = length;
  memory_copy(r->command, command, length);
  r->target = target;
  r->direction = direction;
  u32 references[26];
  for (u64 done = 0; done < size; r->segments++) {
    u64 offset = (u64)(buffer + done) & (PAGE - 1), count = PAGE - offset < size - done ? PAGE - offset : size - done;
    references[r->segments] = grant(device.backend_domain, buffer + done, direction == TO_DEVICE);
    r->segment[r->segments] = (struct segment){references[r->segments], offset, count};
    done += count;
  }
  u8 segments = r->segments;
  ring.req_prod++;
  if (ring_push(&ring)) event_send(port);
  for (;;) {
    u64 seen = events;
    if (ring_more(&ring)) break;
    wait_for(&events, seen + 1);
  }
  barrier();
  memory_copy(&last, ring_slot(&ring, ring.rsp_cons++), sizeof last);
  check_equal("scsi: the answer's number", last.id, id);
  for (u8 n = 0; n < segments; n++) ungrant(references[n]);
  return last.result;
}

static int begin(void) {
  if (!device_find(&device, "vscsi", 0)) return 0;
  struct ring_page *page = pages(1);
  ring_begin(&ring, page, sizeof(struct request));
  u32 reference = grant(device.backend_domain, page, 0);
  port = device_port(&device, on_scsi);
  u32 t;
  do {
    t = store_start();
    device_write(t, &device, "ring-ref", reference);
    device_write(t, &device, "event-channel", port);
  } while (store_end(t, 1) == -11);
  device_switch(&device, INITIALISED);
  if (device_wait(&device, CONNECTED, CLOSING) != CONNECTED) return 0;
  device_write(0, &device, "vscsi-devs/dev-0/state", INITIALISED);
  device_switch(&device, CONNECTED);
  return 1;
}

void test_scsi(void) {
  if (!begin()) return;
  check_equal("scsi: request and response", sizeof(struct request) == 0xfc && sizeof(struct response) == 0xfc, 1);
  char text[32], path[128];
  join(path, device.backend, "vscsi-devs/dev-0/v-dev");
  check_equal("scsi: v-dev", store_read(0, path, text, sizeof text), 0);
  check_equal("scsi: the first unit", compare(text, "0:0:0:0", 8), 0);
  u8 *buffer = pages(26), *back = pages(26);
  static const u8 test_unit_ready[6] = {0}, inquiry[6] = {0x12, 0, 0, 0, 36, 0}, capacity[10] = {0x25};
  static const u8 report_luns[12] = {0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64};
  /* What a unit has to say first: that it was switched on. */
  s32 first = perform(0, COMMAND, test_unit_ready, 6, NO_DATA, 0, 0);
  check("scsi: unit attention or ready", first == 0 || (first == 0x08000002 && last.sense_length >= 18 && (last.sense[2] & 15) == 6));
  check_equal("scsi: ready", perform(0, COMMAND, test_unit_ready, 6, NO_DATA, 0, 0), 0);
  check_equal("scsi: INQUIRY", perform(0, COMMAND, inquiry, 6, FROM_DEVICE, buffer, 36), 0);
  check_equal("scsi: a disk", buffer[0] & 0x1f, 0);
  check_equal("scsi: READ CAPACITY", perform(0, COMMAND, capacity, 10, FROM_DEVICE, buffer, 8), 0);
  u64 blocks = ((u64)buffer[0] << 24 | buffer[1] << 16 | buffer[2] << 8 | buffer[3]) + 1;
  check("scsi: blocks", blocks > 2048);
  check_equal("scsi: their size", buffer[6], 2);
  check_equal("scsi: REPORT LUNS", perform(0, COMMAND, report_luns, 12, FROM_DEVICE, buffer, 64), 0);
  check_equal("scsi: one unit", buffer[3], 8);
  for (u64 n = 0; n < 26 * PAGE; n++) buffer[n] = n * 7 + n / 512;
  u32 count = 26 * PAGE / 512;
  u8 transfer[10] = {0x2a, 0, 0, 0, 0, 100, 0, count >> 8, count};
  check_equal("scsi: WRITE(10) of 26 pages", perform(0, COMMAND, transfer, 10, TO_DEVICE, buffer, 26 * PAGE), 0);
  transfer[0] = 0x28;
  check_equal("scsi: READ(10)", perform(0, COMMAND, transfer, 10, FROM_DEVICE, back, 26 * PAGE), 0);
  check_equal("scsi: what was written", compare(buffer, back, 26 * PAGE), 0);
  transfer[2] = 0x7f;
  check_equal("scsi: beyond the end: check condition", perform(0, COMMAND, transfer, 10, FROM_DEVICE, back, 26 * PAGE), 0x08000002);
  check_equal("scsi: illegal request", last.sense[2] & 15, 5);
  check_equal("scsi: no such unit", perform(5, COMMAND, test_unit_ready, 6, NO_DATA, 0, 0), 0x00010000);
  check("scsi: reset", perform(0, RESET, test_unit_ready, 6, NO_DATA, 0, 0) == 0x2002);
  device_switch(&device, CLOSING);
  device_wait(&device, CLOSING, CLOSED);
  device_switch(&device, CLOSED);
}
