/**
 * The serving loop over a device in memory: what it does between two requests, and how it ends.
 */
import { assertEquals } from "@std/assert";
import { COMMIT_INTERVAL_MS, type DeviceCalls, serve } from "../../../adapters/fuse/session.ts";
import { FuseServer } from "../../../adapters/fuse/server.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { OP, packRequest, text, u32 } from "./fake_kernel.ts";

const ENOENT = 2;
const EINTR = 4;
const EAGAIN = 11;
const ENODEV = 19;
const ECONNABORTED = 103;
const DEVICE = 7;
const STOP = 8;

/** What the device has next: a request, minus an error number, or a moment to pass. */
type Step = Uint8Array | number | { laterMs: number };

class FakeDevice implements DeviceCalls {
  readonly sent: Uint8Array[] = [];
  readonly polled: number[] = [];
  now = 0;
  isStopped = false;
  /** What write answers; the count by default. */
  writeError = 0;
  readonly #steps: Step[];

  constructor(steps: Step[]) {
    this.#steps = steps;
  }

  read(fd: number, into: Uint8Array<ArrayBuffer>): number {
    assertEquals(fd, DEVICE);
    const step = this.#steps[0];
    if (step === undefined || (typeof step === "object" && "laterMs" in step)) return -EAGAIN;
    this.#steps.shift();
    if (typeof step === "number") return step;
    into.set(step);
    return step.length;
  }

  write(_fd: number, from: Uint8Array<ArrayBuffer>, length: number): number {
    this.sent.push(from.slice(0, length));
    return this.writeError === 0 ? length : -this.writeError;
  }

  poll(fds: readonly number[], timeoutMs: number): boolean[] {
    this.polled.push(timeoutMs);
    const step = this.#steps.shift();
    if (step === undefined) this.isStopped = true;
    else if (typeof step === "object" && "laterMs" in step) this.now += step.laterMs;
    else this.#steps.unshift(step);
    return fds.map((fd) => fd === STOP && this.isStopped);
  }
}

function run(steps: Step[], { writeError = 0 } = {}) {
  const device = new FakeDevice(steps);
  device.writeError = writeError;
  const volume = new ModelVolume();
  const server = new FuseServer(volume);
  const reported: unknown[] = [];
  const report = (error: unknown) => void reported.push(error);
  const now = () => device.now;
  const start = () => serve({ libc: device, device: DEVICE, stop: STOP, server, now, report });
  return { device, volume, server, reported, start };
}

const mkdir = packRequest({ opcode: OP.MKDIR, body: [u32(0o755), u32(0), text("d")] });
const forget = packRequest({ opcode: OP.FORGET, node: 5 });
const statfs = packRequest({ opcode: OP.STATFS });

Deno.test("serve() answers until the mount is gone", () => {
  for (const end of [ENODEV, ECONNABORTED]) {
    const { device, start } = run([statfs, forget, -EINTR, -ENOENT, statfs, -end]);
    assertEquals(start(), "unmounted");
    assertEquals(device.sent.map((reply) => reply.length), [96, 96]);
  }
});

Deno.test("serve() sleeps for ever while nothing is dirty, and stops when asked to", () => {
  const { device, start } = run([statfs]);
  assertEquals(start(), "stopped");
  assertEquals(device.polled, [-1]);
});

Deno.test("serve() makes durable what was not synced", () => {
  const { device, volume, server, start } = run([
    mkdir,
    { laterMs: 2000 },
    statfs,
    { laterMs: COMMIT_INTERVAL_MS - 2000 },
    { laterMs: 60_000 },
  ]);
  assertEquals(start(), "stopped");
  assertEquals(device.polled, [COMMIT_INTERVAL_MS, COMMIT_INTERVAL_MS - 2000, -1, -1]);
  assertEquals([volume.calls.get("sync"), server.isDirty], [1, false]);
});

Deno.test("serve() commits under load too", () => {
  const { device, volume, start } = run([mkdir, ...Array(10).fill(statfs), -ENODEV]);
  const answer = device.write.bind(device);
  device.write = (fd, from, length) => {
    device.now += 1000;
    return answer(fd, from, length);
  };
  start();
  assertEquals(volume.calls.get("sync"), 1);
});

Deno.test("serve() reports a commit that fails and tries again later", () => {
  const { volume, reported, start } = run([
    mkdir,
    { laterMs: COMMIT_INTERVAL_MS },
    { laterMs: COMMIT_INTERVAL_MS },
  ]);
  volume.sync = () => {
    throw new Error("full");
  };
  start();
  assertEquals(reported.length, 2);
});

Deno.test("serve() looks at the pipe although there is always something to read", () => {
  const { device, start } = run(Array(1000).fill(statfs));
  device.isStopped = true;
  assertEquals(start(), "stopped");
  assertEquals([device.sent.length, device.polled], [256, [0]]);
});

Deno.test("serve() goes on when the asking process is gone before the answer", () => {
  const { device, start } = run([statfs, statfs, -ENODEV], { writeError: ENOENT });
  assertEquals(start(), "unmounted");
  assertEquals(device.sent.length, 2);
});
