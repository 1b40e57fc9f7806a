/* Descriptors and bytes: open, read, write, seek, truncate, dup, unlinked files. */
#include "probe.h"

static void open_flags(void) {
  put("file", "0123456789");
  mkdir("dir", 0755);
  symlink("file", "link");
  say("open O_EXCL of an existing file", open("file", O_RDWR | O_CREAT | O_EXCL, 0644));
  say("open O_EXCL of a link", open("link", O_RDWR | O_CREAT | O_EXCL, 0644));
  say("open missing", open("missing", O_RDONLY));
  say("open below missing", open("missing/x", O_RDONLY));
  say("open below a file", open("file/x", O_RDONLY));
  say("open O_DIRECTORY of a file", open("file", O_RDONLY | O_DIRECTORY));
  say("open a directory for writing", open("dir", O_WRONLY));
  say("open O_NOFOLLOW of a link", open("link", O_RDONLY | O_NOFOLLOW));
  close(open("file", O_WRONLY | O_TRUNC));
  say_file("after O_TRUNC", "file");
  int fd = open("through", O_WRONLY | O_CREAT, 0600);
  struct stat st;
  fstat(fd, &st);
  printf("mode of a new file: %o\n", (unsigned)st.st_mode);
  close(fd);
}

static void positions(void) {
  char bytes[32];
  int fd = make_file("seek", "0123456789");
  say("position after write", lseek(fd, 0, SEEK_CUR));
  say("seek from the end", lseek(fd, -3, SEEK_END));
  say("read at the end", read(fd, bytes, sizeof bytes));
  say_text("read bytes", bytes, 3);
  say("read behind the end", read(fd, bytes, sizeof bytes));
  say("seek below 0", lseek(fd, -1, SEEK_SET));
  say("seek with a wrong whence", lseek(fd, 0, 99));
  say("pread", pread(fd, bytes, 4, 2));
  say_text("pread bytes", bytes, 4);
  say("position after pread", lseek(fd, 0, SEEK_CUR));
  say("pwrite behind the end", pwrite(fd, "end", 3, 20));
  say("position after pwrite", lseek(fd, 0, SEEK_CUR));
  say("pread with a negative offset", pread(fd, bytes, 4, -1));
  close(fd);
  say_file("with a gap", "seek");
  fd = open("dir", O_RDONLY);
  say("read of a directory", read(fd, bytes, 1));
  close(fd);
}

static void vectors(void) {
  char first[4] = "", second[8] = "";
  struct iovec out[2] = {{"abc", 3}, {"defgh", 5}};
  struct iovec in[2] = {{first, 3}, {second, 5}};
  int fd = make_file("vector", "");
  say("writev", writev(fd, out, 2));
  say("preadv", preadv(fd, in, 2, 0));
  say_text("preadv first", first, 3);
  say_text("preadv second", second, 5);
  say("pwritev", pwritev(fd, out, 2, 4));
  close(fd);
  say_file("after pwritev", "vector");
}

static void append(void) {
  int one = open("append", O_WRONLY | O_CREAT | O_APPEND, 0644);
  int two = open("append", O_WRONLY | O_APPEND);
  write(one, "one ", 4);
  write(two, "two ", 4);
  write(one, "one ", 4);
  say("seek before an append", lseek(two, 0, SEEK_SET));
  say("append", write(two, "two ", 4));
  say("position after append", lseek(two, 0, SEEK_CUR));
  say("pwrite with O_APPEND", pwrite(one, "pos ", 4, 0));
  close(one);
  close(two);
  say_file("appended", "append");
}

static void sizes(void) {
  int fd = make_file("size", "0123456789");
  say("ftruncate to less", ftruncate(fd, 4));
  say("ftruncate to more", ftruncate(fd, 8));
  say("truncate by path", truncate("size", 6));
  say("ftruncate below 0", ftruncate(fd, -1));
  close(fd);
  say_file("truncated", "size");
  say("truncate of a directory", truncate("dir", 0));
  say("truncate of a missing file", truncate("missing", 0));
  fd = open("size", O_RDONLY);
  say("ftruncate for reading only", ftruncate(fd, 0));
  say("write for reading only", write(fd, "x", 1));
  close(fd);
  fd = open("size", O_WRONLY);
  char byte;
  say("read for writing only", read(fd, &byte, 1));
  say("fsync", fsync(fd));
  say("fdatasync", fdatasync(fd));
  close(fd);
  say("write when closed", write(fd, "x", 1));
  say("close when closed", close(fd));
}

static void sparse(void) {
  struct stat st;
  char bytes[4] = "xxx";
  int fd = make_file("sparse", "head");
  say("pwrite far away", pwrite(fd, "tail", 4, 1000000));
  say("pread in the hole", pread(fd, bytes, 4, 500000));
  say_text("hole bytes", bytes, 4);
  fstat(fd, &st);
  say("sparse size", (long)st.st_size);
  int error = posix_fallocate(fd, 0, 1000100);
  printf("posix_fallocate: %s\n", error == 0 ? "0" : error_name(error));
  fstat(fd, &st);
  say("size after posix_fallocate", (long)st.st_size);
  say("pread after posix_fallocate", pread(fd, bytes, 4, 1000000));
  say_text("tail bytes", bytes, 4);
  close(fd);
}

static void copies_of_a_descriptor(void) {
  char bytes[8];
  int fd = make_file("dup", "0123456789");
  lseek(fd, 0, SEEK_SET);
  int copy = dup(fd);
  say("read of the original", read(fd, bytes, 4));
  say("position of the copy", lseek(copy, 0, SEEK_CUR));
  close(fd);
  say("read of the copy when the original is closed", pread(copy, bytes, 4, 2));
  say_text("copy bytes", bytes, 4);
  int other = make_file("other", "other");
  say("dup2 over an open descriptor is that descriptor", dup2(copy, other) == other);
  say("pread of the dup2", pread(other, bytes, 2, 0));
  say_text("dup2 bytes", bytes, 2);
  say("dup of no descriptor", dup(99));
  close(copy);
  close(other);
}

static void files_without_a_name(void) {
  char bytes[8] = "";
  struct stat st;
  int fd = make_file("unlinked", "still here");
  say("unlink of an open file", unlink("unlinked"));
  say("stat of it", stat("unlinked", &st));
  say("pread of it", pread(fd, bytes, 5, 0));
  say_text("unlinked bytes", bytes, 5);
  say("pwrite of it", pwrite(fd, "more", 4, 10));
  say("seek to its end", lseek(fd, 0, SEEK_END));
  say("fstat of it", fstat(fd, &st));
  close(fd);
  fd = make_file("replaced", "the old one");
  put("new", "the new one");
  say("rename over an open file", rename("new", "replaced"));
  say("pread of what was replaced", pread(fd, bytes, 7, 0));
  say_text("replaced bytes", bytes, 7);
  close(fd);
  say_file("what replaced it", "replaced");
  say("unlink of what replaced it", unlink("replaced"));
  say("stat of the replaced name", stat("replaced", &st));
}

int main(int count, char **arguments) {
  enter(count, arguments);
  umask(022);
  open_flags();
  positions();
  vectors();
  append();
  sizes();
  sparse();
  copies_of_a_descriptor();
  files_without_a_name();
  return 0;
}
