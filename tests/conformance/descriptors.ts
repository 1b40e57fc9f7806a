/** close, dup, dup2, pipes by descriptor, /proc/self/fd, devices in /dev. @module */
import { O_RDWR } from "../../abi/flags.ts";
import { DEVFS } from "../../node_ops/devfs.ts";
import { PROCFS } from "../../node_ops/procfs.ts";
import { type Case, hear, namesIn, say, textOf, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "close() frees the descriptor once, and is EBADF twice",
    run(fs, t) {
      const stream = fs.open("/f", "w");
      const { fd } = stream;
      fs.close(stream);
      t.eq([stream.fd, fs.getStream(fd!)], [null, null]);
      t.fails("EBADF", () => fs.close(stream));
      t.fails("EBADF", () => fs.close(null as never));
    },
  },
  {
    name: "dup2() closes what the descriptor meant before",
    run(fs, t) {
      fs.writeFile("/a", "aaa");
      fs.writeFile("/b", "bbb");
      const [a, b] = [fs.open("/a", "r"), fs.open("/b", "r")];
      fs.dup2(a, b.fd!);
      const again = fs.getStreamChecked(a.fd! + 1);
      t.eq(hear(fs, again), "aaa");
      t.fails("EBADF", () => hear(fs, b));
      t.eq(fs.dup2(a, a.fd!).fd, a.fd);
      t.fails("EBADF", () => fs.dup2(a, -1));
      t.fails("EBADF", () => fs.dup2(99_999, 1));
      fs.close(a);
      fs.close(again);
    },
  },
  {
    name: "an inode lives until the last of several descriptors is closed",
    run(fs, t) {
      fs.writeFile("/f", "lives");
      const first = fs.open("/f", "r");
      const copy = fs.dup(first);
      const other = fs.open("/f", "r");
      fs.unlink("/f");
      fs.close(first);
      fs.close(other);
      t.eq(hear(fs, copy), "lives");
      fs.close(copy);
    },
  },
  {
    name: "/proc/self/fd lists descriptors, and its links lead to files without a name",
    run(fs, t) {
      fs.mkdir("/proc");
      fs.mount(PROCFS, { streams: fs.streams }, "/proc");
      fs.writeFile("/f", "still here");
      const stream = fs.open("/f", "r");
      t.ok(namesIn(fs, "/proc/self/fd").includes(String(stream.fd)), "it is listed");
      t.eq(fs.readlink(`/proc/self/fd/${stream.fd}`), "/f");
      fs.unlink("/f");
      t.eq(textOf(fs, `/proc/self/fd/${stream.fd}`), "still here");
      fs.close(stream);
      t.fails("ENOENT", () => fs.stat(`/proc/self/fd/999`));
    },
  },
  {
    name: "/dev has the devices, and they do what they are called",
    run(fs, t) {
      fs.mkdir("/dev");
      fs.mount(DEVFS, {}, "/dev");
      within(fs, "/dev/null", O_RDWR, (stream) => {
        t.eq([say(fs, stream, "gone"), hear(fs, stream)], [4, ""]);
      });
      within(fs, "/dev/zero", O_RDWR, (stream) => t.eq(hear(fs, stream, 2), "\0\0"));
      within(fs, "/dev/full", O_RDWR, (stream) => t.fails("ENOSPC", () => say(fs, stream, "x")));
      const bytes = new Uint8Array(64);
      within(fs, "/dev/urandom", "r", (stream) => t.eq(fs.read(stream, bytes, 0, 64), 64));
      t.ok(new Set(bytes).size > 16, "random bytes differ");
      fs.writeFile("/dev/null", "truncating a device does nothing");
    },
  },
];
