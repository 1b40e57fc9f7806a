/**
 * The start and the end of a program: the usual directories, devices and descriptors.
 *
 * Layer: fs, a group of calls, made of others. `create_fs.ts` calls those that every instance needs.
 *
 * @module
 */
import { isErrnoError } from "../abi/errno.ts";
import { O_RDONLY, O_WRONLY } from "../abi/flags.ts";
import type { Backend, FSStream } from "../abi/node.ts";
import { refuse } from "./arguments.ts";
import type { AttrCalls } from "./attr_calls.ts";
import type { DeviceInput, DeviceOutput } from "./devices.ts";
import type { Legacy } from "./legacy.ts";
import type { Makers } from "./makers.ts";
import type { MountCalls } from "./mount_calls.ts";
import type { NodeCalls } from "./node_calls.ts";
import type { State } from "./state.ts";
import type { StreamCalls } from "./stream_calls.ts";

/** Start and end. */
export interface StartCalls {
  /** Makes /tmp and /home/web_user where they are missing. */
  createDefaultDirectories(): void;

  /** Mounts the devices at /dev, and makes it where it is missing. */
  createDefaultDevices(): void;

  /** Mounts /proc with /proc/self/fd, and makes it where it is missing. */
  createSpecialDirectories(): void;

  /**
   * Starts a program: /dev/stdin, stdout and stderr become devices over the callbacks that are given,
   * and descriptors 0, 1 and 2 are opened on them. Once only.
   */
  init(input?: DeviceInput | null, output?: DeviceOutput | null, error?: DeviceOutput | null): void;

  /** The devices and descriptors that `init` makes. */
  createStandardStreams(
    input?: DeviceInput | null,
    output?: DeviceOutput | null,
    error?: DeviceOutput | null,
  ): void;

  /** Ends a program: closes every descriptor. What a close throws is passed over. */
  quit(): void;
}

type Instance =
  & State
  & StartCalls
  & NodeCalls
  & AttrCalls
  & StreamCalls
  & MountCalls
  & Legacy
  & Makers;

/** The calls; `this` is the instance. */
export const START_CALLS: StartCalls & ThisType<Instance> = {
  createDefaultDirectories() {
    for (const path of ["/tmp", "/home/web_user"]) this.mkdirTree(path);
    this.chmod("/tmp", 0o1777);
    this.chmod("/home/web_user", 0o777);
  },

  createDefaultDevices() {
    this.mkdirTree("/dev");
    mountNamed(this, "DEVFS", { clock: this.clock }, "/dev");
  },

  createSpecialDirectories() {
    this.mkdirTree("/proc");
    mountNamed(this, "PROCFS", { streams: this.streams, clock: this.clock }, "/proc");
  },

  init(input, output, error) {
    if (this.initialized) refuse("EALREADY", "init");
    this.initialized = true;
    this.createStandardStreams(input, output, error);
  },

  createStandardStreams(input, output, error) {
    if (input) replaceDevice(this, "stdin", input, null);
    if (output) replaceDevice(this, "stdout", null, output);
    if (error) replaceDevice(this, "stderr", null, error);
    const opened: FSStream[] = [];
    for (const [name, flags] of STANDARD_STREAMS) opened.push(this.open(`/dev/${name}`, flags));
    if (opened.some((stream, fd) => stream.fd !== fd)) {
      for (const stream of opened) this.close(stream);
      refuse("EBUSY", "open the standard streams as descriptors 0, 1 and 2");
    }
  },

  quit() {
    this.initialized = false;
    for (const stream of [...this.descriptors.open()]) {
      try {
        this.close(stream);
      } catch (error) {
        if (!isErrnoError(error)) throw error;
      }
    }
  },
};

function mountNamed(
  state: State & Legacy & MountCalls,
  name: string,
  options: object,
  path: string,
): void {
  const type = state.filesystems[name] ?? refuse("ENODEV", "mount", name);
  if (state.lookupPath(path, { follow: true }).node?.mount.type === type) return;
  state.mount(type as unknown as Backend<unknown>, options, path);
}

function replaceDevice(
  state: Legacy & NodeCalls & Makers,
  name: string,
  input: DeviceInput | null,
  output: DeviceOutput | null,
): void {
  if (state.findObject(`/dev/${name}`, true) !== null) state.unlink(`/dev/${name}`);
  state.createDevice("/dev", name, input, output);
}

const STANDARD_STREAMS = [["stdin", O_RDONLY], ["stdout", O_WRONLY], ["stderr", O_WRONLY]] as const;
