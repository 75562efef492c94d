/* A guest that uses every hypercall and hyperprivop of Xen/ia64, and checks what it gets. The command line may choose something else: "echo"
   answers frames of another one, "ping N" sends them, "answer ADDRESS" answers pings of anybody, "disk" checks the disk only, "screen"
   shows a picture. */
#include "xenbus.h"

struct boot *boot;
u8 *start_info;
u64 total_frames;

static void finish(u32 reason) {
  call2(SCHED_OP, 2, &reason);
  for (;;);
}

static void begin_services(void) {
  grants_begin();
  store_begin(*(u64 *)(start_info + 0x38), *(u32 *)(start_info + 0x40));
}

static void run_checks(u64 rsc) {
  test_start(rsc);
  test_hyperprivops();
  test_privileged();
  test_traps();
  test_version();
  test_memory();
  test_events();
  test_schedule();
  test_firmware();
  test_assist();
  test_optional();
  test_processors();
  test_grants();
  test_store();
  test_disk();
  test_scsi();
  test_screen();
}

void main(u64 boot_physical, u64 rsc) {
  boot = virtual(boot_physical);
  start_info = virtual(boot_physical & ~(PAGE - 1));
  total_frames = *(u64 *)(start_info + 0x20);
  console_begin(*(u64 *)(start_info + 0x48), *(u32 *)(start_info + 0x50));
  print("Epicure PV guest, %d frames\n", total_frames);
  /* Nothing has a handler yet. */
  for (u64 word = 0; word < 64; word++) SHARED(u64, 0xe00 + word * 8) = ~0UL;
  events_begin();
  unmask_events();
  const char *command = virtual(boot->command_line);
  if (starts(command, "echo")) {
    begin_services();
    run_echo();
  } else if (starts(command, "ping")) {
    begin_services();
    run_ping(number(command + 5));
  } else if (starts(command, "answer")) {
    begin_services();
    run_answer(command + 7);
  } else if (starts(command, "screen")) {
    begin_services();
    run_screen();
  } else if (starts(command, "disk")) {
    begin_services();
    test_disk();
    test_scsi();
  } else {
    run_checks(rsc);
  }
  print("checks passed %d failed %d\n", passed, failed);
  print(failed ? "PV GUEST FAILED\n" : "PV GUEST PASSED\n");
  finish(failed ? 3 : 0);
}
