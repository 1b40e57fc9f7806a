/**
 * Golden calls: one call of every operation by inode on a small volume, the bytes of its request, and
 * those of its answer. Written once, from what the relay did when docs/PROTOCOL.md was written.
 */
import { S_IFREG } from "../../../abi/mode.ts";
import type { Channel } from "../../../opfs/relay/channel.ts";
import type { RelayClient } from "../../../opfs/relay/client.ts";
import type { OpName } from "../../../opfs/relay/operations.ts";
import { RelayPromises } from "../../../opfs/relay/promises.ts";
import { LockKind } from "../../../opfs/volume_ops.ts";
import { ModelVolume } from "../../support/model_volume.ts";

const FILE = { mode: S_IFREG | 0o644, uid: 1, gid: 2 };
const LOCK = { kind: LockKind.RANGE, owner: 7, type: 1, start: 2, end: 6, wait: false };

/** What hexadecimal digits say, spaces aside. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (two) => parseInt(two, 16));
}

/** Inode 2 is the file "f" of three bytes, 3 the directory "d", 4 the link "l", 5 the file "x". */
export function goldenVolume(now = () => 2): ModelVolume {
  const volume = new ModelVolume({ now });
  volume.write(volume.create(1, "f", FILE), bytesOf("616263"), 0);
  volume.create(1, "d", { ...FILE, mode: 0o040755 });
  volume.create(1, "l", { ...FILE, mode: 0o120777, target: "d/ü" });
  volume.create(1, "x", FILE);
  volume.setxattr(2, "user.a", bytesOf("0102"), 0);
  volume.retain(5);
  return volume;
}

/** One operation. */
export interface Golden {
  /** Its call on that volume; the last request that it makes is the operation's. */
  call(client: RelayClient, channel: Channel): unknown;
  /** Both messages, in groups of four bytes. */
  bytes: readonly [request: string, answer: string];
}

/** Every operation by its name. */
export const GOLDEN: Readonly<Record<OpName, Golden>> = {
  LOOKUP: {
    call: (c) => c.lookup(1, "f"),
    bytes: [
      "40000000 00000000 01000000 08000000 66010000 00000000 00",
      "00000000 08000000 02000000 00000000",
    ],
  },
  CREATE: {
    call: (c) => c.create(3, "ü", { ...FILE, mode: 0o120777, target: "to" }),
    bytes: [
      "41000000 00000000 02000000 1a000000 c3bc0300 00000000 0000ffa1 00000100 00000200" +
      "00000000 0000746f",
      "00000000 08000000 06000000 00000000",
    ],
  },
  LINK: {
    call: (c) => c.link(2, 3, "g"),
    bytes: [
      "42000000 00000000 01000000 10000000 67020000 00000000 00030000 00000000 00",
      "00000000 00000000",
    ],
  },
  UNLINK: {
    call: (c) => c.unlink(1, "x"),
    bytes: [
      "43000000 00000000 01000000 08000000 78010000 00000000 00",
      "00000000 00000000",
    ],
  },
  RMDIR: {
    call: (c) => c.rmdir(1, "d"),
    bytes: [
      "44000000 00000000 01000000 08000000 64010000 00000000 00",
      "00000000 00000000",
    ],
  },
  RENAME: {
    call: (c) => c.rename(1, "f", 3, "g", 1),
    bytes: [
      "45000000 00000000 01000000 15000000 66010000 00000000 00030000 00000000 00010000" +
      "0067",
      "00000000 00000000",
    ],
  },
  READDIR: {
    call: (c) => c.readdir(1, 0),
    bytes: [
      "46000000 00000000 00000000 10000000 01000000 00000000 00000000 00000000",
      "04000000 4c000000 02000000 a4810000 00000000 0000f03f 01006603 000000ed 41000000" +
      "00000000 00004001 00640400 0000ffa1 00000000 00000000 08400100 6c050000 00a48100" +
      "00000000 00000010 40010078",
    ],
  },
  READLINK: {
    call: (c) => c.readlink(4),
    bytes: [
      "47000000 00000000 00000000 08000000 04000000 00000000",
      "00000000 04000000 642fc3bc",
    ],
  },
  GETATTR: {
    call: (c) => c.getattr(2),
    bytes: [
      "48000000 00000000 00000000 08000000 02000000 00000000",
      "00000000 40000000 02000000 a4810000 01000000 01000000 02000000 00000000 00000000" +
      "00000840 00000000 00002040 00000000 00000040 00000000 00000040 00000000 00000040",
    ],
  },
  SETATTR: {
    call: (c) => c.setattr(2, { mode: 0o600, size: 5, mtime: -1.5 }),
    bytes: [
      "49000000 00000000 00000000 30000000 02000000 00000000 29000000 80010000 00000000" +
      "00000000 00000000 00001440 00000000 00000000 00000000 0000f8bf",
      "00000000 00000000",
    ],
  },
  READ: {
    call: (c) => c.read(2, new Uint8Array(9), 1),
    bytes: [
      "4a000000 00000000 00000000 14000000 02000000 00000000 00000000 0000f03f 09000000",
      "00000000 02000000 6263",
    ],
  },
  WRITE: {
    call: (c) => c.write(2, bytesOf("0102"), 8),
    bytes: [
      "4b000000 00000000 00000000 12000000 02000000 00000000 00000000 00002040 0102",
      "02000000 00000000",
    ],
  },
  APPEND: {
    call: (c) => c.append(2, bytesOf("0304")),
    bytes: [
      "4c000000 00000000 00000000 0a000000 02000000 00000000 0304",
      "00000000 0c000000 00000000 00000840 02000000",
    ],
  },
  RETAIN: {
    call: (c) => c.retain(2),
    bytes: [
      "4d000000 00000000 00000000 08000000 02000000 00000000",
      "00000000 00000000",
    ],
  },
  RELEASE: {
    call(c, channel) {
      c.retain(2);
      c.retain(2);
      // The word of the release before has not been looked at: this one is sent.
      channel.postRelease(2, 0);
      c.release(2);
    },
    bytes: [
      "4e000000 00000000 00000000 08000000 02000000 00000000",
      "00000000 00000000",
    ],
  },
  FSYNC: {
    call: (c) => c.fsync(2),
    bytes: [
      "4f000000 00000000 00000000 08000000 02000000 00000000",
      "00000000 00000000",
    ],
  },
  SYNC: {
    call: (c) => c.sync(),
    bytes: [
      "50000000 00000000 00000000 00000000",
      "00000000 00000000",
    ],
  },
  STATFS: {
    call: (c) => c.statfs(),
    bytes: [
      "51000000 00000000 00000000 00000000",
      "00000000 28000000 00000000 0000b040 00000000 0000e041 0000c0ff ffffdf41 00000000" +
      "0000e041 0000c0fe ffffdf41",
    ],
  },
  TMPFILE: {
    call: (c) => c.tmpfile(1, { ...FILE, isLinkable: false }),
    bytes: [
      "52000000 00000000 00000000 18000000 01000000 00000000 a4810000 01000000 02000000" +
      "01000000",
      "00000000 08000000 06000000 00000000",
    ],
  },
  SEEK: {
    call: (c) => c.seek(2, 1, 4),
    bytes: [
      "53000000 00000000 00000000 14000000 02000000 00000000 00000000 0000f03f 04000000",
      "00000000 08000000 00000000 00000840",
    ],
  },
  ALLOCATE: {
    call: (c) => c.allocate(2, 1, 0, 9000),
    bytes: [
      "54000000 00000000 00000000 1c000000 02000000 00000000 01000000 00000000 00000000" +
      "00000000 0094c140",
      "00000000 00000000",
    ],
  },
  GETXATTR: {
    call: (c) => c.getxattr(2, "user.a"),
    bytes: [
      "55000000 00000000 06000000 08000000 75736572 2e610200 00000000 0000",
      "01000000 02000000 0102",
    ],
  },
  SETXATTR: {
    call: (c) => c.setxattr(2, "user.b", bytesOf("0a"), 1),
    bytes: [
      "56000000 00000000 06000000 0d000000 75736572 2e620200 00000000 00000100 00000a",
      "00000000 00000000",
    ],
  },
  LISTXATTR: {
    call: (c) => c.listxattr(2),
    bytes: [
      "57000000 00000000 00000000 08000000 02000000 00000000",
      "01000000 07000000 75736572 2e6100",
    ],
  },
  REMOVEXATTR: {
    call: (c) => c.removexattr(2, "user.a"),
    bytes: [
      "58000000 00000000 06000000 08000000 75736572 2e610200 00000000 0000",
      "01000000 00000000",
    ],
  },
  COPY_RANGE: {
    call: (c) => c.copyRange(2, 1, 5, 8, 9),
    bytes: [
      "59000000 00000000 00000000 28000000 02000000 00000000 00000000 0000f03f 05000000" +
      "00000000 00000000 00002040 00000000 00002240",
      "00000000 08000000 00000000 00000040",
    ],
  },
  LOOKUP_ATTR: {
    call: (c) => c.lookupAttr(1, "f")?.ino,
    bytes: [
      "60000000 00000000 01000000 08000000 66010000 00000000 00",
      "00000000 48000000 02000000 00000000 02000000 a4810000 01000000 01000000 02000000" +
      "00000000 00000000 00000840 00000000 00002040 00000000 00000040 00000000 00000040" +
      "00000000 00000040",
    ],
  },
  LOOKUP_RETAIN: {
    call: (c) => c.lookupRetain(1, "none"),
    bytes: [
      "61000000 00000000 04000000 08000000 6e6f6e65 01000000 00000000",
      "00000000 00000000",
    ],
  },
  CREATE_RETAIN: {
    call: (c) => c.createRetain(3, "n", FILE).ino,
    bytes: [
      "62000000 00000000 01000000 18000000 6e030000 00000000 00a48100 00010000 00020000" +
      "00000000 00",
      "00000000 48000000 06000000 00000000 06000000 a4810000 01000000 01000000 02000000" +
      "00000000 00000000 00000000 00000000 00000000 00000000 00000040 00000000 00000040" +
      "00000000 00000040",
    ],
  },
  READDIR_ATTR: {
    call: (c) => c.readdirAttr(1, 3).length,
    bytes: [
      "63000000 00000000 00000000 10000000 01000000 00000000 00000000 00000840",
      "01000000 5b000000 05000000 a4810000 00000000 00001040 01007805 00000000 00000005" +
      "000000a4 81000001 00000001 00000002 00000000 00000000 00000000 00000000 00000000" +
      "00000000 00000000 00004000 00000000 00004000 00000000 000040",
    ],
  },
  GETATTRS: {
    call: (c) => c.getattrs([5, 99]).length,
    bytes: [
      "64000000 00000000 00000000 10000000 05000000 00000000 63000000 00000000",
      "02000000 48000000 01000000 05000000 a4810000 01000000 01000000 02000000 00000000" +
      "00000000 00000000 00000000 00000000 00000000 00000040 00000000 00000040 00000000" +
      "00000040 00000000",
    ],
  },
  STORE: {
    call: (c) => c.store(3, "s", FILE, bytesOf("0708")),
    bytes: [
      "65000000 00000000 01000000 16000000 73030000 00000000 00a48100 00010000 00020000" +
      "000708",
      "02000000 08000000 06000000 00000000",
    ],
  },
  LOCK: {
    call: (c) => c.lock(2, LOCK),
    bytes: [
      "6e000000 00000000 00000000 28000000 02000000 00000000 00000000 07000000 01000000" +
      "00000000 00000000 00000040 00000000 00001840",
      "00000000 00000000",
    ],
  },
  TESTLOCK: {
    call(c) {
      c.lock(2, LOCK);
      return c.testLock(2, { ...LOCK, owner: 8 });
    },
    bytes: [
      "6f000000 00000000 00000000 28000000 02000000 00000000 00000000 08000000 01000000" +
      "00000000 00000000 00000040 00000000 00001840",
      "00000000 1c000000 01000000 00000000 00000040 00000000 00001840 00000000 00001c40",
    ],
  },
  UNLOCK: {
    call: (c) => c.unlock(2, 7, LockKind.RANGE),
    bytes: [
      "70000000 00000000 00000000 10000000 02000000 00000000 00000000 07000000",
      "00000000 00000000",
    ],
  },
  METRICS: {
    call: (_, channel) => void new RelayPromises(channel).metrics(),
    bytes: [
      "80000000 00000000 00000000 04000000 00000000",
      "00000000 01000000 00",
    ],
  },
  STATS: {
    call: (_, channel) => void new RelayPromises(channel).stats(),
    bytes: [
      "81000000 00000000 00000000 00000000",
      "00000000 3a000000 06040404 01040305 00000073 74617465 04000000 6f70656e 05000000" +
      "6e616d65 73000000 00000010 40090000 00656e67 696e652e 6f6e0100 0000",
    ],
  },
};
