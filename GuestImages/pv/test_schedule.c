/* sched_op, the interval timer, and vcpu_op's timers. */
#include "xen.h"

static volatile u64 itc_ticks, timer_ticks;
static void on_itc(u32 port) { itc_ticks++; }
static void on_timer(u32 port) { timer_ticks++; }

struct runstate { u32 state; u64 entered, time[4]; };
static u64 now(void) { static struct runstate r; hypercall(4, 0, handle(&r), 0, 0, VCPU_OP); return r.entered; }

void test_schedule(void) {
  u32 port = event_bind_virq(16, 0, on_itc);
  check("VIRQ_ITC", port != 0);
  REG(u64, 0xa40) = 0xef;
  u64 start = itc();
  set_timer(100000);
  wait_for(&itc_ticks, 1);
  u64 ticks = itc() - start;
  check("block until the timer", ticks >= 100000 && ticks < 200000);
  check("time passes", 1);
  /* Busy instead of asleep. */
  set_timer(50000);
  while (itc_ticks < 2) asm volatile("" ::: "memory");
  check_equal("the timer interrupts", itc_ticks, 2);
  check_equal("yield", hypercall(0, 0, 0, 0, 0, SCHED_OP), 0);
  check_equal("yield by the old call", hypercall(0, 0, 0, 0, 0, 6), 0);

  u32 timer = event_bind_virq(0, 0, on_timer);
  check("VIRQ_TIMER", timer != 0);
  struct { u64 when; u32 flags; } single = {now() + 1000000, 0};
  check_equal("set_singleshot_timer", hypercall(8, 0, handle(&single), 0, 0, VCPU_OP), 0);
  wait_for(&timer_ticks, 1);
  check("it was not early", now() >= single.when);
  single.when = 1;
  single.flags = 1;
  check_equal("set_singleshot_timer in the past", hypercall(8, 0, handle(&single), 0, 0, VCPU_OP), -62);
  u64 period = 2000000;
  u64 from = now();
  check_equal("set_periodic_timer", hypercall(6, 0, handle(&period), 0, 0, VCPU_OP), 0);
  wait_for(&timer_ticks, 4);
  check_equal("stop_periodic_timer", hypercall(7, 0, 0, 0, 0, VCPU_OP), 0);
  check("three periods", now() - from >= 3 * period && now() - from < 4 * period);
  period = 100;
  check_equal("a period that is too short", hypercall(6, 0, handle(&period), 0, 0, VCPU_OP), -22);
  check_equal("stop_singleshot_timer", hypercall(9, 0, 0, 0, 0, VCPU_OP), 0);

  /* poll: events masked, a port that another event raises; then one that nothing raises. */
  mask_events();
  struct { u64 ports; u32 count; u64 timeout; } poll = {handle(&timer), 1, now() + 50000000};
  single.when = now() + 500000;
  single.flags = 0;
  hypercall(8, 0, handle(&single), 0, 0, VCPU_OP);
  from = now();
  check_equal("poll", call2(SCHED_OP, 3, &poll), 0);
  check("woken by the port", now() >= single.when && now() < single.when + 1000000);
  unmask_events();
  wait_for(&timer_ticks, 5);
  mask_events();
  poll.timeout = now() + 3000000;
  check_equal("poll with a timeout", call2(SCHED_OP, 3, &poll), 0);
  check("until the timeout", now() >= poll.timeout && now() < poll.timeout + 1000000);
  poll.count = 1000;
  check_equal("poll of too many", call2(SCHED_OP, 3, &poll), -22);
  unmask_events();

  struct runstate r;
  check_equal("get_runstate_info", hypercall(4, 0, handle(&r), 0, 0, VCPU_OP), 0);
  check_equal("running", r.state, 0);
  check("it has been blocked", r.time[2] > 0);
  u64 area = handle(&r);
  check_equal("register_runstate_memory_area", hypercall(5, 0, handle(&area), 0, 0, VCPU_OP), 0);
  check_equal("is_up", hypercall(3, 0, 0, 0, 0, VCPU_OP), 1);
  check_equal("vcpu_op: a number that is too large", hypercall(3, 64, 0, 0, 0, VCPU_OP), -22);
  check_equal("vcpu_op: no such processor", hypercall(3, 63, 0, 0, 0, VCPU_OP), -2);
  check_equal("register_vcpu_info", hypercall(10, 0, handle(&r), 0, 0, VCPU_OP), -38);
  struct { u32 id, seconds; } watchdog = {0, 100};
  u64 id = call2(SCHED_OP, 6, &watchdog);
  check("watchdog", id == 1);
  watchdog.id = id;
  watchdog.seconds = 0;
  check_equal("stop the watchdog", call2(SCHED_OP, 6, &watchdog), 0);
  struct { u16 domain; u32 reason; } remote = {3, 0};
  check_equal("remote_shutdown", call2(SCHED_OP, 4, &remote), -1);
  check_equal("no such sched_op", call2(SCHED_OP, 77, &remote), -38);
}
