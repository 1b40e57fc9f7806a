/** flock and fcntl locks. @module */
import {
  F_GETLK,
  F_RDLCK,
  F_SETLK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_CREAT,
  O_RDWR,
} from "../../abi/flags.ts";
import { type Case, within } from "./case.ts";

/** The cases. */
export const cases: readonly Case[] = [
  {
    name: "flock() is shared or exclusive between open files",
    run(fs, t) {
      const [a, b] = [0, 1].map(() => fs.open("/f", O_RDWR | O_CREAT));
      fs.flock(a!, LOCK_SH);
      fs.flock(b!, LOCK_SH);
      t.fails("EAGAIN", () => fs.flock(a!, LOCK_EX | LOCK_NB));
      fs.flock(b!, LOCK_UN);
      fs.flock(a!, LOCK_EX | LOCK_NB);
      t.fails("EAGAIN", () => fs.flock(b!, LOCK_SH | LOCK_NB));
      fs.close(a!);
      fs.flock(b!, LOCK_EX | LOCK_NB);
      fs.close(b!);
    },
  },
  {
    name: "flock() belongs to the open file, so dup shares it",
    run(fs, t) {
      const first = fs.open("/f", O_RDWR | O_CREAT);
      const copy = fs.dup(first);
      const other = fs.open("/f", O_RDWR);
      fs.flock(first, LOCK_EX);
      fs.flock(copy, LOCK_EX | LOCK_NB);
      fs.close(first);
      t.fails("EAGAIN", () => fs.flock(other, LOCK_EX | LOCK_NB));
      fs.close(copy);
      fs.flock(other, LOCK_EX | LOCK_NB);
      fs.close(other);
    },
  },
  {
    name: "fcntl() locks of one caller never stand in its own way, and F_GETLK says so",
    run(fs, t) {
      within(fs, "/f", O_RDWR | O_CREAT, (stream) => {
        t.eq(fs.fcntl(stream, F_SETLK, { type: F_WRLCK, start: 10, len: 5 }), 0);
        t.eq(fs.fcntl(stream, F_SETLK, { type: F_RDLCK, start: 12, len: 5 }), 0);
        const asked = { type: F_WRLCK, start: 0, len: 0 };
        fs.fcntl(stream, F_GETLK, asked);
        t.eq(asked.type, F_UNLCK);
        t.fails("EINVAL", () => fs.fcntl(stream, F_SETLK, { type: 9, start: 0, len: 0 }));
        t.fails("EINVAL", () => fs.fcntl(stream, F_SETLK, { type: F_RDLCK, start: -1, len: 1 }));
      });
    },
  },
];
