/* libnbd, loaded when the first Network Block Device is opened: it needs GnuTLS, libxml2 and ICU, whose relocation costs every start of
 * the process some eight million instructions. Names without it as in <libnbd.h>, with `lazy_` in front.
 */
#ifndef EPICURE_NBD_H
#define EPICURE_NBD_H

#include <dlfcn.h>
#include <errno.h>
#include <libnbd.h>
#include <stddef.h>

static inline void *lazy_nbd_symbol(const char *name) {
  static void *library;
  if (!library) library = dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);
  return library ? dlsym(library, name) : NULL;
}

/* `failure` is what is returned without the library. */
#define EPICURE_LAZY(type, name, parameters, arguments, failure) \
  static inline type lazy_##name parameters { \
    static __typeof__(name) *function; \
    if (!function) function = (__typeof__(name) *)lazy_nbd_symbol(#name); \
    return function ? function arguments : failure; \
  }

EPICURE_LAZY(struct nbd_handle *, nbd_create, (void), (), NULL)
EPICURE_LAZY(int, nbd_shutdown, (struct nbd_handle *h, uint32_t flags), (h, flags), -1)
EPICURE_LAZY(int, nbd_connect_uri, (struct nbd_handle *h, const char *uri), (h, uri), -1)
EPICURE_LAZY(int, nbd_connect_systemd_socket_activation, (struct nbd_handle *h, char **argv), (h, argv), -1)
EPICURE_LAZY(int64_t, nbd_get_size, (struct nbd_handle *h), (h), -1)
EPICURE_LAZY(int, nbd_is_read_only, (struct nbd_handle *h), (h), -1)
EPICURE_LAZY(int, nbd_can_flush, (struct nbd_handle *h), (h), -1)
EPICURE_LAZY(
    int, nbd_pread, (struct nbd_handle *h, void *buf, size_t count, uint64_t offset, uint32_t flags),
    (h, buf, count, offset, flags), -1)
EPICURE_LAZY(
    int, nbd_pwrite, (struct nbd_handle *h, const void *buf, size_t count, uint64_t offset, uint32_t flags),
    (h, buf, count, offset, flags), -1)
EPICURE_LAZY(int, nbd_flush, (struct nbd_handle *h, uint32_t flags), (h, flags), -1)
EPICURE_LAZY(const char *, nbd_get_error, (void), (), "libnbd.so.0 cannot be loaded (Debian package libnbd0)")
EPICURE_LAZY(int, nbd_get_errno, (void), (), ENOSYS)

static inline void lazy_nbd_close(struct nbd_handle *h) {
  __typeof__(nbd_close) *function = (__typeof__(nbd_close) *)lazy_nbd_symbol("nbd_close");
  if (function) function(h);
}
#undef EPICURE_LAZY

#endif
