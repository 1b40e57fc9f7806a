/*
 * What Linux answers to file calls: errno_order DIRECTORY < script. The script is the calls that make
 * a tree, a line "--", and one case per line, "uid call arguments". A case runs in a fresh tree, by a
 * caller of that uid and gid, and prints "ok" or the name of the error. "@" is the empty path. Needs
 * root: for the uids, and for chroot, so that absolute paths stay in the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LINE_SIZE = 16384, MOST_WORDS = 6, MOST_LINES = 200 };

static char *setup[MOST_LINES];
static int setup_count;
static int outside;
static int tree_number;

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(2);
}

static const char *path_of(const char *word) { return strcmp(word, "@") == 0 ? "" : word; }

static int opened(const char *path, long flags, long mode) {
  int fd = open(path, (int)flags, (mode_t)mode);
  if (fd >= 0) close(fd);
  return fd;
}

/* Runs one call; its words are the name, then the arguments. */
static int call(char **word) {
  const char *name = word[0];
  const char *path = path_of(word[1]);
  const char *other = word[2] ? path_of(word[2]) : "";
  long first = word[2] ? strtol(word[2], NULL, 10) : 0;
  long second = word[3] ? strtol(word[3], NULL, 10) : 0;
  struct stat found;
  char target[8192];
  if (!strcmp(name, "open")) return opened(path, first, second);
  if (!strcmp(name, "mkdir")) return mkdir(path, (mode_t)first);
  if (!strcmp(name, "mknod")) return mknod(path, (mode_t)first, (dev_t)second);
  if (!strcmp(name, "rmdir")) return rmdir(path);
  if (!strcmp(name, "unlink")) return unlink(path);
  if (!strcmp(name, "symlink")) return symlink(path, other);
  if (!strcmp(name, "link")) return link(path, other);
  if (!strcmp(name, "rename")) return renameat2(AT_FDCWD, path, AT_FDCWD, other, (unsigned)second);
  if (!strcmp(name, "stat")) return stat(path, &found);
  if (!strcmp(name, "lstat")) return lstat(path, &found);
  if (!strcmp(name, "readlink")) return (int)readlink(path, target, sizeof target);
  if (!strcmp(name, "truncate")) return truncate(path, first);
  if (!strcmp(name, "chmod")) return chmod(path, (mode_t)first);
  if (!strcmp(name, "chown")) return chown(path, (uid_t)first, (gid_t)second);
  if (!strcmp(name, "lchown")) return lchown(path, (uid_t)first, (gid_t)second);
  if (!strcmp(name, "utimens")) return utimensat(AT_FDCWD, path, NULL, 0);
  if (!strcmp(name, "access")) return access(path, (int)first);
  if (!strcmp(name, "chdir")) return chdir(path);
  fprintf(stderr, "no call \"%s\"\n", name);
  exit(2);
}

static void split(char *line, char **word) {
  int count = 0;
  for (char *at = strtok(line, " \n"); at && count < MOST_WORDS; at = strtok(NULL, " \n")) {
    word[count++] = at;
  }
  while (count <= MOST_WORDS) word[count++] = NULL;
}

/* The saved uid stays root, so that the next line can be somebody else. */
static void become(uid_t uid) {
  if (setresuid(0, 0, 0) || setgroups(0, NULL) || setresgid(uid, uid, 0) || setresuid(uid, uid, 0)) {
    die("become");
  }
}

static void make_tree(void) {
  char name[32];
  become(0);
  snprintf(name, sizeof name, "tree%d", tree_number++);
  if (fchdir(outside) || chroot(".") || mkdir(name, 0755) || chroot(name) || chdir("/")) die(name);
  for (int index = 0; index < setup_count; index++) {
    char *word[MOST_WORDS + 1];
    char line[LINE_SIZE];
    strcpy(line, setup[index]);
    split(line, word);
    if (call(word) < 0) die(setup[index]);
  }
}

int main(int count, char **arguments) {
  char line[LINE_SIZE];
  if (count < 2 || chdir(arguments[1])) die("chdir");
  outside = open(".", O_RDONLY | O_DIRECTORY);
  umask(022);
  while (fgets(line, sizeof line, stdin) && strcmp(line, "--\n") != 0) {
    setup[setup_count++] = strdup(line);
  }
  int is_fresh = 0;
  while (fgets(line, sizeof line, stdin)) {
    char *word[MOST_WORDS + 1];
    split(line, word);
    if (!is_fresh) make_tree();
    become((uid_t)strtol(word[0], NULL, 10));
    is_fresh = call(word + 1) < 0;
    puts(is_fresh ? strerrorname_np(errno) : "ok");
  }
  return 0;
}
