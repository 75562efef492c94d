/* XenStore's client (xen/include/public/io/xs_wire.h). */
#include "store.h"

struct ring { char request[1024], response[1024]; volatile u32 request_cons, request_prod, response_cons, response_prod; };
struct header { u32 type, request, transaction, length; };

static struct ring *ring;
static u32 port;
volatile u64 store_events;
char store_event_path[256], store_event_token[64];

static void on_store(u32 p) {}

void store_begin(u64 frame, u32 store_port) {
  ring = virtual(frame << PAGE_SHIFT);
  port = store_port;
  events_set_handler(port, on_store);
  event_unmask(port);
}

static void sleep(void) {
  struct { u64 ports; u32 count; u64 timeout; } poll = {handle(&port), 1, 0};
  call2(SCHED_OP, 3, &poll);
  __atomic_fetch_and(&SHARED(u64, 0xc00 + port / 64 * 8), ~(1UL << (port & 63)), __ATOMIC_ACQ_REL);
}

static void send(const void *data, u64 size) {
  const char *bytes = data;
  while (size) {
    if (ring->request_prod - ring->request_cons == sizeof ring->request) { event_send(port); sleep(); continue; }
    ring->request[ring->request_prod % sizeof ring->request] = *bytes++;
    barrier();
    ring->request_prod++;
    size--;
  }
}

static void receive(void *data, u64 size) {
  char *bytes = data;
  while (size) {
    if (ring->response_prod == ring->response_cons) { event_send(port); sleep(); continue; }
    char c = ring->response[ring->response_cons % sizeof ring->response];
    barrier();
    ring->response_cons++;
    if (bytes) *bytes++ = c;
    size--;
  }
}

static void note_event(u32 length) {
  static char event[4097];
  receive(event, length);
  event[length] = 0;
  u64 path = 0;
  while (event[path]) path++;
  memory_copy(store_event_path, event, path < 255 ? path + 1 : 255);
  memory_copy(store_event_token, event + path + 1, 63);
  store_events++;
}

u32 store_request(u32 type, u32 transaction, const void *payload, u64 size, char *answer, u64 *answer_size) {
  static u32 number;
  struct header h = {type, ++number, transaction, size};
  send(&h, sizeof h);
  send(payload, size);
  event_send(port);
  for (;;) {
    receive(&h, sizeof h);
    if (h.type == 15) { note_event(h.length); continue; }
    u64 fits = answer_size && *answer_size < h.length ? *answer_size : h.length;
    receive(answer, fits);
    receive(0, h.length - fits);
    if (answer_size) *answer_size = fits;
    event_send(port);
    return h.type;
  }
}

void store_poll(void) {
  while (ring->response_prod != ring->response_cons) {
    struct header h;
    receive(&h, sizeof h);
    if (h.type == 15) note_event(h.length); else receive(0, h.length);
    event_send(port);
  }
}

static const struct { const char *name; s64 number; } errors[] = {
  {"EINVAL", -22}, {"EACCES", -13}, {"EEXIST", -17}, {"ENOENT", -2}, {"ENOSPC", -28}, {"EAGAIN", -11}, {"ENOSYS", -38},
};

static s64 simple(u32 type, u32 transaction, const void *payload, u64 size, char *answer, u64 *answer_size) {
  static char buffer[64];
  u64 own = sizeof buffer - 1;
  if (!answer) { answer = buffer; answer_size = &own; }
  if (store_request(type, transaction, payload, size, answer, answer_size) != 16) return 0;
  for (u64 n = 0; n < sizeof errors / sizeof *errors; n++) if (starts(answer, errors[n].name)) return errors[n].number;
  return -1;
}

s64 store_read(u32 transaction, const char *path, char *value, u64 size) {
  u64 n = size - 1;
  memory_set(value, 0, size);
  s64 result = simple(2, transaction, path, length(path) + 1, value, &n);
  if (!result) value[n] = 0;
  return result;
}

s64 store_write(u32 transaction, const char *path, const char *value) {
  char buffer[1024];
  u64 p = length(path) + 1, v = length(value);
  memory_copy(buffer, path, p);
  memory_copy(buffer + p, value, v);
  return simple(11, transaction, buffer, p + v, 0, 0);
}

void format_number(char *text, u64 value) {
  char digits[24];
  int n = 0;
  do { digits[n++] = '0' + value % 10; value /= 10; } while (value);
  while (n) *text++ = digits[--n];
  *text = 0;
}

s64 store_write_number(u32 transaction, const char *path, u64 value) {
  char text[24];
  format_number(text, value);
  return store_write(transaction, path, text);
}

u64 store_read_number(const char *path, u64 missing) {
  char text[32];
  return store_read(0, path, text, sizeof text) ? missing : number(text);
}

s64 store_directory(const char *path, char *names, u64 size) {
  u64 n = size;
  s64 result = simple(1, 0, path, length(path) + 1, names, &n);
  return result ? result : (s64)n;
}

s64 store_make(u32 t, const char *path) { return simple(12, t, path, length(path) + 1, 0, 0); }
s64 store_remove(u32 t, const char *path) { return simple(13, t, path, length(path) + 1, 0, 0); }

static s64 watch(u32 type, const char *path, const char *token) {
  char buffer[512];
  u64 p = length(path) + 1, t = length(token) + 1;
  memory_copy(buffer, path, p);
  memory_copy(buffer + p, token, t);
  return simple(type, 0, buffer, p + t, 0, 0);
}
s64 store_watch(const char *path, const char *token) { return watch(4, path, token); }
s64 store_unwatch(const char *path, const char *token) { return watch(5, path, token); }

u32 store_start(void) {
  char text[32] = {0};
  u64 n = sizeof text - 1;
  return simple(6, 0, "", 1, text, &n) ? 0 : number(text);
}
s64 store_end(u32 t, int commit) { return simple(7, t, commit ? "T" : "F", 2, 0, 0); }

void join(char *path, const char *base, const char *name) {
  u64 n = length(base);
  memory_copy(path, base, n);
  path[n++] = '/';
  memory_copy(path + n, name, length(name) + 1);
}
