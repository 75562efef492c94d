#include <rfb/rfb.h>
#include <spawn.h>

/* Of glibc, whose headers have them for those who define _GNU_SOURCE. */
int memfd_create(const char *name, unsigned int flags);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
/* MFD_CLOEXEC */
static const unsigned int CVNC_CLOSE_ON_EXEC = 1;
/* The library's header renames it with a macro. */
static inline void CVNC_initServer(rfbScreenInfoPtr screen) { rfbInitServer(screen); }
