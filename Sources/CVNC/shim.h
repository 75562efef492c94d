/* libvncserver, loaded in the process that a VNC server runs in. */
#ifndef EPICURE_VNC_H
#define EPICURE_VNC_H

#include "../CLazyLibrary/lazy.h"

#include <rfb/rfb.h>
#include <spawn.h>

/* Of glibc, whose headers have them for those who define _GNU_SOURCE. */
int memfd_create(const char *name, unsigned int flags);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
/* MFD_CLOEXEC */
static const unsigned int CVNC_CLOSE_ON_EXEC = 1;

EPICURE_LAZY_LIBRARY(lazy_vnc_symbol, "libvncserver.so.1")

EPICURE_LAZY_VOID(lazy_vnc_symbol, rfbLogEnable, (int enabled), (enabled))
EPICURE_LAZY(
    lazy_vnc_symbol, rfbScreenInfoPtr, rfbGetScreen,
    (int *argc, char **argv, int width, int height, int bitsPerSample, int samplesPerPixel, int bytesPerPixel),
    (argc, argv, width, height, bitsPerSample, samplesPerPixel, bytesPerPixel), NULL)
EPICURE_LAZY_VOID(
    lazy_vnc_symbol, rfbNewFramebuffer,
    (rfbScreenInfoPtr screen, char *framebuffer, int width, int height, int bitsPerSample, int samplesPerPixel, int bytesPerPixel),
    (screen, framebuffer, width, height, bitsPerSample, samplesPerPixel, bytesPerPixel))
EPICURE_LAZY_VOID(
    lazy_vnc_symbol, rfbMarkRectAsModified, (rfbScreenInfoPtr screen, int x1, int y1, int x2, int y2), (screen, x1, y1, x2, y2))
EPICURE_LAZY(lazy_vnc_symbol, rfbClientIteratorPtr, rfbGetClientIterator, (rfbScreenInfoPtr screen), (screen), NULL)
EPICURE_LAZY(lazy_vnc_symbol, rfbClientPtr, rfbClientIteratorNext, (rfbClientIteratorPtr iterator), (iterator), NULL)
EPICURE_LAZY_VOID(lazy_vnc_symbol, rfbReleaseClientIterator, (rfbClientIteratorPtr iterator), (iterator))
EPICURE_LAZY(lazy_vnc_symbol, rfbClientPtr, rfbNewClient, (rfbScreenInfoPtr screen, rfbSocket socket), (screen, socket), NULL)
EPICURE_LAZY_VOID(lazy_vnc_symbol, rfbStartOnHoldClient, (rfbClientPtr client), (client))
EPICURE_LAZY_VOID(lazy_vnc_symbol, rfbCloseClient, (rfbClientPtr client), (client))
EPICURE_LAZY_VOID(lazy_vnc_symbol, rfbDefaultPtrAddEvent, (int buttons, int x, int y, rfbClientPtr client), (buttons, x, y, client))
EPICURE_LAZY(
    lazy_vnc_symbol, rfbBool, rfbCheckPasswordByList, (rfbClientPtr client, const char *response, int length), (client, response, length),
    FALSE)
/* The library's header renames it with a macro, so that whoever was compiled with other options does not find it. */
#define EPICURE_INIT_SERVER(name) EPICURE_LAZY_VOID(lazy_vnc_symbol, name, (rfbScreenInfoPtr screen), (screen))
EPICURE_INIT_SERVER(rfbInitServer)
#undef EPICURE_INIT_SERVER

#define EPICURE_LAZY_NAMED(name) lazy_##name
#define EPICURE_LAZY_NAME(name) EPICURE_LAZY_NAMED(name)
static inline void CVNC_initServer(rfbScreenInfoPtr screen) { EPICURE_LAZY_NAME(rfbInitServer)(screen); }
#undef EPICURE_LAZY_NAME
#undef EPICURE_LAZY_NAMED

#endif
