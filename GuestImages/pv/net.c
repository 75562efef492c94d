/* The network interface's front end, by copies (xen/include/public/io/netif.h). */
#include "xenbus.h"

struct tx { u32 reference; u16 offset, flags, id, size; };
struct tx_response { u16 id; s16 status; };
struct rx { u16 id, pad; u32 reference; };
struct rx_response { u16 id, offset, flags; s16 status; };

#define SLOTS 64
static u8 *tx_pages, *rx_pages;
static u32 tx_reference[SLOTS], rx_reference[SLOTS];
static u64 tx_free;
static struct net *the_net;
static void on_net(u32 port) { the_net->events++; }

/* Frames for which buffers are given together. */
#define BATCH 16

static void give(struct net *net) {
  while (net->rx.req_prod - net->rx.rsp_cons < SLOTS) {
    u32 n = net->rx.req_prod % SLOTS;
    struct rx *slot = ring_slot(&net->rx, net->rx.req_prod);
    *slot = (struct rx){net->rx.req_prod & (net->rx.size - 1), 0, rx_reference[n]};
    net->rx.req_prod++;
  }
  if (ring_push(&net->rx)) event_send(net->port);
}

static u8 digit(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

int net_begin(struct net *net, u64 index) {
  memory_set(net, 0, sizeof *net);
  the_net = net;
  if (!device_find(&net->device, "vif", index)) return 0;
  char path[96], mac[32];
  join(path, net->device.path, "mac");
  if (store_read(0, path, mac, sizeof mac)) return 0;
  for (int n = 0; n < 6; n++) net->mac[n] = digit(mac[n * 3]) << 4 | digit(mac[n * 3 + 1]);
  if (device_wait(&net->device, INIT_WAIT, CLOSING) != INIT_WAIT) return 0;
  struct ring_page *tx = pages(1), *rx = pages(1);
  ring_begin(&net->tx, tx, 12);
  ring_begin(&net->rx, rx, 8);
  u16 backend = net->device.backend_domain;
  tx_pages = pages(SLOTS);
  rx_pages = pages(SLOTS);
  tx_free = ~0UL;
  for (int n = 0; n < SLOTS; n++) {
    tx_reference[n] = grant(backend, tx_pages + n * PAGE, 1);
    rx_reference[n] = grant(backend, rx_pages + n * PAGE, 0);
  }
  net->port = device_port(&net->device, on_net);
  u32 tx_grant = grant(backend, tx, 0), rx_grant = grant(backend, rx, 0), t;
  do {
    t = store_start();
    device_write(t, &net->device, "tx-ring-ref", tx_grant);
    device_write(t, &net->device, "rx-ring-ref", rx_grant);
    device_write(t, &net->device, "event-channel", net->port);
    device_write(t, &net->device, "request-rx-copy", 1);
    device_write(t, &net->device, "feature-rx-notify", 1);
    device_write(t, &net->device, "feature-sg", 1);
  } while (store_end(t, 1) == -11);
  give(net);
  device_switch(&net->device, CONNECTED);
  return device_wait(&net->device, CONNECTED, CLOSING) == CONNECTED;
}

/* The back end need not tell of what has been sent as long as there is room for more. */
static void reclaim(struct net *net) {
  do {
    while (net->tx.rsp_cons != net->tx.page->rsp_prod) {
      barrier();
      struct tx_response *r = ring_slot(&net->tx, net->tx.rsp_cons);
      if (r->status < 0) net->errors++;
      if (r->status != 1) tx_free |= 1UL << (r->id % SLOTS);
      net->tx.rsp_cons++;
    }
  } while (!tx_free && ring_more(&net->tx));
}

int net_send(struct net *net, const void *frame, u64 size) {
  reclaim(net);
  if (!tx_free) return 0;
  u64 n = __builtin_ctzl(tx_free);
  tx_free &= ~(1UL << n);
  memory_copy(tx_pages + n * PAGE, frame, size);
  struct tx *slot = ring_slot(&net->tx, net->tx.req_prod);
  *slot = (struct tx){tx_reference[n], 0, 0, n, size};
  net->tx.req_prod++;
  if (ring_push(&net->tx)) event_send(net->port);
  net->sent++;
  return 1;
}

u64 net_receive(struct net *net, void *frame, u64 size) {
  /* Who waits asks to be told; who looks again does not. */
  if (net->rx.rsp_cons == net->rx.page->rsp_prod) return 0;
  barrier();
  struct rx_response *r = ring_slot(&net->rx, net->rx.rsp_cons);
  u64 n = net->rx.rsp_cons % SLOTS;
  u64 got = r->status > 0 ? r->status : 0;
  if (r->status < 0) net->errors++;
  if (got > size) got = size;
  memory_copy(frame, rx_pages + n * PAGE + r->offset, got);
  net->rx.rsp_cons++;
  net->received++;
  if (net->rx.req_prod - net->rx.rsp_cons <= SLOTS - BATCH) give(net);
  return got;
}

void net_wait(struct net *net, u64 time) {
  u32 port = net->port;
  struct { u64 ports; u32 count; u64 timeout; } poll = {handle(&port), 1, nanoseconds() + time};
  mask_events();
  u64 seen = net->events;
  if (!ring_more(&net->rx) && net->events == seen) call2(SCHED_OP, 3, &poll);
  unmask_events();
}

/* A protocol of this guest's own: a type, a sequence number, bytes that depend on it. */
#define TYPE_HIGH 0x88
#define TYPE_LOW 0xb5
struct frame_header { u8 to[6], from[6], type[2]; u16 reply; u64 sequence; } __attribute__((packed));

static void fill(u8 *frame, u64 size, u64 sequence) {
  for (u64 n = sizeof(struct frame_header); n < size; n++) frame[n] = sequence * 31 + n;
}
static int filled(const u8 *frame, u64 size, u64 sequence) {
  for (u64 n = sizeof(struct frame_header); n < size; n++) if (frame[n] != (u8)(sequence * 31 + n)) return 0;
  return 1;
}
static int is_ours(const u8 *frame) { return frame[12] == TYPE_HIGH && frame[13] == TYPE_LOW; }

/* Answers for ever. */
void run_echo(void) {
  static struct net net;
  static u8 frame[2048];
  if (!net_begin(&net, 0)) { print("no network\n"); return; }
  print("PV GUEST ANSWERS\n");
  for (;;) {
    u64 size = net_receive(&net, frame, sizeof frame);
    if (!size) { net_wait(&net, 1000000000); continue; }
    struct frame_header *h = (void *)frame;
    if (!is_ours(frame) || h->reply) continue;
    memory_copy(h->to, h->from, 6);
    memory_copy(h->from, net.mac, 6);
    h->reply = 1;
    net_send(&net, frame, size);
  }
}

/* Answers ARP and ICMP echo requests for an IPv4 address, for ever: any system's `ping` finds this one. */
void run_answer(const char *text) {
  static struct net net;
  static u8 frame[2048];
  u8 ip[4];
  for (int n = 0; n < 4; n++) {
    ip[n] = number(text);
    while (*text >= '0' && *text <= '9') text++;
    if (*text == '.') text++;
  }
  if (!net_begin(&net, 0)) { print("no network\n"); return; }
  print("PV GUEST ANSWERS\n");
  for (;;) {
    u64 size = net_receive(&net, frame, sizeof frame);
    if (!size) { net_wait(&net, 1000000000); continue; }
    int is_arp = size >= 42 && frame[12] == 8 && frame[13] == 6 && frame[21] == 1 && !compare(frame + 38, ip, 4);
    int is_echo = size >= 42 && frame[12] == 8 && frame[13] == 0 && frame[14] == 0x45 && frame[23] == 1 && frame[34] == 8
      && !compare(frame + 30, ip, 4);
    if (is_arp) {
      /* A reply: the target is who asked. */
      frame[21] = 2;
      memory_copy(frame + 32, frame + 22, 10);
      memory_copy(frame + 22, net.mac, 6);
      memory_copy(frame + 28, ip, 4);
    } else if (is_echo) {
      u8 other[4];
      memory_copy(other, frame + 26, 4);
      memory_copy(frame + 26, frame + 30, 4);
      memory_copy(frame + 30, other, 4);
      /* The type goes from 8 to 0: the checksum grows by as much. */
      frame[34] = 0;
      u32 sum = (frame[36] << 8 | frame[37]) + 0x800;
      sum = (sum & 0xffff) + (sum >> 16);
      frame[36] = sum >> 8;
      frame[37] = sum;
    } else {
      continue;
    }
    memory_copy(frame, frame + 6, 6);
    memory_copy(frame + 6, net.mac, 6);
    net_send(&net, frame, size);
  }
}

/* Sends so many frames of all sizes to everybody, and counts the answers. */
void run_ping(u64 count) {
  static struct net net;
  static u8 frame[2048];
  if (!net_begin(&net, 0)) { print("no network\n"); failed++; return; }
  u64 answers = 0;
  for (u64 n = 0; n < count; n++) {
    struct frame_header *h = (void *)frame;
    u64 size = 60 + n * 97 % (1514 - 60 + 1);
    memory_set(h->to, 0xff, 6);
    memory_copy(h->from, net.mac, 6);
    h->type[0] = TYPE_HIGH;
    h->type[1] = TYPE_LOW;
    h->reply = 0;
    h->sequence = n;
    fill(frame, size, n);
    for (int attempt = 0; attempt < 20; attempt++) {
      if (!net_send(&net, frame, size)) { net_wait(&net, 1000000); continue; }
      u64 end = nanoseconds() + 100000000;
      int answered = 0;
      while (!answered && nanoseconds() < end) {
        static u8 answer[2048];
        u64 got = net_receive(&net, answer, sizeof answer);
        if (!got) { net_wait(&net, 10000000); continue; }
        struct frame_header *a = (void *)answer;
        if (!is_ours(answer) || !a->reply || a->sequence != n) continue;
        check_equal("size of the answer", got, size);
        check("bytes of the answer", filled(answer, got, n));
        answered = 1;
      }
      if (answered) { answers++; break; }
    }
  }
  check_equal("answers", answers, count);
  check_equal("errors of the interface", net.errors, 0);
}
