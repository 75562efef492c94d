/* What Swift does not import: fork, functions with any number of arguments, the macros of messages that carry descriptors (cmsg(3)), and
 * malloc.h. */
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static inline pid_t epicure_fork(void) { return fork(); }

/* Children of children whose parents have ended become this process's. */
static inline void epicure_adopt(void) { prctl(PR_SET_CHILD_SUBREAPER, 1); }

/* passed: a descriptor that goes with the message, or -1. */
static inline ssize_t epicure_send(int line, const void *bytes, size_t size, int passed) {
  struct iovec part = {(void *)bytes, size};
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {{0}};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (passed >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
  }
  return sendmsg(line, &message, MSG_NOSIGNAL);
}

static inline ssize_t epicure_receive(int line, void *bytes, size_t size, int *passed) {
  struct iovec part = {bytes, size};
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  *passed = -1;
  ssize_t count = recvmsg(line, &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *header = count < 0 ? NULL : CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) memcpy(passed, CMSG_DATA(header), sizeof *passed);
  return count;
}
