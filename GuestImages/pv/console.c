/* The console's ring (xen/include/public/io/console.h). */
#include <stdarg.h>
#include "xen.h"

struct console { char in[1024], out[2048]; volatile u32 in_cons, in_prod, out_cons, out_prod; };
static struct console *console;
static u32 console_port;
void (*serial_output)(char c);

void console_begin(u64 frame, u32 port) {
  console = virtual(frame << PAGE_SHIFT);
  console_port = port;
}

static void put(char c) {
  if (serial_output) { serial_output(c); return; }
  /* The host empties it at once, or we wait. */
  while (console->out_prod - console->out_cons >= sizeof console->out) {
    event_send(console_port);
    hypercall(0, 0, 0, 0, 0, SCHED_OP);
  }
  console->out[console->out_prod % sizeof console->out] = c;
  barrier();
  console->out_prod++;
}

static void put_number(u64 value, u64 base) {
  char digits[24];
  int n = 0;
  do { digits[n++] = "0123456789abcdef"[value % base]; value /= base; } while (value);
  while (n) put(digits[--n]);
}

/* %s, %d (unsigned), %x */
void print(const char *format, ...) {
  va_list list;
  va_start(list, format);
  for (; *format; format++) {
    if (*format == '\n') put('\r');
    if (*format != '%') { put(*format); continue; }
    switch (*++format) {
    case 's': for (const char *s = va_arg(list, const char *); *s; s++) put(*s); break;
    case 'd': put_number(va_arg(list, u64), 10); break;
    case 'x': put_number(va_arg(list, u64), 16); break;
    }
  }
  va_end(list);
  if (!serial_output) event_send(console_port);
}

/* What has been typed, without waiting. */
u64 console_read(char *buffer, u64 size) {
  u64 n = 0;
  while (n < size && console->in_cons != console->in_prod) {
    buffer[n++] = console->in[console->in_cons % sizeof console->in];
    console->in_cons++;
  }
  if (n) event_send(console_port);
  return n;
}
