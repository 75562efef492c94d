/* event_channel_op: all its commands, against this domain itself. */
#include "xen.h"

#define OP(command, argument) call2(EVENT_CHANNEL_OP, command, argument)
static volatile u64 count_a, count_b, count_ipi;
static void on_a(u32 port) { count_a++; }
static void on_b(u32 port) { count_b++; }
static void on_ipi(u32 port) { count_ipi++; }

static int pending(u32 port) { return SHARED(u64, 0xc00 + port / 64 * 8) >> (port & 63) & 1; }

void test_events(void) {
  struct { u16 domain, remote; u32 port; } unbound = {SELF, SELF, 0};
  check_equal("alloc_unbound", OP(6, &unbound), 0);
  struct { u16 domain; u32 port; u32 status, vcpu; union { struct { u16 domain; u32 port; } peer; u32 number; }; } status =
    {SELF, unbound.port};
  check_equal("status", OP(5, &status), 0);
  check_equal("unbound", status.status, 1);
  struct { u16 remote; u32 remote_port, local; } bind = {SELF, unbound.port, 0};
  check_equal("bind_interdomain", OP(0, &bind), 0);
  check("pending at once", pending(bind.local));
  check_equal("status of the peer", (OP(5, &status), status.status), 2);
  check_equal("its peer", status.peer.port, bind.local);
  check_equal("bind_interdomain again", OP(0, &bind), -22);
  u32 a = unbound.port, b = bind.local;
  events_set_handler(a, on_a);
  events_set_handler(b, on_b);
  event_unmask(b);
  check_equal("unmask delivers what was pending", count_b, 1);
  event_send(a);
  check_equal("send", count_b, 2);
  event_send(b);
  check_equal("a masked port", count_a, 0);
  check("is pending", pending(a));
  event_unmask(a);
  check_equal("until it is unmasked", count_a, 1);
  mask_events();
  event_send(a);
  check_equal("masked events", count_b, 2);
  u64 before = upcalls;
  unmask_events();
  check_equal("SSM_I delivers", count_b, 3);
  check_equal("in one upcall", upcalls, before + 1);
  struct { u32 port, vcpu; } rebind = {a, 0};
  check_equal("bind_vcpu", OP(8, &rebind), 0);
  rebind.vcpu = 77;
  check_equal("bind_vcpu: no such processor", OP(8, &rebind), -2);
  check_equal("close", OP(3, &a), 0);
  check_equal("close again", OP(3, &a), -22);
  status.port = b;
  OP(5, &status);
  check_equal("the peer is unbound", status.status, 1);
  check_equal("send to nobody", OP(4, &b), 0);
  check_equal("send from a closed port", OP(4, &a), -22);
  check_equal("close the other", OP(3, &b), 0);

  struct { u32 vcpu, port; } ipi = {0, 0};
  check_equal("bind_ipi", OP(7, &ipi), 0);
  events_set_handler(ipi.port, on_ipi);
  event_unmask(ipi.port);
  event_send(ipi.port);
  check_equal("an IPI to itself", count_ipi, 1);
  rebind.port = ipi.port;
  rebind.vcpu = 0;
  check_equal("bind_vcpu of an IPI", OP(8, &rebind), -22);
  OP(3, &ipi.port);

  struct { u32 virq, vcpu, port; } virq = {1, 0, 0};
  check_equal("bind_virq", OP(1, &virq), 0);
  check_equal("bind_virq again", OP(1, &virq), -17);
  OP(3, &virq.port);
  virq.virq = 24;
  check_equal("no such VIRQ", OP(1, &virq), -22);
  virq.virq = 3;
  virq.vcpu = 1;
  check_equal("a global VIRQ", OP(1, &virq), -22);
  struct { u32 pirq, flags, port; } pirq = {5, 0, 0};
  check("bind_pirq of a line that is not ours", OP(2, &pirq) < 0);
  unbound.domain = 5;
  check_equal("alloc_unbound for another", OP(6, &unbound), -1);
  check_equal("no such event_channel_op", OP(40, &unbound), -38);
}
