/** The loads of `cairn bench`. */
import { assertEquals, assertThrows } from "@std/assert";
import { LOADS, rawSubject, type Subject, volumeSubject } from "../../../cli/verbs/bench_loads.ts";
import { checkVolume, memoryHandle, openVolumeSync } from "../../../opfs/mod.ts";

interface Seen {
  written: number;
  read: number;
  syncs: number;
  end: number;
}

function counting(): { subject: Subject; seen: Seen } {
  const seen = { written: 0, read: 0, syncs: 0, end: 0 };
  const reach = (bytes: Uint8Array, at: number): void => {
    seen.end = Math.max(seen.end, at + bytes.length);
  };
  const subject: Subject = {
    write(bytes, at) {
      reach(bytes, at);
      seen.written += bytes.length;
    },
    read(into, at) {
      reach(into, at);
      seen.read += into.length;
    },
    sync: () => void seen.syncs++,
    close: () => {},
  };
  return { subject, seen };
}

Deno.test("LOADS do as much as they say, within the file, and make what they wrote durable", () => {
  const sizeBytes = 3 * 1024 * 1024;
  for (const load of LOADS) {
    const { subject, seen } = counting();
    let last = 0;
    for (const bytes of load.run(subject, { sizeBytes, random: () => 0.9999 })) last = bytes;
    const amount = load.count(sizeBytes) * load.pieceBytes;
    assertEquals([seen.written + seen.read, last], [amount, amount], load.name);
    assertEquals(seen.end <= sizeBytes, true, load.name);
    assertEquals(seen.syncs > 0, seen.written > 0, load.name);
  }
});

Deno.test("rawSubject() and volumeSubject() read what was written, and are gone when closed", () => {
  const folder = Deno.makeTempDirSync();
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  try {
    for (const subject of [rawSubject(`${folder}/raw`), volumeSubject(volume)]) {
      subject.write(new Uint8Array([1, 2, 3]), 5);
      subject.sync();
      const into = new Uint8Array(3);
      subject.read(into, 5);
      assertEquals([...into], [1, 2, 3]);
      assertThrows(() => subject.read(into, 6), Error, "shorter than it was");
      subject.close();
    }
    assertEquals([...Deno.readDirSync(folder)], []);
    assertEquals(volume.stats().freeSlots + 32, volume.stats().slots);
    volume.close();
    assertEquals(checkVolume(handle).violations, []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
