/* Work on a network, with a peer that is another one of this kernel. A message is cut into frames; the peer acknowledges whole messages, or
   sends each frame back. */
#include "iobench.h"

#define LARGEST 1514
#define SMALLEST 60
#define WINDOW 32
enum { HELLO = 1, HERE, STREAM, ECHO, ACKNOWLEDGE, REPLY };
struct header { u8 to[6], from[6], type[2]; u8 operation, pad; u32 message, index, count, check; };
struct message { u64 begin; u32 sent, back; int active; };

static struct interface *const interfaces[] = {&e1000_interface, &virtio_interface, &vnif_interface};
static u8 frame[2048] __attribute__((aligned(16))), incoming[2048] __attribute__((aligned(16)));
static u8 peer[6];

static struct interface *find(const char *name) {
  static struct interface *found;
  if (found && same(found->name, name)) return found;
  for (u64 n = 0; n < sizeof interfaces / sizeof *interfaces; n++) {
    if (!same(interfaces[n]->name, name)) continue;
    if (!interfaces[n]->begin(interfaces[n])) break;
    return found = interfaces[n];
  }
  print("IOBENCH there is no network %s\n", name);
  finish_run(1);
}

static struct header *address(struct interface *net, u8 *bytes, const u8 *to, u8 operation) {
  struct header *h = (void *)bytes;
  memory_copy(h->to, to, 6);
  memory_copy(h->from, net->mac, 6);
  h->type[0] = 0x88;
  h->type[1] = 0xb5;
  h->operation = operation;
  return h;
}

/* The next frame of ours in `incoming`. */
static struct header *next_frame(struct interface *net, u64 *size) {
  while ((*size = net->receive(incoming, sizeof incoming))) {
    struct header *h = (void *)incoming;
    if (h->type[0] == 0x88 && h->type[1] == 0xb5) return h;
  }
  return 0;
}

static void await(struct interface *net) {
  cpu_mask();
  if (net->ready()) cpu_unmask(); else cpu_wait();
}

/* Asks for the peer until it answers. */
static void meet(struct interface *net) {
  static const u8 everybody[6] = {255, 255, 255, 255, 255, 255};
  u64 size;
  for (;;) {
    address(net, frame, everybody, HELLO);
    net->send(frame, SMALLEST);
    for (u64 end = itc() + 1000000; itc() < end;) {
      struct header *h = next_frame(net, &size);
      if (!h || h->operation != HERE) continue;
      memory_copy(peer, h->from, 6);
      return;
    }
  }
}

static u64 frame_size(u64 bytes, u32 index, u32 frames) {
  u64 size = index + 1 < frames ? LARGEST : bytes - index * (u64)LARGEST;
  return size < SMALLEST ? SMALLEST : size;
}

static u32 checksum(const u8 *bytes, u64 size) {
  u32 sum = 0;
  for (u64 n = sizeof(struct header); n < size; n++) sum = sum * 31 + bytes[n];
  return sum;
}

/* name:stream|request:bytes:window:count; `checks`: the frames' contents, too. */
static void exchange(const char *words, int checks) {
  struct interface *net = find(next_word(&words));
  u8 operation = same(next_word(&words), "stream") ? STREAM : ECHO;
  u64 bytes = number(next_word(&words)), window = number(next_word(&words)), count = number(next_word(&words));
  u32 frames = (bytes + LARGEST - 1) / LARGEST;
  static struct message messages[WINDOW];
  meet(net);
  memory_set(messages, 0, sizeof messages);
  results_begin();
  if (!checks) mark_begin();
  u64 start = itc(), begun = 0, finished = 0, errors = 0, size;
  while (finished < count) {
    int progress = 0;
    for (u64 n = 0; n < window; n++) {
      struct message *m = &messages[n];
      /* Message and place in the window go together. */
      if (!m->active && begun < count && begun % window == n) {
        *m = (struct message){itc(), 0, 0, 1};
        begun++;
      }
    }
    for (u64 number = begun > window ? begun - window : 0; number < begun; number++) {
      struct message *m = &messages[number % window];
      while (m->active && m->sent < frames) {
        struct header *h = address(net, frame, peer, operation);
        *h = (struct header){.operation = operation, .message = number, .index = m->sent, .count = frames};
        address(net, frame, peer, operation);
        u64 length = frame_size(bytes, m->sent, frames);
        if (checks) {
          for (u64 n = sizeof *h; n < length; n++) frame[n] = number * 7 + m->sent * 13 + n;
          h->check = checksum(frame, length);
        }
        if (!net->send(frame, length)) break;
        m->sent++;
        progress = 1;
      }
    }
    for (struct header *h; (h = next_frame(net, &size));) {
      progress = 1;
      if (h->operation != ACKNOWLEDGE && h->operation != REPLY) continue;
      struct message *m = &messages[h->message % window];
      if (checks && h->operation == REPLY) {
        check_equal("size of an answer", size, frame_size(bytes, h->index, frames));
        check_equal("bytes of an answer", checksum(incoming, size), h->check);
      }
      m->back++;
      if (h->operation == REPLY && m->back < frames) continue;
      results_add(itc() - m->begin);
      m->active = 0;
      finished++;
    }
    if (!progress) await(net);
  }
  u64 end = itc();
  if (checks) return;
  mark_end();
  results_print(count, count * bytes, end - start, errors);
}

void run_network(const char *words) { exchange(words, 0); }

void check_network(const char *name) {
  static const char *const jobs[] = {":request:64:1:5", ":request:1500:8:50", ":request:9000:4:20", ":stream:65536:1:5"};
  for (u32 n = 0; n < sizeof jobs / sizeof *jobs; n++) {
    static char words[96];
    u64 size = length(name);
    memory_copy(words, name, size);
    memory_copy(words + size, jobs[n], length(jobs[n]) + 1);
    exchange(words, 1);
  }
  print("IOBENCH checked %d failed %d\n", passed, failed);
}

/* Answers for ever. */
void run_peer(const char *name) {
  struct interface *net = find(name);
  u64 size;
  print("IOBENCH peer\n");
  for (;;) {
    struct header *h = next_frame(net, &size);
    if (!h) { await(net); continue; }
    u8 operation = h->operation;
    if (operation == STREAM && h->index + 1 < h->count) continue;
    u8 from[6];
    memory_copy(from, h->from, 6);
    switch (operation) {
    case HELLO: address(net, incoming, from, HERE); break;
    case STREAM: address(net, incoming, from, ACKNOWLEDGE); break;
    case ECHO: address(net, incoming, from, REPLY); break;
    default: continue;
    }
    while (!net->send(incoming, operation == ECHO ? size : SMALLEST));
  }
}
