/* Names and attributes: directories, rename, links, modes, times, listings. */
#include "probe.h"

static void directories(void) {
  put("file", "x");
  say("mkdir", mkdir("dir", 0750));
  say("mkdir again", mkdir("dir", 0750));
  say("mkdir below missing", mkdir("missing/dir", 0755));
  say("mkdir below a file", mkdir("file/dir", 0755));
  put("dir/inner", "inner");
  say("rmdir of a full directory", rmdir("dir"));
  say("rmdir of a file", rmdir("file"));
  say("rmdir of a missing one", rmdir("missing"));
  say("unlink of a directory", unlink("dir"));
  say("unlink of a missing file", unlink("missing"));
  say("unlink below a file", unlink("file/x"));
  say("mkdir to remove", mkdir("gone", 0755));
  say("rmdir", rmdir("gone"));
  struct stat st;
  say("stat of the removed one", stat("gone", &st));
  say("mkdir under the same name", mkdir("gone", 0755));
}

static void renames(void) {
  put("a", "file a");
  put("b", "file b");
  mkdir("from", 0755);
  mkdir("full", 0755);
  put("from/x", "x");
  put("full/y", "y");
  say("rename over a file", rename("a", "b"));
  say_file("renamed", "b");
  say("rename of a missing file", rename("a", "c"));
  say("rename over a full directory", rename("from", "full"));
  say("rename into itself", rename("from", "from/inner"));
  say("rename of a file over a directory", rename("b", "gone"));
  say("rename of a directory over a file", rename("from", "b"));
  say("rename to the same name", rename("b", "b"));
  say("rename of a directory over an empty one", rename("from", "gone"));
  say_file("moved with its directory", "gone/x");
  say("rename to another directory", rename("gone/x", "full/z"));
  say_file("moved", "full/z");
  struct stat st;
  say("stat of the old name", stat("gone/x", &st));
}

static void links(void) {
  char target[64] = "";
  struct stat st;
  say("symlink", symlink("b", "soft"));
  say("symlink over a name", symlink("b", "soft"));
  ssize_t length = readlink("soft", target, sizeof target);
  say_text("readlink", target, length < 0 ? 0 : (size_t)length);
  say("readlink of a file", readlink("b", target, sizeof target));
  say("lstat of a link", lstat("soft", &st));
  say("lstat shows a link", S_ISLNK(st.st_mode));
  say("length of a link", (long)st.st_size);
  say("stat through a link", stat("soft", &st));
  say("stat shows a file", S_ISREG(st.st_mode));
  say_file("read through a link", "soft");
  symlink("nowhere", "dangling");
  say("stat of a dangling link", stat("dangling", &st));
  say("lstat of a dangling link", lstat("dangling", &st));
  symlink("loop", "loop");
  say("stat of a loop", stat("loop", &st));
  symlink("full", "dirlink");
  say_file("through a link to a directory", "dirlink/y");
  mkdir("full/deep", 0755);
  symlink("full/deep", "deeplink");
  say_file("beside the target of a link", "deeplink/../y");
  say("unlink of a link", unlink("dangling"));
  say("link", link("b", "hard"));
  say("stat of a file with two names", stat("b", &st));
  say("its names", (long)st.st_nlink);
}

static void modes_and_times(void) {
  struct stat st;
  say("chmod", chmod("b", 0640));
  stat("b", &st);
  printf("mode: %o\n", (unsigned)st.st_mode);
  int fd = open("b", O_RDWR);
  say("fchmod", fchmod(fd, 0600));
  fstat(fd, &st);
  printf("mode of the open file: %o\n", (unsigned)st.st_mode);
  close(fd);
  say("access to read", access("b", R_OK));
  say("access to a missing file", access("missing", F_OK));
  struct utimbuf times = {1000000000, 1234567890};
  say("utime", utime("b", &times));
  stat("b", &st);
  say("atime", (long)st.st_atime);
  say("mtime", (long)st.st_mtime);
  say("st_blksize", (long)st.st_blksize);
  say("chown that changes nothing", chown("b", -1, -1));
  struct statvfs space;
  say("statvfs", statvfs(".", &space));
  say("statvfs f_namemax", (long)space.f_namemax);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void listing(void) {
  char *names[1000], name[32];
  int count = 0, wrong = 0;
  struct stat st;
  mkdir("many", 0755);
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "many/%03d", i);
    put(name, "");
  }
  DIR *directory = opendir("many");
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    names[count++] = strdup(entry->d_name);
    if (entry->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "many/%.20s", entry->d_name);
    if (stat(name, &st) != 0 || st.st_ino != entry->d_ino || entry->d_type != DT_REG) wrong++;
  }
  closedir(directory);
  qsort(names, count, sizeof *names, by_name);
  say("entries", count);
  say("entries whose number is not stat's", wrong);
  say_text("first entry", names[0], strlen(names[0]));
  say_text("last entry", names[count - 1], strlen(names[count - 1]));
  for (int i = 0; i < 300; i += 2) {
    snprintf(name, sizeof name, "many/%03d", i);
    unlink(name);
  }
  count = 0;
  directory = opendir("many");
  while (readdir(directory) != NULL) count++;
  closedir(directory);
  say("entries when half are removed", count);
  say("opendir of a file", opendir("b") == NULL ? -1 : 0);
}

static void unusual_names(void) {
  char name[300];
  memset(name, 'n', sizeof name);
  name[255] = 0;
  put(name, "255");
  say_file("a name of 255 bytes", name);
  name[255] = 'n';
  name[256] = 0;
  say("a name of 256 bytes", open(name, O_WRONLY | O_CREAT, 0644));
  put("__proto__", "an ordinary name");
  say_file("the name __proto__", "__proto__");
  put("constructor", "another one");
  say_file("the name constructor", "constructor");
  put("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "utf-8");
  say_file("a name in UTF-8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
  say("an empty name", open("", O_RDONLY));
}

static void relative_to_a_descriptor(void) {
  struct stat st;
  char where[256];
  int dir = open("full", O_RDONLY | O_DIRECTORY);
  say("mkdirat", mkdirat(dir, "below", 0755));
  int fd = openat(dir, "below/at", O_WRONLY | O_CREAT, 0644);
  say("write through openat", write(fd, "at", 2));
  close(fd);
  say("fstatat", fstatat(dir, "below/at", &st, 0));
  say("renameat", renameat(dir, "below/at", dir, "at"));
  say("unlinkat of a directory", unlinkat(dir, "below", AT_REMOVEDIR));
  close(dir);
  say_file("made by openat", "full/at");
  say("chdir", chdir("full"));
  say("getcwd ends in full", strstr(getcwd(where, sizeof where), "/full") != NULL);
  say_file("relative to the directory", "at");
  say("chdir back", chdir(".."));
  say("chdir to a file", chdir("b"));
  say("mknod of a FIFO", mknod("fifo", S_IFIFO | 0644, 0));
  say("stat of a FIFO", stat("fifo", &st));
}

int main(int count, char **arguments) {
  enter(count, arguments);
  umask(022);
  directories();
  renames();
  links();
  modes_and_times();
  listing();
  unusual_names();
  relative_to_a_descriptor();
  return 0;
}
