/*
 * What the probes share: each call under test prints one line, "name: result". The test compares the
 * lines of the same source compiled by a native compiler and by emcc over several filesystems.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utime.h>

/* The numbers differ between libraries, the names do not. */
static inline const char *error_name(int error) {
  switch (error) {
    case EACCES: return "EACCES";
    case EBADF: return "EBADF";
    case EBUSY: return "EBUSY";
    case EEXIST: return "EEXIST";
    case EINVAL: return "EINVAL";
    case EIO: return "EIO";
    case EISDIR: return "EISDIR";
    case ELOOP: return "ELOOP";
    case EMLINK: return "EMLINK";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENODEV: return "ENODEV";
    case ENOENT: return "ENOENT";
    case ENOSPC: return "ENOSPC";
    case ENOSYS: return "ENOSYS";
    case ENOTDIR: return "ENOTDIR";
    case ENOTEMPTY: return "ENOTEMPTY";
    case ENOTSUP: return "ENOTSUP";
    case ENXIO: return "ENXIO";
    case EPERM: return "EPERM";
    case ESPIPE: return "ESPIPE";
    case ESTALE: return "ESTALE";
    case EXDEV: return "EXDEV";
    default: return strerror(error);
  }
}

/* Prints what a call returned; posix_fallocate and its like return the error itself. */
static inline void say(const char *name, long result) {
  if (result < 0) printf("%s: %s\n", name, error_name(errno));
  else printf("%s: %ld\n", name, result);
}

static inline void say_text(const char *name, const char *text, size_t length) {
  printf("%s: \"", name);
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= ' ' && c < 127 && c != '"') putchar(c);
    else printf("\\%02x", c);
  }
  printf("\"\n");
}

/* The first bytes of a file and its length. */
static inline void say_file(const char *name, const char *path) {
  char bytes[64];
  struct stat st;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &st) != 0) {
    say(name, -1);
    if (fd >= 0) close(fd);
    return;
  }
  ssize_t length = read(fd, bytes, sizeof bytes);
  printf("%s, length: %lld\n", name, (long long)st.st_size);
  say_text(name, bytes, length < 0 ? 0 : (size_t)length);
  close(fd);
}

static inline int make_file(const char *path, const char *text) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
    printf("cannot make %s: %s\n", path, strerror(errno));
    exit(2);
  }
  return fd;
}

static inline void put(const char *path, const char *text) { close(make_file(path, text)); }

/* Every probe works in a directory of its own, named on the command line. */
static inline void enter(int count, char **arguments) {
  if (count < 2 || chdir(arguments[1]) != 0) {
    printf("cannot enter the directory\n");
    exit(2);
  }
}
