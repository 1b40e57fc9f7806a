/** VolumeLocks: who gets what, in which order, and who must not wait. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { F_RDLCK, F_UNLCK, F_WRLCK } from "../../abi/flags.ts";
import { VolumeLocks } from "../../opfs/locks.ts";
import { LockKind, type LockRequest, SqliteLevel } from "../../opfs/volume_ops.ts";

const INO = 7;

function range(type: number, start = 0, end = 10, more: Partial<LockRequest> = {}): LockRequest {
  return { kind: LockKind.RANGE, owner: 1, type, start, end, wait: false, ...more };
}

function whole(type: number, more: Partial<LockRequest> = {}): LockRequest {
  return { kind: LockKind.FLOCK, owner: 1, type, start: 0, end: 0, wait: false, ...more };
}

function level(type: number, wait = false): LockRequest {
  return { kind: LockKind.SQLITE, owner: 1, type, start: 0, end: 0, wait };
}

function slot(type: number, start: number, end = start + 1): LockRequest {
  return { kind: LockKind.WAL, owner: 1, type, start, end, wait: false };
}

function refused(code: string, take: () => unknown): void {
  assertThrows(take, Error, code);
}

Deno.test("VolumeLocks.take() keeps ranges of different clients and owners apart", () => {
  const locks = new VolumeLocks();
  assertEquals(locks.take(1, INO, range(F_WRLCK)), null);
  refused("EAGAIN", () => locks.take(2, INO, range(F_RDLCK, 9, 11)));
  refused("EAGAIN", () => locks.take(1, INO, range(F_RDLCK, 9, 11, { owner: 2 })));
  assertEquals(locks.take(2, INO, range(F_WRLCK, 10, 20)), null);
  assertEquals(locks.take(2, INO + 1, range(F_WRLCK)), null);
  assertEquals(locks.take(1, INO, range(F_RDLCK)), null);
  assertEquals(locks.take(2, INO, range(F_RDLCK, 5, 6)), null);
  assertEquals(locks.take(1, INO, whole(F_WRLCK)), null);
});

Deno.test("VolumeLocks.test() returns what is in the way, and whose it is", () => {
  const locks = new VolumeLocks();
  locks.take(1, INO, range(F_WRLCK, 3, 6));
  assertEquals(locks.test(2, INO, range(F_RDLCK)), { type: F_WRLCK, start: 3, end: 6, owner: -1 });
  assertEquals(locks.test(1, INO, range(F_RDLCK, 0, 10, { owner: 5 }))?.owner, 1);
  assertEquals(locks.test(1, INO, range(F_WRLCK)), null);
  assertEquals(locks.test(2, INO, range(F_UNLCK)), null);
});

Deno.test("VolumeLocks serves who waits in the order in which they came", () => {
  const locks = new VolumeLocks();
  locks.take(1, INO, whole(F_RDLCK));
  const writer = locks.take(2, INO, whole(F_WRLCK, { wait: true }))!;
  // A reader could share with the first one, but a writer came before it.
  const reader = locks.take(3, INO, whole(F_RDLCK, { wait: true }))!;
  const another = locks.take(4, INO, whole(F_RDLCK, { wait: true }))!;
  assertEquals([writer.isHeld, reader.isHeld, locks.waitingCount], [false, false, 3]);
  locks.take(1, INO, whole(F_UNLCK));
  assertEquals([writer.isHeld, reader.isHeld, another.isHeld], [true, false, false]);
  locks.release(2, INO, { owner: 1, kind: LockKind.FLOCK });
  assertEquals([reader.isHeld, another.isHeld, locks.waitingCount], [true, true, 0]);
});

Deno.test("VolumeLocks serves an earlier one too when a later one gives something back by its turn", () => {
  const locks = new VolumeLocks();
  locks.take(1, INO, range(F_WRLCK, 0, 10));
  locks.take(2, INO, range(F_WRLCK, 10, 20));
  const reader = locks.take(3, INO, range(F_RDLCK, 0, 5, { wait: true }))!;
  const lowered = locks.take(1, INO, range(F_RDLCK, 0, 20, { wait: true }))!;
  locks.take(2, INO, range(F_UNLCK, 10, 20));
  assertEquals([lowered.isHeld, reader.isHeld, locks.waitingCount], [true, true, 0]);
});

Deno.test("VolumeLocks lets those wait who want nothing of each other pass each other", () => {
  const locks = new VolumeLocks();
  locks.take(1, INO, range(F_WRLCK, 0, 10));
  const low = locks.take(2, INO, range(F_WRLCK, 0, 5, { wait: true }))!;
  const high = locks.take(3, INO, range(F_WRLCK, 5, 10, { wait: true }))!;
  locks.take(1, INO, range(F_UNLCK, 5, 10));
  assertEquals([low.isHeld, high.isHeld], [false, true]);
  assertEquals(locks.take(4, INO, range(F_RDLCK, 20, 30, { wait: true })), null);
});

Deno.test("VolumeLocks refuses a wait that would never end", () => {
  const locks = new VolumeLocks();
  for (const client of [1, 2, 3]) locks.take(client, INO, range(F_WRLCK, client, client + 1));
  locks.take(1, INO, range(F_WRLCK, 2, 3, { wait: true }));
  locks.take(2, INO, range(F_WRLCK, 3, 4, { wait: true }));
  refused("EDEADLK", () => locks.take(3, INO, range(F_WRLCK, 1, 2, { wait: true })));
  refused("EDEADLK", () => locks.take(3, INO, range(F_WRLCK, 3, 4, { wait: true, owner: 2 })));
  refused("EAGAIN", () => locks.take(3, INO, range(F_WRLCK, 1, 2)));
  // Over two files, and through a queue.
  const other = new VolumeLocks();
  other.take(1, 1, whole(F_RDLCK));
  other.take(2, 2, whole(F_WRLCK));
  other.take(2, 1, whole(F_WRLCK, { wait: true }));
  refused("EDEADLK", () => other.take(1, 2, whole(F_RDLCK, { wait: true })));
  const third = other.take(3, 1, whole(F_RDLCK, { wait: true }))!;
  other.releaseClient(2);
  assert(third.isHeld);
});

Deno.test("VolumeLocks.releaseClient() frees all that a client held, and its place in the queue", () => {
  const locks = new VolumeLocks();
  locks.take(1, INO, range(F_WRLCK));
  locks.take(1, INO + 1, whole(F_WRLCK, { owner: 9 }));
  const gone = locks.take(2, INO, range(F_WRLCK, 0, 10, { wait: true }))!;
  const next = locks.take(3, INO, range(F_WRLCK, 0, 10, { wait: true }))!;
  locks.releaseClient(2);
  locks.releaseClient(1);
  assertEquals([gone.isHeld, next.isHeld, locks.waitingCount], [false, true, 0]);
  assertEquals(locks.take(4, INO + 1, whole(F_WRLCK)), null);
  locks.releaseClient(3);
  locks.releaseClient(4);
  assertEquals(locks.size, 0);
});

Deno.test("VolumeLocks has SQLite's five levels", () => {
  const { NONE, SHARED, RESERVED, EXCLUSIVE } = SqliteLevel;
  const locks = new VolumeLocks();
  for (const client of [1, 2, 3]) assertEquals(locks.take(client, INO, level(SHARED)), null);
  assertEquals(locks.take(1, INO, level(RESERVED)), null);
  refused("EAGAIN", () => locks.take(2, INO, level(RESERVED)));
  assertEquals(locks.take(4, INO, level(SHARED)), null);
  // Readers are still there; but from now on no new one comes in.
  refused("EAGAIN", () => locks.take(1, INO, level(EXCLUSIVE)));
  refused("EAGAIN", () => locks.take(5, INO, level(SHARED)));
  for (const client of [2, 3, 4]) locks.take(client, INO, level(NONE));
  assertEquals(locks.take(1, INO, level(EXCLUSIVE)), null);
  refused("EAGAIN", () => locks.take(5, INO, level(SHARED)));
  const reader = locks.take(5, INO, level(SHARED, true))!;
  locks.take(1, INO, level(SHARED));
  assert(reader.isHeld);
  assertEquals(locks.take(5, INO, level(RESERVED)), null);
  const waits = locks.take(5, INO, level(EXCLUSIVE, true))!;
  refused("EDEADLK", () => locks.take(1, INO, level(EXCLUSIVE, true)));
  locks.take(1, INO, level(NONE));
  assert(waits.isHeld);
  locks.releaseClient(5);
  assertEquals(locks.size, 0);
});

Deno.test("VolumeLocks has eight WAL slots", () => {
  const locks = new VolumeLocks();
  assertEquals(locks.take(1, INO, slot(F_RDLCK, 3)), null);
  assertEquals(locks.take(2, INO, slot(F_RDLCK, 3)), null);
  refused("EAGAIN", () => locks.take(2, INO, slot(F_WRLCK, 0, 8)));
  assertEquals(locks.take(1, INO, slot(F_WRLCK, 7)), null);
  refused("EINVAL", () => locks.take(1, INO, slot(F_WRLCK, 8)));
});

Deno.test("VolumeLocks refuses what makes no sense", () => {
  const locks = new VolumeLocks();
  const bad = [
    range(9),
    range(F_RDLCK, 5, 5),
    range(F_RDLCK, -1, 5),
    range(F_RDLCK, NaN, 5),
    range(F_RDLCK, 0, 5, { kind: 4 }),
    level(5),
    level(1.5),
  ];
  for (const request of bad) refused("EINVAL", () => locks.take(1, INO, request));
});
