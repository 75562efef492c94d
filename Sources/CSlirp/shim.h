/* libslirp, loaded for the first network in user mode. */
#ifndef EPICURE_SLIRP_H
#define EPICURE_SLIRP_H

#include "../CLazyLibrary/lazy.h"

#include <slirp/libslirp.h>

EPICURE_LAZY_LIBRARY(lazy_slirp_symbol, "libslirp.so.0")

EPICURE_LAZY(
    lazy_slirp_symbol, Slirp *, slirp_new, (const SlirpConfig *cfg, const SlirpCb *callbacks, void *opaque), (cfg, callbacks, opaque), NULL)
EPICURE_LAZY_VOID(lazy_slirp_symbol, slirp_cleanup, (Slirp *slirp), (slirp))
EPICURE_LAZY_VOID(lazy_slirp_symbol, slirp_input, (Slirp *slirp, const uint8_t *pkt, int pkt_len), (slirp, pkt, pkt_len))
EPICURE_LAZY_VOID(
    lazy_slirp_symbol, slirp_pollfds_fill, (Slirp *slirp, uint32_t *timeout, SlirpAddPollCb add_poll, void *opaque),
    (slirp, timeout, add_poll, opaque))
EPICURE_LAZY_VOID(
    lazy_slirp_symbol, slirp_pollfds_poll, (Slirp *slirp, int select_error, SlirpGetREventsCb get_revents, void *opaque),
    (slirp, select_error, get_revents, opaque))
EPICURE_LAZY(
    lazy_slirp_symbol, int, slirp_add_hostfwd,
    (Slirp *slirp, int is_udp, struct in_addr host_addr, int host_port, struct in_addr guest_addr, int guest_port),
    (slirp, is_udp, host_addr, host_port, guest_addr, guest_port), -1)

#endif
