/**
 * The golden images of version 2: what they are made of. Run as a program it writes them anew, which
 * is only right when the format has been changed on purpose.
 *
 *     deno run -A tests/golden/images.ts
 *
 * @module
 */
import { memoryHandle } from "../../opfs/device/memory.ts";
import { newestHeader } from "../../opfs/volume/format/header.ts";
import { loadImage } from "../../opfs/volume/load/image.ts";
import { PAGE_BYTES, RING_AT } from "../../opfs/volume/format/layout.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";

/** The images by the name of their file. */
export const goldenImages: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
  "version2_closed": () => make(true),
  "version2_in_use": () => make(false),
};

/** Images that are damaged so that nothing is lost, and the rule that says so. */
export const damagedImages: Readonly<
  Record<string, { make: () => Uint8Array<ArrayBuffer>; rule: string }>
> = {
  "lost_header": { make: withoutNewestHeader, rule: "V9" },
  "turned_bit": { make: withTurnedBit, rule: "V10" },
};

/** Images that earlier writers have left, and that are only read. */
export const olderImages: readonly string[] = ["older_closed", "older_in_use"];

/** Where an image is kept. */
export function goldenPath(name: string): URL {
  return new URL(`./${name}.cairn.gz`, import.meta.url);
}

/** The newest header is wiped: its records speak of it. */
function withoutNewestHeader(): Uint8Array<ArrayBuffer> {
  const bytes = make(false);
  const { at } = newestHeader(bytes);
  return bytes.fill(0, at, at + PAGE_BYTES);
}

/** One bit of the last record is turned. */
function withTurnedBit(): Uint8Array<ArrayBuffer> {
  const bytes = make(false);
  const { place } = loadImage(memoryHandle(bytes)).replay.records.at(-1)!;
  bytes[RING_AT + place + 100]! ^= 0x10;
  return bytes;
}

/** A volume with one of everything, closed or left with records to replay. */
function make(isClosed: boolean): Uint8Array<ArrayBuffer> {
  const handle = memoryHandle();
  let now = 1_700_000_000_000;
  let byte = 0;
  const volume = openVolumeSync(handle, {
    clock: () => now += 0.25,
    random: (bytes) => bytes.forEach((_, index) => bytes[index] = ++byte & 0xff),
    label: "golden é",
  });
  populate(volume);
  if (isClosed) volume.close();
  else volume.sync();
  return handle.toBytes();
}

function populate(volume: Volume): void {
  const { root } = volume;
  const owner = { uid: 1000, gid: 100 };
  const hello = volume.create(root, "hello.txt", { ...owner, mode: 0o100644 });
  volume.write(hello, new TextEncoder().encode("Hello, reader.\n"), 0);
  const directory = volume.create(root, "directory", { ...owner, mode: 0o042775 });
  volume.link(hello, directory, "second name");
  volume.create(directory, "link", { ...owner, mode: 0o120777, target: "../hello.txt" });
  volume.create(directory, "fifo", { ...owner, mode: 0o010600 });
  volume.create(directory, "null", { ...owner, mode: 0o020666, rdev: 0x103 });
  volume.create(directory, "Grüße 文𝄞", { ...owner, mode: 0o104755 });
  volume.sync();
  const sparse = volume.create(root, "sparse", { ...owner, mode: 0o100600 });
  for (let index = 8; index >= 1; index--) {
    volume.write(sparse, new Uint8Array(100).fill(index), index * 10_000);
  }
  volume.setattr(sparse, { size: 1e9 });
  const large = volume.create(root, "large", { ...owner, mode: 0o100644 });
  volume.write(large, Uint8Array.from({ length: 200_000 }, (_, index) => index % 251), 0);
  volume.sync();
  volume.create(root, "gone", { ...owner, mode: 0o100644 });
  volume.unlink(root, "gone");
  volume.rename(root, "large", directory, "moved", 0);
  volume.setattr(hello, { atime: 1.5, mtime: 2.25 });
}

if (import.meta.main) {
  const { gzipSync } = await import("node:zlib");
  const write = (name: string, make: () => Uint8Array): void =>
    Deno.writeFileSync(goldenPath(name), gzipSync(make(), { level: 9 }));
  for (const [name, image] of Object.entries(goldenImages)) write(name, image);
  for (const [name, { make }] of Object.entries(damagedImages)) write(name, make);
}
