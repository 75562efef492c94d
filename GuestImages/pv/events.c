/* Event channels: the upcall and its handlers. */
#include "xen.h"

static event_handler handlers[4096];
volatile u64 upcalls, events_sent;

int fully_virtual;

/* A fully virtualized domain's processor 0 has all events. */
static u64 current_processor(void) { return fully_virtual ? 0 : (REG(u64, 0xc18) - XSI - 1) / 0x30; }

void events_set_handler(u32 port, event_handler handler) { handlers[port] = handler; }

void event_unmask(u32 port) { call2(EVENT_CHANNEL_OP, 9, &port); }
void event_send(u32 port) {
  events_sent++;
  call2(EVENT_CHANNEL_OP, 4, &port);
}

void events_dispatch(void) {
  u64 info = current_processor() * 0x30;
  upcalls++;
  while (SHARED(u8, info)) {
    SHARED(u8, info) = 0;
    barrier();
    u64 selector = __atomic_exchange_n(&SHARED(u64, info + 8), 0, __ATOMIC_ACQ_REL);
    for (u64 word = 0; selector; word++, selector >>= 1) {
      if (!(selector & 1)) continue;
      u64 pending = SHARED(u64, 0xc00 + word * 8) & ~SHARED(u64, 0xe00 + word * 8);
      for (u64 bit = 0; pending; bit++, pending >>= 1) {
        if (!(pending & 1)) continue;
        u32 port = word * 64 + bit;
        __atomic_fetch_and(&SHARED(u64, 0xc00 + word * 8), ~(1UL << bit), __ATOMIC_ACQ_REL);
        if (handlers[port]) handlers[port](port);
      }
    }
  }
}

void events_begin(void) {
  struct { u16 type, flags; u32 pad; u64 address; } callback = {0, 0, 0, (u64)event_entry};
  check_equal("callback_op register event", call2(CALLBACK_OP, 0, &callback), 0);
}

u32 event_bind_virq(u32 virq, u32 vcpu, event_handler handler) {
  struct { u32 virq, vcpu, port; } bind = {virq, vcpu, 0};
  if (call2(EVENT_CHANNEL_OP, 1, &bind)) return 0;
  handlers[bind.port] = handler;
  event_unmask(bind.port);
  return bind.port;
}

/* Sleeps until a handler has counted that far. */
void wait_for(volatile u64 *counter, u64 value) {
  for (;;) {
    mask_events();
    if (*counter >= value) break;
    /* Unmasks, but for interrupts of a fully virtualized domain. */
    hypercall(1, 0, 0, 0, 0, SCHED_OP);
    unmask_events();
  }
  unmask_events();
}

void set_timer(u64 ticks) { HYPER(0xc, itc() + ticks, 0); }
