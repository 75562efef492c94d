/* A second processor, if the domain has one: started through SAL, interrupted through an event channel. */
#include "xen.h"

static volatile u64 second_is_here, second_events, first_events;
static u32 to_second, to_first;
static void on_second(u32 port) { second_events++; event_send(to_first); }
static void on_first(u32 port) { first_events++; }

void second_main(u64 nothing, u64 rsc) {
  check_equal("second: interrupt_mask_addr", REG(u64, 0xc18), XSI + 0x30 + 1);
  u64 lid;
  asm volatile("mov %0 = cr.lid;;" : "=r"(lid));
  check_equal("second: cr.lid", lid, 1UL << 24);
  events_begin();
  unmask_events();
  second_is_here = 1;
  for (;;) hypercall(1, 0, 0, 0, 0, SCHED_OP);
}

static void interrupt(u64 vcpu, u64 vector) {
  register u64 r14 asm("r14") = vcpu;
  register u64 r15 asm("r15") = vector;
  register u64 r2 asm("r2") = 0x400;
  asm volatile("break 0x1000;;" : "+r"(r2), "+r"(r14), "+r"(r15) :: "r8", "r9", "r10", "r11", "memory");
}

void test_processors(void) {
  /* Nobody answers to that number, and nothing happens. */
  interrupt(63, 0x33);
  check("an interrupt to nobody", 1);
  if ((s64)hypercall(3, 1, 0, 0, 0, VCPU_OP) < 0) return;
  check_equal("is_up of one that is down", hypercall(3, 1, 0, 0, 0, VCPU_OP), 0);
  struct firmware_call call = {(u64)virtual(0x820), {0x1000000, 2, physical(start_second), 0}, {0}};
  call_firmware(&call);
  check_equal("SAL_SET_VECTORS", call.results[0], 0);
  struct { u32 vcpu, port; } ipi = {1, 0};
  check_equal("bind_ipi to the second", call2(EVENT_CHANNEL_OP, 7, &ipi), 0);
  to_second = ipi.port;
  ipi.vcpu = 0;
  call2(EVENT_CHANNEL_OP, 7, &ipi);
  to_first = ipi.port;
  events_set_handler(to_second, on_second);
  events_set_handler(to_first, on_first);
  event_unmask(to_second);
  event_unmask(to_first);
  interrupt(1, 0xf3);
  for (u64 end = itc() + 100000000; !second_is_here && itc() < end;) hypercall(0, 0, 0, 0, 0, SCHED_OP);
  check_equal("the second processor runs", second_is_here, 1);
  check_equal("is_up", hypercall(3, 1, 0, 0, 0, VCPU_OP), 1);
  for (u64 n = 1; n <= 10; n++) {
    event_send(to_second);
    wait_for(&first_events, n);
  }
  check_equal("to and fro", second_events, 10);
  check_equal("down", hypercall(2, 1, 0, 0, 0, VCPU_OP), 0);
  check_equal("is down", hypercall(3, 1, 0, 0, 0, VCPU_OP), 0);
  check_equal("initialise one that is", hypercall(0, 1, handle(start_info), 0, 0, VCPU_OP), -17);
}
