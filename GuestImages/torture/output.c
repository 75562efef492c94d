// The printf family, for integers, characters, strings, and floating-point numbers of few digits. Two streams, without buffers.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define WEAK __attribute__((weak))

struct stream {
  int descriptor;
};

static struct stream output = {1}, errors = {2};
WEAK struct stream *stdout = &output, *stderr = &errors;

long write(int descriptor, const void *bytes, size_t count);
size_t strlen(const char *text);

// Where characters go: to a descriptor, or to memory that is large enough for limit of them.
struct sink {
  int descriptor;
  char *memory;
  size_t limit, count;
};

static void put(struct sink *to, char character) {
  if (to->memory == NULL) write(to->descriptor, &character, 1);
  else if (to->count < to->limit) to->memory[to->count] = character;
  to->count++;
}

struct directive {
  int left, zeros, plus, blank, alternative, width, precision;
};

// A number's or string's text, with what precedes it, in a field.
static void field(struct sink *to, const struct directive *as, const char *prefix, const char *text, size_t length, size_t zeros) {
  size_t used = strlen(prefix) + zeros + length, padding = (size_t)as->width > used ? as->width - used : 0;
  if (as->zeros && !as->left) zeros += padding, padding = 0;
  if (!as->left) {
    while (padding > 0) put(to, ' '), padding--;
  }
  while (*prefix) put(to, *prefix++);
  while (zeros > 0) put(to, '0'), zeros--;
  while (length > 0) put(to, *text++), length--;
  while (padding > 0) put(to, ' '), padding--;
}

static const char *sign(const struct directive *as, int negative) { return negative ? "-" : as->plus ? "+" : as->blank ? " " : ""; }

static char *digits(char *end, uint64_t value, unsigned base, const char *alphabet) {
  for (; value != 0; value /= base) *--end = alphabet[value % base];
  return end;
}

static void integer(struct sink *to, struct directive *as, const char *prefix, uint64_t value, unsigned base, const char *alphabet) {
  char text[24], *end = text + sizeof text, *begin = digits(end, value, base, alphabet);
  size_t length = end - begin, wanted = as->precision < 0 ? 1 : as->precision;
  if (as->precision >= 0) as->zeros = 0;
  field(to, as, prefix, begin, length, wanted > length ? wanted - length : 0);
}

// %f and %g for what the programs print: magnitudes below 2^63, digits that a product in double precision gets right.
static void floating(struct sink *to, struct directive *as, double value, int general) {
  int negative = __builtin_signbit(value) != 0, precision = as->precision < 0 ? 6 : as->precision;
  if (negative) value = -value;
  if (general) {
    // Significant digits become digits behind the point.
    double bound = 1;
    if (precision == 0) precision = 1;
    for (precision--; precision > 0 && value >= 10 * bound; precision--) bound *= 10;
  }
  double scale = 1;
  for (int place = 0; place < precision; place++) scale *= 10;
  uint64_t whole = (uint64_t)value, part = (uint64_t)((value - (double)whole) * scale + 0.5);
  if ((double)part >= scale) whole++, part = 0;
  char text[64], *end = text + sizeof text, *at = end;
  for (int place = 0; place < precision; place++, part /= 10) *--at = '0' + part % 10;
  if (general && !as->alternative) {
    while (end > at && end[-1] == '0') end--;
  }
  if (end > at || as->alternative) *--at = '.';
  char *begin = digits(at, whole, 10, "0123456789");
  if (begin == at) *--begin = '0';
  field(to, as, sign(as, negative), begin, end - begin, 0);
}

static int format(struct sink *to, const char *text, va_list arguments) {
  for (; *text; text++) {
    if (*text != '%') {
      put(to, *text);
      continue;
    }
    struct directive as = {.precision = -1};
    for (;;) {
      char flag = *++text;
      if (flag == '-') as.left = 1;
      else if (flag == '0') as.zeros = 1;
      else if (flag == '+') as.plus = 1;
      else if (flag == ' ') as.blank = 1;
      else if (flag == '#') as.alternative = 1;
      else break;
    }
    if (*text == '*') {
      as.width = va_arg(arguments, int), text++;
      if (as.width < 0) as.left = 1, as.width = -as.width;
    }
    for (; *text >= '0' && *text <= '9'; text++) as.width = as.width * 10 + *text - '0';
    if (*text == '.') {
      as.precision = 0;
      if (*++text == '*') as.precision = va_arg(arguments, int), text++;
      for (; *text >= '0' && *text <= '9'; text++) as.precision = as.precision * 10 + *text - '0';
    }
    // Bytes of the argument.
    int size = 4;
    for (;; text++) {
      if (*text == 'l' || *text == 'z' || *text == 'j' || *text == 't' || *text == 'L') size = 8;
      else if (*text == 'h') size /= 2;
      else break;
    }
    int shift = 64 - 8 * size;
    switch (*text) {
    case 'd':
    case 'i': {
      int64_t value = (int64_t)(va_arg(arguments, uint64_t) << shift) >> shift;
      integer(to, &as, sign(&as, value < 0), value < 0 ? -(uint64_t)value : (uint64_t)value, 10, "0123456789");
      break;
    }
    case 'u': integer(to, &as, "", va_arg(arguments, uint64_t) << shift >> shift, 10, "0123456789"); break;
    case 'o': {
      uint64_t value = va_arg(arguments, uint64_t) << shift >> shift;
      integer(to, &as, as.alternative && value ? "0" : "", value, 8, "01234567");
      break;
    }
    case 'x':
    case 'X': {
      uint64_t value = va_arg(arguments, uint64_t) << shift >> shift;
      int upper = *text == 'X';
      integer(to, &as, as.alternative && value ? upper ? "0X" : "0x" : "", value, 16, upper ? "0123456789ABCDEF" : "0123456789abcdef");
      break;
    }
    case 'p': integer(to, &as, "0x", va_arg(arguments, uint64_t), 16, "0123456789abcdef"); break;
    case 'c': {
      char character = (char)va_arg(arguments, int);
      field(to, &as, "", &character, 1, 0);
      break;
    }
    case 's': {
      const char *string = va_arg(arguments, const char *);
      size_t length = 0;
      if (string == NULL) string = "(null)";
      while (length < (size_t)as.precision && string[length]) length++;
      field(to, &as, "", string, length, 0);
      break;
    }
    case 'f':
    case 'g': floating(to, &as, va_arg(arguments, double), *text == 'g'); break;
    case '%': put(to, '%'); break;
    default: __builtin_abort();
    }
  }
  return (int)to->count;
}

WEAK int vfprintf(struct stream *stream, const char *text, va_list arguments) {
  struct sink to = {.descriptor = stream->descriptor};
  return format(&to, text, arguments);
}

WEAK int vsnprintf(char *memory, size_t size, const char *text, va_list arguments) {
  char nothing;
  struct sink to = {.memory = size > 0 ? memory : &nothing, .limit = size > 0 ? size - 1 : 0};
  int count = format(&to, text, arguments);
  if (size > 0) memory[to.count < to.limit ? to.count : to.limit] = 0;
  return count;
}

#define VARIADIC(call) \
  va_list arguments; \
  va_start(arguments, text); \
  int count = call; \
  va_end(arguments); \
  return count

WEAK int vprintf(const char *text, va_list arguments) { return vfprintf(&output, text, arguments); }
WEAK int vsprintf(char *memory, const char *text, va_list arguments) { return vsnprintf(memory, SIZE_MAX, text, arguments); }
WEAK int printf(const char *text, ...) { VARIADIC(vfprintf(&output, text, arguments)); }
WEAK int fprintf(struct stream *stream, const char *text, ...) { VARIADIC(vfprintf(stream, text, arguments)); }
WEAK int sprintf(char *memory, const char *text, ...) { VARIADIC(vsnprintf(memory, SIZE_MAX, text, arguments)); }
WEAK int snprintf(char *memory, size_t size, const char *text, ...) { VARIADIC(vsnprintf(memory, size, text, arguments)); }

WEAK size_t fwrite(const void *bytes, size_t size, size_t count, struct stream *stream) {
  return size == 0 ? 0 : (size_t)write(stream->descriptor, bytes, size * count) / size;
}

WEAK int fputc(int character, struct stream *stream) {
  char byte = (char)character;
  write(stream->descriptor, &byte, 1);
  return (unsigned char)byte;
}

WEAK int putchar(int character) { return fputc(character, &output); }

WEAK int fputs(const char *text, struct stream *stream) { return (int)fwrite(text, 1, strlen(text), stream); }

WEAK int puts(const char *text) {
  int count = fputs(text, &output);
  return putchar('\n') < 0 ? -1 : count + 1;
}
