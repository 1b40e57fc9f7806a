/**
 * Images that cannot be opened, and programs that may not open them.
 *
 * Layer: tests, below `command_line.ts`. Nothing here needs root.
 *
 * @module
 */
import { fileHandle } from "../../opfs/device/file.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";

const isRoot = Deno.uid() === 0;
/** Another user than the one who runs the tests. */
const NOBODY = 65534;
const HEADERS = { at: 4096, sizeBytes: 8192 };

/** A program that starts another one without root's rights over other people's files. */
export const UNPRIVILEGED: readonly string[] = isRoot
  ? ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
  : [];

/** Makes a file one that programs started by {@link UNPRIVILEGED} may not open. */
export function forbid(path: string): void {
  if (isRoot) Deno.chownSync(path, NOBODY, NOBODY);
  Deno.chmodSync(path, isRoot ? 0o600 : 0);
}

/** An image with a few entries in it. */
export function sampleImage(path: string): void {
  const volume = openVolumeSync(fileHandle(path), { clock: () => 1_000_000 });
  const owner = { uid: 0, gid: 0 };
  const file = volume.create(volume.root, "a", { mode: 0o100644, ...owner });
  volume.write(file, new TextEncoder().encode("hello\n"), 0);
  const directory = volume.create(volume.root, "dir", { mode: 0o040755, ...owner });
  volume.link(file, directory, "b");
  volume.create(directory, "link", { mode: 0o120777, target: "../a", ...owner });
  volume.close();
}

/** Makes an image one that cannot be opened: both headers are gone. */
export function damage(path: string): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(HEADERS.at, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(HEADERS.sizeBytes).fill(0xa5));
}
