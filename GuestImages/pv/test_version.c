/* xen_version, hvm_op, physdev_op, calls that are not for guests, and several in one. */
#include "xen.h"

static char buffer[1024];

static s64 ask(u64 command) { memory_set(buffer, 0, sizeof buffer); return call2(XEN_VERSION, command, buffer); }

void test_version(void) {
  s64 version = call2(XEN_VERSION, 0, 0);
  check("version 3 or 4", version >> 16 == 3 || version >> 16 == 4);
  check_equal("extraversion", ask(1), 0);
  check("it begins with a dot", buffer[0] == '.');
  check_equal("compile_info", ask(2), 0);
  check_equal("capabilities", ask(3), 0);
  check("they name this kind of domain", starts(buffer, "xen-3.0-ia64"));
  check_equal("changeset", ask(4), 0);
  check_equal("platform_parameters", ask(5), 0);
  check_equal("virt_start", *(u64 *)buffer, 0xf000000000000000);
  check_equal("features", ask(6), 0);
  check_equal("auto_translated_physmap", *(u32 *)(buffer + 4) & 4, 4);
  *(u32 *)buffer = 7;
  check_equal("features: no such submap", call2(XEN_VERSION, 6, buffer), -22);
  check_equal("pagesize", call2(XEN_VERSION, 7, 0), PAGE);
  check_equal("guest_handle", ask(8), 0);
  check_equal("no such version", ask(30), -38);
  check_equal("a bad pointer", hypercall(1, 0x7000000000000000 | 1UL << 63, 0, 0, 0, XEN_VERSION), -14);
  check_equal("a null pointer", hypercall(1, 0, 0, 0, 0, XEN_VERSION), -14);

  /* By a descriptor: the last bytes of one page and the first of another. */
  u8 *p = pages(3);
  u64 *d = (u64 *)(p + 2 * PAGE);
  *(u32 *)d = 0x58434f4d;
  *((u32 *)d + 1) = 3;
  d[1] = physical(p + 2 * PAGE - 100);
  d[2] = ~0UL;
  d[3] = physical(p);
  check_equal("xencomm descriptor", hypercall(3, physical(d), 0, 0, 0, XEN_VERSION), 0);
  check("its first piece", starts((char *)p + 2 * PAGE - 100, "xen-3.0-ia64"));
  *((u32 *)d + 1) = 1;
  check_equal("a descriptor that ends too early", hypercall(3, physical(d), 0, 0, 0, XEN_VERSION), -14);

  struct { u64 op, result, args[6]; } calls[3] = {{XEN_VERSION, 99, {7, 0}}, {XEN_VERSION, 99, {30, 0}}, {MULTICALL, 99, {0, 0}}};
  check_equal("multicall", hypercall(handle(calls), 3, 0, 0, 0, MULTICALL), 0);
  check_equal("multicall: first", calls[0].result, PAGE);
  check_equal("multicall: second", calls[1].result, -38);
  check_equal("multicall: one inside", calls[2].result, -22);

  check_equal("domctl", call2(DOMCTL, 0, buffer), -1);
  check_equal("console_io", call2(CONSOLE_IO, 0, buffer), -1);
  check_equal("set_timer_op", hypercall(0, 0, 0, 0, 0, 15), -38);
  check_equal("no such call", hypercall(0, 0, 0, 0, 0, 63), -38);
  struct { u16 domain; u32 index; u64 value; } parameter = {SELF, 1, 0};
  check_equal("hvm_op of a PV domain", call2(HVM_OP, 1, &parameter), -22);
  u32 irq[2] = {3, 99};
  check_equal("physdev eoi", call2(PHYSDEV_OP, 12, irq), 0);
  check_equal("physdev irq_status_query", call2(PHYSDEV_OP, 5, irq), 0);
  check_equal("no eoi needed", irq[1], 0);
  check_equal("fast_eoi of a line that is not ours", hypercall(3, 0, 0, 0, 0, FAST_EOI), -22);
  struct { u16 type, flags; u32 pad; u64 address; } callback = {0, 0, 0, 0xf100000000000000};
  check_equal("callback in the hypervisor's hole", call2(CALLBACK_OP, 0, &callback), -22);
  callback.type = 5;
  callback.address = 0;
  check_equal("no such callback", call2(CALLBACK_OP, 0, &callback), -38);
  check_equal("callback unregister", call2(CALLBACK_OP, 1, &callback), -22);
}
