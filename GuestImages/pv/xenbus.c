#include "xenbus.h"

u64 nanoseconds(void) {
  static u64 runstate[6];
  hypercall(4, 0, handle(runstate), 0, 0, VCPU_OP);
  return runstate[1];
}

void sleep_nanoseconds(u64 time) {
  u32 none = 0;
  struct { u64 ports; u32 count; u64 timeout; } poll = {handle(&none), 0, nanoseconds() + time};
  mask_events();
  call2(SCHED_OP, 3, &poll);
  unmask_events();
}

int device_find(struct device *device, const char *type, u64 index) {
  char names[512], base[32];
  join(base, "device", type);
  s64 size = store_directory(base, names, sizeof names);
  if (size <= 0) return 0;
  u64 at = 0;
  while (index--) {
    while (at < size && names[at]) at++;
    if (++at >= size) return 0;
  }
  join(device->path, base, names + at);
  char path[96];
  join(path, device->path, "backend");
  if (store_read(0, path, device->backend, sizeof device->backend)) return 0;
  join(path, device->path, "backend-id");
  device->backend_domain = store_read_number(path, 0);
  return 1;
}

s64 device_write(u32 t, struct device *device, const char *key, u64 value) {
  char path[96];
  join(path, device->path, key);
  return store_write_number(t, path, value);
}

s64 device_write_text(u32 t, struct device *device, const char *key, const char *value) {
  char path[96];
  join(path, device->path, key);
  return store_write(t, path, value);
}

u64 device_backend_number(struct device *device, const char *key, u64 missing) {
  char path[128];
  join(path, device->backend, key);
  return store_read_number(path, missing);
}

void device_switch(struct device *device, u64 state) { device_write(0, device, "state", state); }

u64 device_wait(struct device *device, u64 state, u64 other) {
  u64 end = nanoseconds() + 10000000000;
  for (;;) {
    u64 now = device_backend_number(device, "state", 0);
    if (now == state || now == other) return now;
    if (nanoseconds() > end) return 0;
    sleep_nanoseconds(100000);
  }
}

u32 device_port(struct device *device, event_handler handler) {
  struct { u16 domain, remote; u32 port; } unbound = {SELF, device->backend_domain, 0};
  if (call2(EVENT_CHANNEL_OP, 6, &unbound)) return 0;
  events_set_handler(unbound.port, handler);
  event_unmask(unbound.port);
  return unbound.port;
}

void ring_begin(struct front_ring *ring, struct ring_page *page, u32 entry) {
  page->req_prod = page->rsp_prod = 0;
  page->req_event = page->rsp_event = 1;
  u32 size = 1;
  while (size * 2 * entry <= PAGE - 64) size *= 2;
  *ring = (struct front_ring){page, size, entry, 0, 0};
}

int ring_push(struct front_ring *ring) {
  u32 old = ring->page->req_prod, new = ring->req_prod;
  barrier();
  ring->page->req_prod = new;
  barrier();
  return new - ring->page->req_event < new - old;
}

int ring_more(struct front_ring *ring) {
  if (ring->rsp_cons != ring->page->rsp_prod) return 1;
  ring->page->rsp_event = ring->rsp_cons + 1;
  barrier();
  return ring->rsp_cons != ring->page->rsp_prod;
}
