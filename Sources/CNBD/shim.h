/* libnbd, loaded when the first Network Block Device is opened. */
#ifndef EPICURE_NBD_H
#define EPICURE_NBD_H

#include "../CLazyLibrary/lazy.h"

#include <errno.h>
#include <libnbd.h>

EPICURE_LAZY_LIBRARY(lazy_nbd_symbol, "libnbd.so.0")

#define EPICURE_NBD(type, name, parameters, arguments, failure) \
  EPICURE_LAZY(lazy_nbd_symbol, type, name, parameters, arguments, failure)
EPICURE_NBD(struct nbd_handle *, nbd_create, (void), (), NULL)
EPICURE_NBD(int, nbd_shutdown, (struct nbd_handle *h, uint32_t flags), (h, flags), -1)
EPICURE_NBD(int, nbd_connect_uri, (struct nbd_handle *h, const char *uri), (h, uri), -1)
EPICURE_NBD(int, nbd_connect_systemd_socket_activation, (struct nbd_handle *h, char **argv), (h, argv), -1)
EPICURE_NBD(int64_t, nbd_get_size, (struct nbd_handle *h), (h), -1)
EPICURE_NBD(int, nbd_is_read_only, (struct nbd_handle *h), (h), -1)
EPICURE_NBD(int, nbd_can_flush, (struct nbd_handle *h), (h), -1)
EPICURE_NBD(
    int, nbd_pread, (struct nbd_handle *h, void *buf, size_t count, uint64_t offset, uint32_t flags),
    (h, buf, count, offset, flags), -1)
EPICURE_NBD(
    int, nbd_pwrite, (struct nbd_handle *h, const void *buf, size_t count, uint64_t offset, uint32_t flags),
    (h, buf, count, offset, flags), -1)
EPICURE_NBD(int, nbd_flush, (struct nbd_handle *h, uint32_t flags), (h, flags), -1)
EPICURE_NBD(const char *, nbd_get_error, (void), (), "libnbd.so.0 cannot be loaded (Debian package libnbd0)")
EPICURE_NBD(int, nbd_get_errno, (void), (), ENOSYS)
EPICURE_LAZY_VOID(lazy_nbd_symbol, nbd_close, (struct nbd_handle *h), (h))
#undef EPICURE_NBD

#endif
