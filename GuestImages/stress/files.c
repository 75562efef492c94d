// Files: written, extended, cut, renamed, linked, synced, read again by name; directories with many.
#define _GNU_SOURCE
#include "stress.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { largest = 200000, names = 12 };

static void worker(int me) {
  struct generator g = generator("files", me);
  char folder[200], path[300], other[300];
  snprintf(folder, sizeof folder, "%s/stress-%d-%d", directory, (int)getppid(), me);
  if (mkdir(folder, 0700)) give_up(folder);
  struct { unsigned char *bytes; size_t size; int exists; } model[names] = {{0}};
  for (int i = 0; i < names; i++) model[i].bytes = malloc(largest);
  unsigned char *buffer = malloc(largest + 1);
  for (int step = 0; step < rounds * 15; step++) {
    int n = (int)below(&g, names);
    snprintf(path, sizeof path, "%s/file%d", folder, n);
    switch (below(&g, 6)) {
    case 0: case 1: {  // write somewhere, gaps included
      int file = open(path, O_RDWR | O_CREAT, 0600);
      if (file < 0) give_up("open");
      size_t at = below(&g, largest - 20000), count = 1 + below(&g, 20000);
      if (!model[n].exists) model[n].size = 0;
      if (at > model[n].size) memset(model[n].bytes + model[n].size, 0, at - model[n].size);
      fill(&g, model[n].bytes + at, count);
      if (pwrite(file, model[n].bytes + at, count, (off_t)at) != (ssize_t)count) failed("pwrite");
      if (at + count > model[n].size) model[n].size = at + count;
      model[n].exists = 1;
      if (below(&g, 8) == 0 && fsync(file)) failed("fsync");
      close(file);
      break;
    }
    case 2: {  // cut or extend
      if (!model[n].exists) break;
      size_t size = below(&g, largest);
      if (truncate(path, (off_t)size)) failed("truncate");
      if (size > model[n].size) memset(model[n].bytes + model[n].size, 0, size - model[n].size);
      model[n].size = size;
      break;
    }
    case 3: {  // rename over another
      int m = (int)below(&g, names);
      if (!model[n].exists || m == n) break;
      snprintf(other, sizeof other, "%s/file%d", folder, m);
      if (rename(path, other)) failed("rename");
      unsigned char *spare = model[m].bytes;
      model[m] = model[n];
      model[n].bytes = spare;
      model[n].exists = 0;
      break;
    }
    case 4:
      if (!model[n].exists) break;
      if (unlink(path)) failed("unlink");
      model[n].exists = 0;
      break;
    default: {
      int file = open(path, O_RDONLY);
      if (file < 0) {
        if (model[n].exists || errno != ENOENT) wrong("%s: %s", path, strerror(errno));
        break;
      }
      size_t done = 0;
      ssize_t got;
      while (done <= largest && (got = read(file, buffer + done, 1 + below(&g, 30000) % (largest + 1 - done + 1))) > 0) done += (size_t)got;
      struct stat information;
      if (!model[n].exists || done != model[n].size || memcmp(buffer, model[n].bytes, done)) wrong("%s is not what was written", path);
      if (fstat(file, &information) || (size_t)information.st_size != model[n].size) wrong("%s: size", path);
      close(file);
    }
    }
  }
  // The directory has what the model has.
  DIR *listing = opendir(folder);
  int seen = 0, expected = 0;
  if (!listing) give_up("opendir");
  for (struct dirent *entry; (entry = readdir(listing));) seen += entry->d_name[0] != '.';
  closedir(listing);
  for (int i = 0; i < names; i++) {
    expected += model[i].exists;
    snprintf(path, sizeof path, "%s/file%d", folder, i);
    if (model[i].exists && unlink(path)) failed("unlink");
  }
  if (seen != expected) wrong("%d files, not %d", seen, expected);
  if (rmdir(folder)) failed("rmdir");
}

void files(void) {
  in_workers(worker);
}
