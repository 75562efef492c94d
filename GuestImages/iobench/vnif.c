/* The network interface of a PV domain, or of an HVM domain with such drivers, by pv/net.c. */
#include "iobench.h"

static struct net net;

static int send(const void *frame, u64 size) { return net_send(&net, frame, size); }
static u64 receive(void *frame, u64 size) { return net_receive(&net, frame, size); }
static int ready(void) { return ring_more(&net.rx); }
static int begin(struct interface *interface) {
  if (!paravirtual && !hvm_begin()) return 0;
  if (!net_begin(&net, 0)) return 0;
  memory_copy(interface->mac, net.mac, 6);
  return 1;
}

struct interface vnif_interface = {"vnif", begin, send, receive, ready};
