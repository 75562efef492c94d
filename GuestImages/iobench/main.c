/* The command line says what is to be done, in words like `block:scsi:seq:read:4096:8:1000`, `net:e1000:stream:1514:8:1000`, `check:ide`,
   `checknet:e1000`, `peer:e1000`. */
#include "iobench.h"

struct boot *boot;
u8 *start_info;
u64 total_frames;
int paravirtual;

/* Of the PV kernel's parts that are not used here. */
void second_main(void) {}
void test_user_trap(struct frame *f) {}
int assisted(struct frame *f) { return 0; }

void finish_run(int failure) {
  print(failure ? "IOBENCH FAILED\n" : "IOBENCH done\n");
  if (!paravirtual) machine_off(failure);
  u32 reason = failure ? 3 : 0;
  call2(SCHED_OP, 2, &reason);
  for (;;);
}

static void run(const char *job) {
  const char *rest = job;
  char *kind = next_word(&rest);
  if (same(kind, "block")) run_block(rest);
  else if (same(kind, "net")) run_network(rest);
  else if (same(kind, "check")) check_block(rest);
  else if (same(kind, "checknet")) check_network(rest);
  else if (same(kind, "peer")) run_peer(rest);
}

static void run_all(void) {
  const char *at = virtual(boot->command_line);
  while (*at) {
    static char job[128];
    u64 n = 0;
    while (*at == ' ') at++;
    while (*at && *at != ' ' && n < sizeof job - 1) job[n++] = *at++;
    job[n] = 0;
    if (n) run(job);
  }
  finish_run(failed != 0);
}

/* From pv/start.S. */
void main(u64 boot_physical, u64 rsc) {
  paravirtual = 1;
  boot = virtual(boot_physical);
  start_info = virtual(boot_physical & ~(PAGE - 1));
  total_frames = *(u64 *)(start_info + 0x20);
  console_begin(*(u64 *)(start_info + 0x48), *(u32 *)(start_info + 0x50));
  print("IOBENCH in a PV domain\n");
  for (u64 word = 0; word < 64; word++) SHARED(u64, 0xe00 + word * 8) = ~0UL;
  events_begin();
  unmask_events();
  grants_begin();
  store_begin(*(u64 *)(start_info + 0x38), *(u32 *)(start_info + 0x40));
  run_all();
}

/* From entry.S. */
void native_main(u64 boot_physical) {
  boot = virtual(boot_physical);
  machine_begin();
  print("IOBENCH on a machine\n");
  cpu_unmask();
  run_all();
}
