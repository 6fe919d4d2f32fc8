/* Stands before the C library (LD_PRELOAD) and lets one write below a folder fail.
 *
 * FAULT_UNDER: the folder. FAULT_AT: the number of the call that fails, from 1 on.
 * FAULT_ERRNO: what it fails with; 0 lets it write half of what was asked for.
 * FAULT_FIRED: a file that is made once the fault has happened.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

/* Tell whether this call is the one: -1 where it is not, else what it fails with. */
static int due(const char *path) {
  const char *under = getenv("FAULT_UNDER"), *at = getenv("FAULT_AT");
  if (!under || !at || strncmp(path, under, strlen(under))) return -1;
  if (atomic_fetch_add(&calls, 1) + 1 != atol(at)) return -1;
  int fired = open(getenv("FAULT_FIRED"), O_CREAT | O_WRONLY, 0600);
  if (fired >= 0) close(fired);
  return atoi(getenv("FAULT_ERRNO"));
}

static int due_file(int file) {
  char link[64], path[PATH_MAX + 1];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_MAX);
  if (length < 0) return -1;
  path[length] = 0;
  return due(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t count) {
  int fault = count ? due_file(file) : -1;
  if (fault > 0) { errno = fault; return -1; }
  return REAL(write)(file, bytes, fault == 0 && count > 1 ? count / 2 : count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  int fault = count ? due_file(file) : -1;
  if (fault > 0) { errno = fault; return -1; }
  return REAL(pwrite64)(file, bytes, fault == 0 && count > 1 ? count / 2 : count, at);
}

int fsync(int file) {
  int fault = due_file(file);
  if (fault > 0) { errno = fault; return -1; }
  return REAL(fsync)(file);
}

int fdatasync(int file) {
  int fault = due_file(file);
  if (fault > 0) { errno = fault; return -1; }
  return REAL(fdatasync)(file);
}

int rename(const char *from, const char *to) {
  int fault = due(to);
  if (fault > 0) { errno = fault; return -1; }
  return REAL(rename)(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  int fault = due(to);
  if (fault > 0) { errno = fault; return -1; }
  return REAL(linkat)(from_folder, from, to_folder, to, flags);
}

int link(const char *from, const char *to) {
  int fault = due(to);
  if (fault > 0) { errno = fault; return -1; }
  return REAL(link)(from, to);
}
