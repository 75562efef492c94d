/* Work on a disk. */
#include "iobench.h"

#define DEPTH 32
static struct block_device *const devices[] = {&ide_disk, &scsi_disk, &virtio_disk, &vbd_disk, &vscsi_disk};
static struct request requests[DEPTH];
volatile u64 requests_done;

void request_done(struct request *r, int status) {
  r->end = itc();
  r->status = status;
  r->done = 1;
  requests_done++;
}

static struct block_device *find(const char *name) {
  static struct block_device *found;
  if (found && same(found->name, name)) return found;
  for (u64 n = 0; n < sizeof devices / sizeof *devices; n++) {
    if (!same(devices[n]->name, name)) continue;
    if (!devices[n]->begin(devices[n])) break;
    return found = devices[n];
  }
  print("IOBENCH there is no disk %s\n", name);
  finish_run(1);
}

/* Requests that are not with the device yet, in their order. */
static struct request *waiting[DEPTH];
static u32 waiting_count;

/* Gives the device what it takes, and takes what it gives. */
static void drive(struct block_device *device) {
  u32 given = 0;
  cpu_mask();
  while (given < waiting_count && device->submit(waiting[given])) given++;
  cpu_unmask();
  if (given) {
    waiting_count -= given;
    for (u32 n = 0; n < waiting_count; n++) waiting[n] = waiting[n + given];
    if (device->kick) device->kick();
  }
  if (device->collect) device->collect();
}

static void begin_request(struct request *r) {
  r->done = r->status = 0;
  r->begin = itc();
  waiting[waiting_count++] = r;
}

/* Until something more than `seen` is done. */
static void await(struct block_device *device, u64 seen) {
  cpu_mask();
  if (requests_done == seen && !(device->ready && device->ready())) cpu_wait(); else cpu_unmask();
}

/* name:seq|random:read|write:bytes:depth:count */
void run_block(const char *words) {
  struct block_device *device = find(next_word(&words));
  int random = same(next_word(&words), "random"), write = same(next_word(&words), "write");
  u64 bytes = number(next_word(&words)), depth = number(next_word(&words)), count = number(next_word(&words));
  u64 sectors = bytes / 512, places = device->sectors / sectors, errors = 0, seed = 1;
  static u8 *buffers;
  if (!buffers) buffers = pages(DEPTH << 20 >> PAGE_SHIFT);
  results_begin();
  mark_begin();
  u64 start = itc(), begun = 0, finished = 0;
  int active[DEPTH] = {0};
  for (;;) {
    u64 seen = requests_done;
    for (u64 n = 0; n < depth; n++) {
      struct request *r = &requests[n];
      if (active[n]) {
        if (!r->done) continue;
        active[n] = 0;
        finished++;
        errors += r->status != 0;
        results_add(r->end - r->begin);
      }
      if (begun == count) continue;
      seed = seed * 6364136223846793005 + 1442695040888963407;
      u64 place = random ? (u64)((unsigned __int128)seed * places >> 64) : begun % places;
      *r = (struct request){place * sectors, sectors, write, buffers + (n << 20)};
      begin_request(r);
      active[n] = 1;
      begun++;
    }
    if (finished == count) break;
    drive(device);
    await(device, seen);
  }
  u64 end = itc();
  mark_end();
  results_print(count, count * bytes, end - start, errors);
}

static void do_request(struct block_device *device, u64 sector, u32 sectors, int write, void *buffer) {
  struct request *r = &requests[0];
  *r = (struct request){sector, sectors, write, buffer};
  begin_request(r);
  while (!r->done) {
    u64 seen = requests_done;
    drive(device);
    if (!r->done) await(device, seen);
  }
  check_equal("status", r->status, 0);
}

static u64 pattern(u64 sector, u64 word) { return sector * 0x9e3779b97f4a7c15 + word * 0xbf58476d1ce4e5b9; }

/* Writes patterns of all sizes and reads them back. */
void check_block(const char *words) {
  struct block_device *device = find(next_word(&words));
  u8 *buffer = pages(64), *back = pages(64);
  u64 sector = 3;
  for (u32 sectors = 1; sectors <= 2048; sectors = sectors * 3 + 1, sector += sectors) {
    for (u64 n = 0; n < sectors * 64UL; n++) ((u64 *)buffer)[n] = pattern(sector + n / 64, n % 64);
    memory_set(back, 0, sectors * 512);
    do_request(device, sector, sectors, 1, buffer);
    do_request(device, sector, sectors, 0, back);
    check_equal("what was written", compare(buffer, back, sectors * 512), 0);
  }
  for (u64 n = 0; n < 2048 * 64UL; n++) ((u64 *)buffer)[n] = pattern(sector + n / 64, n % 64);
  do_request(device, sector, 2048, 1, buffer);
  /* As many at a time as there may be. */
  memory_set(back, 0, 1 << 20);
  for (u64 n = 0; n < DEPTH; n++) {
    requests[n] = (struct request){sector + n * 64, 64, 0, back + n * 64 * 512};
    begin_request(&requests[n]);
  }
  for (u64 n = 0; n < DEPTH; n++) {
    while (!requests[n].done) {
      u64 seen = requests_done;
      drive(device);
      if (!requests[n].done) await(device, seen);
    }
    check_equal("status of many", requests[n].status, 0);
  }
  check_equal("what many have read", compare(buffer, back, 1 << 20), 0);
  print("IOBENCH checked %d failed %d\n", passed, failed);
}
