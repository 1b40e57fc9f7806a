/** A whole machine that stands still, and goes on: no healthy channel ends of it. */
import { assertEquals } from "@std/assert";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { Channel } from "../../../opfs/relay/channel.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { hostCommand } from "../../../tools/programs.ts";

const DEADLINE_MS = 600;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a process says after it was stopped for so long, so many times. */
async function afterStandstills(path: string, standstills: readonly number[]): Promise<string> {
  const program = new URL("../../support/standstill_program.ts", import.meta.url).pathname;
  const args = ["run", "-A", program, path, String(DEADLINE_MS)];
  const options = { args, stdin: "piped", stdout: "piped" } as const;
  const process = hostCommand(Deno.execPath(), options).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("waiting")) {
    const { value, done } = await reader.read();
    if (done) return said;
    said += value;
  }
  for (const ms of standstills) {
    process.kill("SIGSTOP");
    await sleep(ms);
    process.kill("SIGCONT");
    await sleep(70);
  }
  const writer = process.stdin.getWriter();
  await writer.write(new Uint8Array([10]));
  await writer.close();
  const tooLate = setTimeout(() => process.kill("SIGKILL"), 20_000);
  let answers = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    answers += part.value;
  }
  clearTimeout(tooLate);
  await process.status;
  return answers.trim();
}

Deno.test("clients that wait, and one in a payload, outlive standstills beyond the deadline", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    for (const [turn, standstills] of [[2000], [1500, 1500, 1500]].entries()) {
      const answers = await afterStandstills(`${directory}/${turn}.cairn`, standstills);
      assertEquals(answers, Array(5).fill("held").join());
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

/** Runs while `performance.now()` jumps ahead by an hour now and then. */
async function withJumpingClock<T>(run: (jump: () => void) => Promise<T>): Promise<T> {
  const { now } = performance;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  try {
    return await run(() => aheadMs += 3_600_000);
  } finally {
    performance.now = now;
  }
}

Deno.test("a clock that jumps ends no wait of a channel, and silence does", async () => {
  await withJumpingClock(async (jump) => {
    const channel = new Channel(createChannelMemory(16_384), new Doorbell(), { deadlineMs: 2000 });
    channel.publish({ signal: 1, chunkBytes: 16, totalBytes: 16, chunkIndex: 0 });
    let ended = "";
    const waiting = channel.waitAsync("read").catch((error: Error) => ended = error.message);
    for (let turn = 0; turn < 3; turn++) {
      jump();
      await sleep(270);
    }
    assertEquals(ended, "");
    await waiting;
    assertEquals(ended.includes("the relay has shown no life for 2000 ms"), true, ended);
  });
});
