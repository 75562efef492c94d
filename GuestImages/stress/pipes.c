// Pipes and sockets: rings of processes that pass blocks on, and what happens at the ends.
#define _GNU_SOURCE
#include "stress.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { largest = 9000 };

struct block { uint32_t length; uint32_t hops; uint64_t sum; unsigned char bytes[largest]; };
enum { header = 16 };

static int transfer(ssize_t (*call)(int, void *, size_t), int descriptor, void *bytes, size_t count) {
  size_t done = 0;
  while (done < count) {
    ssize_t n = call(descriptor, (char *)bytes + done, count - done);
    if (n == 0) return done == 0 ? 0 : -1;
    if (n < 0 && errno != EINTR) return -1;
    if (n > 0) done += (size_t)n;
  }
  return 1;
}
static ssize_t put(int descriptor, void *bytes, size_t count) { return write(descriptor, bytes, count); }

static int receive(int from, struct block *b) {
  int result = transfer(read, from, b, header);
  if (result <= 0) return result;
  if (b->length > largest) return wrong("a block of %u bytes", b->length), -1;
  if (transfer(read, from, b->bytes, b->length) != 1) return -1;
  if (checksum(b->bytes, b->length) != b->sum) wrong("a block of %u bytes has changed", b->length);
  return 1;
}

// A member of the ring: takes, checks, turns every byte over, passes on.
static void member(int from, int to) {
  static struct block b;
  int result;
  while ((result = receive(from, &b)) == 1) {
    for (uint32_t i = 0; i < b.length; i++) b.bytes[i] ^= 0xFF;
    b.hops++;
    b.sum = checksum(b.bytes, b.length);
    if (transfer(put, to, &b, header + b.length) != 1) give_up("write");
  }
  if (result < 0) give_up("read");
}

static void ring(int sockets) {
  int first[2], in, out;
  if (sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, first) : pipe(first)) give_up("pipe");
  in = first[0];
  for (int i = 0; i < workers; i++) {
    int link[2];
    if (sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, link) : pipe(link)) give_up("pipe");
    pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) {
      close(first[1]);
      close(link[0]);
      member(in, link[1]);
      _exit(0);
    }
    close(in);
    close(link[1]);
    in = link[0];
  }
  out = first[1];
  struct generator g = generator("pipes", sockets);
  static struct block sent, back;
  for (int round = 0; round < rounds * 4; round++) {
    sent.length = 1 + (uint32_t)below(&g, largest);
    sent.hops = 0;
    fill(&g, sent.bytes, sent.length);
    sent.sum = checksum(sent.bytes, sent.length);
    if (transfer(put, out, &sent, header + sent.length) != 1) give_up("write");
    if (receive(in, &back) != 1) give_up("read");
    if (workers & 1)
      for (uint32_t i = 0; i < back.length; i++) back.bytes[i] ^= 0xFF;
    if (back.length != sent.length || back.hops != (uint32_t)workers || memcmp(back.bytes, sent.bytes, sent.length))
      wrong("round %d: not what was sent", round);
  }
  close(out);
  if (receive(in, &back) != 0) wrong("no end of file");
  close(in);
  for (int i = 0; i < workers; i++) {
    int status;
    if (wait(&status) < 0 || status != 0) wrong("a member ended with %x", status);
  }
}

void pipes(void) {
  ring(0);
  ring(1);
  // The ends.
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  if (pipe(ends)) give_up("pipe");
  struct pollfd p = {ends[0], POLLIN, 0};
  if (poll(&p, 1, 1) != 0) wrong("an empty pipe can be read");
  char byte = 1;
  if (write(ends[1], &byte, 1) != 1 || poll(&p, 1, 0) != 1 || !(p.revents & POLLIN)) wrong("a full pipe cannot be read");
  close(ends[0]);
  if (write(ends[1], &byte, 1) != -1 || errno != EPIPE) wrong("a pipe without a reader can be written");
  close(ends[1]);
}
