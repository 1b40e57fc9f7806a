/**
 * Attaching a connection to a directory and taking it off again: by mount(2) as root, through
 * fusermount3 for other users.
 *
 * Layer: adapters/fuse, over `linux.ts`. An image may come from anywhere, so setuid programs and
 * devices in it mean nothing on the mount.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import { type Libc, MS_NODEV, MS_NOSUID, MS_RDONLY } from "./linux.ts";

/** What the kernel calls these mounts. */
const MOUNT_TYPE = "fuse.cairn";

/** What is mounted where. */
export interface MountPlace {
  /** The image's path, which `df` and `mount` show. */
  image: string;
  /** The directory, absolute and without links. */
  directory: string;
  /** Whether every change is EROFS. */
  readOnly: boolean;
  /** Whether others than the mounting user may look in. */
  allowOther: boolean;
}

/**
 * Mounts, and returns the connection to the kernel.
 *
 * @throws {ErrnoError} EPERM, ENOENT without /dev/fuse, ENOTSUP without fusermount3
 */
export function attach(libc: Libc, place: MountPlace): number {
  return libc.isRoot ? attachAsRoot(libc, place) : attachAsUser(libc, place);
}

function attachAsRoot(libc: Libc, { image, directory, readOnly, allowOther }: MountPlace): number {
  const device = libc.openFuse();
  const options = [`fd=${device}`, "rootmode=40000", "user_id=0", "group_id=0"];
  options.push("default_permissions");
  if (allowOther) options.push("allow_other");
  const flags = MS_NOSUID | MS_NODEV | (readOnly ? MS_RDONLY : 0);
  try {
    const data = options.join(",");
    libc.mount({ source: image, target: directory, type: MOUNT_TYPE, flags, data });
    return device;
  } catch (error) {
    libc.close(device);
    throw error;
  }
}

function attachAsUser(libc: Libc, { image, directory, readOnly, allowOther }: MountPlace): number {
  const options = ["default_permissions", `fsname=${escapeOption(image)}`, "subtype=cairn"];
  if (allowOther) options.push("allow_other");
  if (readOnly) options.push("ro");
  const [ours, theirs] = libc.socketPair();
  try {
    runFusermount(["-o", options.join(","), "--", directory], { _FUSE_COMMFD: String(theirs) });
    return libc.receiveDescriptor(ours);
  } finally {
    libc.close(ours);
    libc.close(theirs);
  }
}

/** A comma ends an option. */
function escapeOption(text: string): string {
  return text.replace(/[\\,]/g, "\\$&");
}

function runFusermount(args: string[], env: Record<string, string> = {}): void {
  let result: Deno.CommandOutput;
  try {
    result = new Deno.Command("fusermount3", { args, env, stdin: "null" }).outputSync();
  } catch (error) {
    const hint = "mount: fusermount3 is missing (Debian has it in fuse3), or run it as root";
    throw new ErrnoError("ENOTSUP", hint, { cause: error });
  }
  if (result.success) return;
  throw new ErrnoError("EPERM", "mount", { why: new TextDecoder().decode(result.stderr).trim() });
}

/**
 * Takes the mount off its directory. `lazily`: at once, while programs that use it go on with what is
 * open.
 *
 * @throws {ErrnoError} EBUSY if it is in use
 */
export async function detach(
  libc: Libc,
  directory: string,
  options: { lazily: boolean },
): Promise<void> {
  if (libc.isRoot) {
    const isGone = await libc.unmount(directory, options);
    if (!isGone && isMounted(directory)) throw busy(directory);
    return;
  }
  try {
    runFusermount([options.lazily ? "-uz" : "-u", "--", directory]);
  } catch (error) {
    if (isMounted(directory)) throw busy(directory, error);
  }
}

function busy(directory: string, cause?: unknown): ErrnoError {
  return new ErrnoError("EBUSY", `unmount "${directory}"`, { why: "it is in use", cause });
}

/** Whether one of our mounts is on the directory. It is not touched. */
export function isMounted(directory: string): boolean {
  return findMount(Deno.readTextFileSync("/proc/self/mountinfo"), directory);
}

/** The same, from the text of mountinfo. */
export function findMount(mountinfo: string, directory: string): boolean {
  return mountinfo.split("\n").some((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const at = before.split(" ")[4] ?? "";
    return unescapeMount(at) === directory && after.split(" ")[0] === MOUNT_TYPE;
  });
}

/** mountinfo writes space, tab, newline and backslash as three octal digits, by bytes. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/** How often a mount that was taken off by force is asked whether its users have finished. */
const GRACE_POLLS = 20;
const POLL_MS = 50;

/**
 * Polls until something is over, for about a second; whether it is. Polls are counted, not the time: a
 * machine that was asleep has given its users no time.
 */
export async function waitAwhile(
  isOver: () => boolean,
  pause: () => Promise<void> = () => new Promise((resolve) => setTimeout(resolve, POLL_MS)),
): Promise<boolean> {
  for (let poll = 0; poll < GRACE_POLLS && !isOver(); poll++) await pause();
  return isOver();
}
