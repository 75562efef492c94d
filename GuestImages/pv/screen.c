/* The frame buffer's and the keyboard's front ends (xen/include/public/io/fbif.h, kbdif.h): a picture, and what is typed and pointed at. */
#include "xenbus.h"

struct page {
  volatile u32 in_cons, in_prod, out_cons, out_prod;
  s32 width, height;
  u32 line_length, memory_length;
  u8 depth, pad[7];
  u64 directory[2];
};
struct event { u8 type, down; u16 pad; s32 numbers[9]; };
enum { UPDATE = 2, RESIZE = 3 };
enum { MOTION = 1, KEY = 3, POSITION = 4 };
#define EVENTS 51

enum { WIDTH = 320, HEIGHT = 200 };
static struct device screen, keyboard;
static struct page *picture_page, *keyboard_page;
static u32 *picture;
static u32 screen_port, keyboard_port;
static volatile u64 events;
static void on_input(u32 port) { events++; }

static void share(struct device *device, struct page *page, u32 *port) {
  u32 t;
  *port = device_port(device, on_input);
  do {
    t = store_start();
    device_write(t, device, "page-ref", physical(page) >> PAGE_SHIFT);
    device_write(t, device, "event-channel", *port);
    if (device == &screen) {
      device_write_text(t, device, "protocol", "ia64-abi");
      device_write(t, device, "feature-update", 1);
    }
  } while (store_end(t, 1) == -11);
  device_switch(device, INITIALISED);
}

/* 0: there is none. */
static int begin(void) {
  if (!device_find(&screen, "vfb", 0) || !device_find(&keyboard, "vkbd", 0)) return 0;
  picture_page = pages(1);
  keyboard_page = pages(1);
  u64 size = WIDTH * HEIGHT * 4, count = (size + PAGE - 1) / PAGE;
  picture = pages(count);
  u64 *directory = pages(1);
  for (u64 n = 0; n < count; n++) directory[n] = (physical(picture) >> PAGE_SHIFT) + n;
  picture_page->width = WIDTH;
  picture_page->height = HEIGHT;
  picture_page->line_length = WIDTH * 4;
  picture_page->memory_length = size;
  picture_page->depth = 32;
  picture_page->directory[0] = physical(directory) >> PAGE_SHIFT;
  share(&screen, picture_page, &screen_port);
  share(&keyboard, keyboard_page, &keyboard_port);
  if (device_backend_number(&keyboard, "feature-abs-pointer", 0)) device_write(0, &keyboard, "request-abs-pointer", 1);
  check_equal("screen: connected", device_wait(&screen, CONNECTED, CLOSING), CONNECTED);
  check_equal("screen: keyboard connected", device_wait(&keyboard, CONNECTED, CLOSING), CONNECTED);
  check_equal("screen: updates are wanted", device_backend_number(&screen, "request-update", 0), 1);
  device_switch(&screen, CONNECTED);
  device_switch(&keyboard, CONNECTED);
  return 1;
}

/* 0: no room. */
static int put(struct event new) {
  if (picture_page->out_prod - picture_page->out_cons == EVENTS) return 0;
  struct event *event = (struct event *)((u8 *)picture_page + 0x800) + picture_page->out_prod % EVENTS;
  *event = new;
  barrier();
  picture_page->out_prod++;
  event_send(screen_port);
  return 1;
}

static int update(s32 x, s32 y, s32 width, s32 height) {
  return put((struct event){.type = UPDATE, .numbers = {x, y, width, height}});
}

/* Without room for the event: the back end has a look soon, and there is nothing that it would miss but this. */
static void draw(s32 left, s32 top, s32 width, s32 height, int white) {
  for (s32 y = top; y < top + height && y < HEIGHT; y++)
    for (s32 x = left; x < left + width && x < WIDTH; x++)
      picture[y * WIDTH + x] = white ? 0xffffff : (u32)((x ^ y) & 255) << 16 | (u32)(y & 255) << 8 | (u32)(x & 255);
  update(left, top, width, height);
}

/* A white square where the pointer is while a key is down. */
static void take(struct event *event, s32 *x, s32 *y) {
  switch (event->type) {
  case POSITION:
    *x = event->numbers[0];
    *y = event->numbers[1];
    print("pointer %d %d\n", (u64)*x, (u64)*y);
    break;
  case MOTION: print("motion\n"); break;
  case KEY:
    print("key %d %s\n", (u64)event->numbers[0], event->down ? "down" : "up");
    draw(*x, *y, 16, 16, event->down);
    break;
  default: print("an event of type %d\n", (u64)event->type);
  }
}

static void end(struct device *device) {
  device_switch(device, CLOSING);
  device_wait(device, CLOSING, CLOSED);
  device_switch(device, CLOSED);
  check_equal("screen: closed", device_wait(device, CLOSED, UNKNOWN), CLOSED);
}

/* Leaves the upper left quarter of its picture, with a white square in it. */
void test_screen(void) {
  if (!begin()) return;
  check_equal("screen: sizes may change", device_backend_number(&screen, "feature-resize", 0), 1);
  check_equal("screen: places are offered", device_backend_number(&keyboard, "feature-abs-pointer", 0), 1);
  check_equal("screen: an event", sizeof(struct event), 40);
  draw(0, 0, WIDTH, HEIGHT, 0);
  /* Around the ring several times. */
  u64 sent = 0;
  for (u64 n = 0; n < 5 * EVENTS; n++) {
    while (picture_page->out_prod != picture_page->out_cons) sleep_nanoseconds(1000);
    sent += update(n, n, 1, 1);
  }
  check_equal("screen: events that were sent", sent, 5 * EVENTS);
  check("screen: another size", put((struct event){.type = RESIZE, .numbers = {WIDTH / 2, HEIGHT / 2, WIDTH * 4, 32, 0}}));
  draw(30, 20, 16, 16, 1);
  for (u64 n = 0; n < 1000 && picture_page->out_prod != picture_page->out_cons; n++) sleep_nanoseconds(100000);
  check_equal("screen: events that were taken", picture_page->out_cons, picture_page->out_prod);
  check_equal("screen: nothing was typed", keyboard_page->in_prod, 0);
  end(&screen);
  end(&keyboard);
}

void run_screen(void) {
  if (!begin()) { print("no screen\n"); failed++; return; }
  draw(0, 0, WIDTH, HEIGHT, 0);
  print("PV GUEST SHOWS A PICTURE\n");
  s32 x = 0, y = 0;
  for (;;) {
    u64 seen = events;
    while (keyboard_page->in_cons != keyboard_page->in_prod) {
      barrier();
      struct event event = ((struct event *)((u8 *)keyboard_page + 0x400))[keyboard_page->in_cons % EVENTS];
      barrier();
      keyboard_page->in_cons++;
      event_send(keyboard_port);
      take(&event, &x, &y);
    }
    wait_for(&events, seen + 1);
  }
}
