/**
 * What the volume's bench measures, for Deno and for a worker in a browser: it takes devices from
 * the caller, and imports nothing that only one of them has.
 *
 * @module
 */
import { openVolumeSync, type StorageHandle, type Volume } from "../opfs/mod.ts";

/** Makes devices. */
export interface Devices {
  /** An empty one of this name; the one before it is gone. */
  fresh(name: string): Promise<StorageHandle>;
  /** The one that is there. */
  again(name: string): Promise<StorageHandle>;
}

/** Microseconds a call, or milliseconds where the name says so. */
export type Figures = Record<string, number>;

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const PIECE_BYTES = 128 * 1024;
const PIECES = 800;
const PAGE_BYTES = 4096;
const FILES = 5000;
const MOUNTED_FILES = 50_000;
const RANDOM_CALLS = 5000;
const RANDOM_PAGES = 10_240;
const GIB = 2 ** 30;

/** Everything, one after the other. `scale` 1 is the whole of it. */
export async function measure(devices: Devices, scale = 1): Promise<Figures> {
  const figures: Figures = {};
  await sequential(devices, figures);
  await random(devices, figures);
  await names(devices, figures);
  await appends(devices, figures, scale);
  await mounting(devices, figures);
  return figures;
}

/** Microseconds a call of `act`, which is made `count` times. */
function perCall(count: number, act: (index: number) => void): number {
  const before = performance.now();
  for (let index = 0; index < count; index++) act(index);
  return (performance.now() - before) * 1000 / count;
}

/** 100 MB in pieces of 128 KiB: the raw handle and the volume in turns, the better of three. */
async function sequential(devices: Devices, figures: Figures): Promise<void> {
  const piece = new Uint8Array(PIECE_BYTES).fill(7);
  const best = (name: string, value: number): void => {
    figures[name] = Math.min(figures[name] ?? Infinity, value);
  };
  for (let round = 0; round < 3; round++) {
    const raw = await devices.fresh("raw");
    best(
      "raw sequential write 128 KiB",
      perCall(PIECES, (index) => {
        raw.write(piece, { at: index * PIECE_BYTES });
        if (index === PIECES - 1) raw.flush();
      }),
    );
    best(
      "raw sequential read 128 KiB",
      perCall(PIECES, (index) => {
        raw.read(piece, { at: index * PIECE_BYTES });
      }),
    );
    raw.close();
    const volume = openVolumeSync(await devices.fresh("volume"));
    const ino = volume.create(volume.root, "a", FILE);
    best(
      "sequential write 128 KiB",
      perCall(PIECES, (index) => {
        volume.write(ino, piece, index * PIECE_BYTES);
        if (index === PIECES - 1) volume.sync();
      }),
    );
    best(
      "sequential read 128 KiB",
      perCall(PIECES, (index) => {
        volume.read(ino, piece, index * PIECE_BYTES);
      }),
    );
    volume.close();
  }
}

/** 4 KiB here and there in 40 MB. */
async function random(devices: Devices, figures: Figures): Promise<void> {
  const page = new Uint8Array(PAGE_BYTES).fill(3);
  const place = (index: number): number => index * 7919 % RANDOM_PAGES * PAGE_BYTES;
  const whole = new Uint8Array(RANDOM_PAGES * PAGE_BYTES);
  const raw = await devices.fresh("raw");
  raw.write(whole, { at: 0 });
  raw.flush();
  figures["raw random write 4 KiB"] = perCall(RANDOM_CALLS, (index) => {
    raw.write(page, { at: place(index) });
    if (index === RANDOM_CALLS - 1) raw.flush();
  });
  figures["raw random read 4 KiB"] = perCall(RANDOM_CALLS, (index) => {
    raw.read(page, { at: place(index) });
  });
  raw.close();
  const volume = openVolumeSync(await devices.fresh("volume"));
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, whole, 0);
  volume.sync();
  figures["random write 4 KiB"] = perCall(RANDOM_CALLS, (index) => {
    volume.write(ino, page, place(index));
    if (index === RANDOM_CALLS - 1) volume.sync();
  });
  figures["random read 4 KiB"] = perCall(RANDOM_CALLS, (index) => {
    volume.read(ino, page, place(index));
  });
  figures["small write 64 B"] = perCall(RANDOM_CALLS, (index) => {
    volume.write(ino, page.subarray(0, 64), index * 64);
  });
  figures["durable overwrite 1 KiB"] = perCall(300, (index) => {
    volume.write(ino, page.subarray(0, 1024), index * PAGE_BYTES);
    volume.fsync(ino);
  });
  volume.close();
}

/** Making, looking at, renaming and removing small files, a sync at the end of each. */
async function names(devices: Devices, figures: Figures): Promise<void> {
  const volume = openVolumeSync(await devices.fresh("volume"));
  const bytes = new Uint8Array(1024).fill(1);
  const { root } = volume;
  const synced = (name: string, act: (index: number) => void): void => {
    figures[name] = perCall(FILES, (index) => {
      act(index);
      if (index === FILES - 1) volume.sync();
    });
  };
  synced("create and write 1 KiB", (index) => {
    volume.write(volume.create(root, `file ${index}`, FILE), bytes, 0);
  });
  synced("stat", (index) => void volume.getattr(volume.lookup(root, `file ${index}`)));
  figures["readdir, an entry"] = perCall(20, () => listAll(volume)) / FILES;
  synced("rename", (index) => volume.rename(root, `file ${index}`, root, `renamed ${index}`, 0));
  synced("unlink", (index) => volume.unlink(root, `renamed ${index}`));
  volume.close();
}

function listAll(volume: Volume): void {
  for (let after = 0;;) {
    const entries = volume.readdir(volume.root, after);
    if (entries.length === 0) return;
    after = entries.at(-1)!.cursor;
  }
}

/** 4 KiB appended again and again: what one costs at 10 MB, and at a gigabyte. */
async function appends(devices: Devices, figures: Figures, scale: number): Promise<void> {
  const volume = openVolumeSync(await devices.fresh("volume"));
  const ino = volume.create(volume.root, "a", FILE);
  const page = new Uint8Array(PAGE_BYTES).fill(5);
  const upTo = (bytes: number): number => {
    const count = Math.floor((bytes - volume.getattr(ino).size) / PAGE_BYTES);
    return perCall(count, (index) => {
      volume.append(ino, page);
      if (index === count - 1) volume.sync();
    });
  };
  upTo(2 ** 20);
  figures["append 4 KiB, up to 10 MB"] = upTo(10 * 2 ** 20);
  const end = GIB * scale;
  upTo(end - 10 * 2 ** 20);
  figures["append 4 KiB, last 10 MB of 1 GB"] = upTo(end);
  volume.close();
}

/** Opening a volume of 50,000 files. */
async function mounting(devices: Devices, figures: Figures): Promise<void> {
  const volume = openVolumeSync(await devices.fresh("volume"));
  for (let index = 0; index < MOUNTED_FILES; index++) {
    volume.create(volume.root, `file ${index}`, FILE);
  }
  volume.close();
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const device = await devices.again("volume");
    const before = performance.now();
    const again = openVolumeSync(device);
    times.push(performance.now() - before);
    again.close();
  }
  times.sort((a, b) => a - b);
  figures["mount of 50,000 files, ms"] = times[2]!;
}
