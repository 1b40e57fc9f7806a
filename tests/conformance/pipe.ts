/** pipe, poll, ioctl. @module */
import { O_NONBLOCK, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from "../../abi/flags.ts";
import { type Case, hear, say, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "pipe() carries bytes, ends when its writer closes, and is EPIPE without a reader",
    run(fs, t) {
      const [reader, writer] = fs.pipe();
      t.eq(say(fs, writer, "through"), 7);
      t.eq([hear(fs, reader, 3), hear(fs, reader)], ["thr", "ough"]);
      fs.close(writer);
      t.eq(hear(fs, reader), "");
      fs.close(reader);
      const [second, third] = fs.pipe(O_NONBLOCK);
      t.fails("EAGAIN", () => hear(fs, second));
      fs.close(second);
      t.fails("EPIPE", () => say(fs, third, "x"));
      fs.close(third);
    },
  },
  {
    name: "pipe() reads and writes one way, has no position, and is a FIFO",
    run(fs, t) {
      const [reader, writer] = fs.pipe();
      t.fails("EBADF", () => say(fs, reader, "x"));
      t.fails("EBADF", () => hear(fs, writer));
      t.fails("ESPIPE", () => fs.llseek(reader, 0, 0));
      t.fails("ESPIPE", () => hear(fs, reader, 1, 0));
      t.eq(fs.isFIFO(fs.fstat(reader).mode), true);
      fs.close(reader);
      fs.close(writer);
    },
  },
  {
    name: "pipe() holds 64 KiB and takes small writes whole",
    run(fs, t) {
      const [reader, writer] = fs.pipe(O_NONBLOCK);
      const much = new Uint8Array(100_000).fill(5);
      t.eq(fs.write(writer, much, 0, much.length), 65536);
      t.fails("EAGAIN", () => fs.write(writer, much, 0, 1));
      t.eq(fs.read(reader, new Uint8Array(100), 0, 100), 100);
      t.fails("EAGAIN", () => fs.write(writer, much, 0, 101));
      t.eq(fs.write(writer, much, 0, 100), 100);
      fs.close(reader);
      fs.close(writer);
    },
  },
  {
    name: "poll() says what is ready",
    run(fs, t) {
      const [reader, writer] = fs.pipe();
      const ask = () => {
        const entries = [reader, writer].map(({ fd }) => ({
          fd: fd ?? 999,
          events: POLLIN | POLLOUT,
          revents: 0,
        }));
        fs.poll(entries);
        return entries.map((entry) => entry.revents);
      };
      t.eq(ask(), [0, POLLOUT]);
      say(fs, writer, "x");
      t.eq(ask(), [POLLIN, POLLOUT]);
      fs.close(writer);
      t.eq(ask(), [POLLIN | POLLHUP, POLLNVAL]);
      fs.close(reader);
      within(fs, "/f", "w+", ({ fd }) => {
        const entries = [{ fd: fd!, events: POLLIN, revents: 0 }, {
          fd: -1,
          events: 1,
          revents: 9,
        }];
        t.eq([fs.poll(entries), entries[0]!.revents, entries[1]!.revents], [1, POLLIN, 0]);
      });
    },
  },
  {
    name: "ioctl() of a file is ENOTTY",
    run(fs, t) {
      within(fs, "/f", "w", (stream) => t.fails("ENOTTY", () => fs.ioctl(stream, 0x5401)));
    },
  },
];
