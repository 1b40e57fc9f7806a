/**
 * Mounting: what is mounted where, device numbers, unmounting, and making everything durable.
 *
 * Layer: fs. A mount covers a directory: `node.mounted` leads down, `mount.mountpoint` leads up, and
 * the walk crosses both ways. Inode numbers are unique within `mount.dev`.
 *
 * @module
 */
import { invariant } from "../abi/invariant.ts";
import { isDir } from "../abi/mode.ts";
import type { Backend, FSNode, Mount } from "../abi/node.ts";
import { isNode, refuse } from "./arguments.ts";
import { find, FOLLOW } from "./lookup.ts";
import type { State } from "./state.ts";

/** How something is mounted. */
export interface MountOptions {
  /** Every change answers EROFS. */
  readOnly?: boolean;
}

/** Mounts a type over a directory, or at "/" if nothing is there yet. EBUSY, ENOENT, ENOTDIR. */
export function mountAt(
  state: State,
  type: Backend<unknown>,
  opts: unknown,
  path: string,
  options?: MountOptions,
): FSNode {
  const readOnly = options?.readOnly === true;
  const isRoot = path === "/";
  if (isRoot && state.root !== null) refuse("EBUSY", "mount", path);
  const covered = isRoot ? null : find(state, "mount", path, FOLLOW);
  if (covered !== null) checkCovered(state, covered, path);
  const root = type.mount(opts);
  if (!isNode(root)) refuse("EINVAL", "mount a type that gives no root", type.name);
  const dev = state.nextMountDevice++;
  const mount: Mount = { dev, root, mountpoint: covered, readOnly, type: type as never, opts };
  root.mount = mount;
  root.parent = root;
  root.name = "/";
  root.pins++;
  state.mounts.push(mount);
  if (covered === null) {
    state.root = root;
    state.directory = root;
    root.pins++;
  } else {
    covered.mounted = mount;
    covered.pins++;
  }
  return root;
}

function checkCovered(state: State, node: FSNode, path: string): void {
  if (!isDir(node.data.mode)) refuse("ENOTDIR", "mount", path);
  const isRootOfMount = node.parent === node;
  if (node.mounted !== null || isRootOfMount && state.root !== null) refuse("EBUSY", "mount", path);
}

/** Unmounts what is mounted at the path. EINVAL if nothing is, EBUSY if it is in use. */
export function unmountAt(state: State, path: string, isForced: boolean): void {
  const node = find(state, "unmount", path, FOLLOW);
  const { mount } = node;
  const { mountpoint } = mount;
  if (mount.root !== node || mountpoint === null) refuse("EINVAL", "unmount", path);
  if (!isForced && isUsed(state, mount)) refuse("EBUSY", "unmount", path);
  drop(state, mount);
}

function drop(state: State, mount: Mount): void {
  for (const inner of state.mounts.filter((other) => other.mountpoint?.mount === mount)) {
    drop(state, inner);
  }
  state.names.removeMount(mount.dev);
  const { mountpoint } = mount;
  invariant(mount.root.pins > 0, "F2: a mount does not hold its root");
  if (mountpoint !== null) {
    invariant(mountpoint.mounted === mount, "F2: a mount is not on what it covers");
    mountpoint.mounted = null;
    mountpoint.pins--;
  }
  mount.root.pins--;
  state.mounts.splice(state.mounts.indexOf(mount), 1);
  if (state.directory?.mount === mount) enterRoot(state, state.directory);
  (mount.type as Backend<unknown>).unmount?.(mount.root);
}

function enterRoot(state: State, before: FSNode): void {
  invariant(before.pins > 0, "F2: the current directory is not held");
  before.pins--;
  state.directory = state.root;
  if (state.root !== null) state.root.pins++;
}

/** Whether a stream, a mount or the current directory holds the mount. */
function isUsed(state: State, mount: Mount): boolean {
  if (state.directory?.mount === mount) return true;
  if (state.mounts.some((other) => other.mountpoint?.mount === mount)) return true;
  for (const stream of state.descriptors.open()) {
    if (stream.node.mount === mount) return true;
  }
  return false;
}
