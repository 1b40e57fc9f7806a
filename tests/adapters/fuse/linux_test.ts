/**
 * The C library's calls, where they need neither root nor a mount.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../mod.ts";
import { groupsOfProcess, Libc } from "../../../adapters/fuse/linux.ts";
import { hostCommand } from "../../../tools/programs.ts";

const ignore = Deno.build.os !== "linux";
const EAGAIN = 11;
const EBADF = 9;

function withLibc(body: (libc: Libc) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const libc = new Libc();
    try {
      await body(libc);
    } finally {
      libc.dispose();
    }
  };
}

Deno.test(
  "Libc.pipe() carries bytes, and poll() sees them",
  {
    ignore,
  },
  withLibc((libc) => {
    const [from, to] = libc.pipe();
    const bytes = new Uint8Array(10);
    assertEquals(libc.poll([from], 0), [false]);
    assertEquals(libc.write(to, new Uint8Array([1, 2, 3, 4]), 3), 3);
    assertEquals(libc.poll([to, from], 1000)[1], true);
    assertEquals(libc.read(from, bytes), 3);
    assertEquals([...bytes.subarray(0, 4)], [1, 2, 3, 0]);
    libc.close(to);
    assertEquals(libc.poll([from], -1), [true]);
    assertEquals(libc.read(from, bytes), 0);
    libc.close(from);
  }),
);

Deno.test(
  "Libc.read() and write() answer minus the error number",
  {
    ignore,
  },
  withLibc((libc) => {
    assertEquals(libc.read(-1, new Uint8Array(1)), -EBADF);
    assertEquals(libc.write(-1, new Uint8Array(1), 1), -EBADF);
  }),
);

Deno.test(
  "Libc.openFuse() does not block",
  {
    ignore: ignore || !canOpenFuse(),
  },
  withLibc((libc) => {
    const fd = libc.openFuse();
    const count = libc.read(fd, new Uint8Array(1024 * 1024 + 4096));
    assert(count < 0 && count !== -EAGAIN, "it belongs to no mount");
    libc.close(fd);
  }),
);

function canOpenFuse(): boolean {
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test(
  "Libc.mount() and unmount() are refused for what is not there",
  {
    ignore,
  },
  withLibc(async (libc) => {
    const target = "/no/such/directory";
    const mount = () => libc.mount({ source: "a", target, type: "fuse.cairn", flags: 0, data: "" });
    assertThrows(mount, ErrnoError);
    assertEquals(await libc.unmount(target, { lazily: true }), false);
    const nul = () => libc.mount({ source: "a\0b", target, type: "fuse", flags: 0, data: "" });
    assertThrows(nul, ErrnoError, "EINVAL");
  }),
);

Deno.test(
  "Libc.receiveDescriptor() is EPROTO when a byte comes without one",
  {
    ignore,
  },
  withLibc((libc) => {
    const [ours, theirs] = libc.socketPair();
    libc.write(theirs, new Uint8Array(1), 1);
    assertThrows(() => libc.receiveDescriptor(ours), ErrnoError, "EPROTO");
    libc.close(theirs);
    assertThrows(() => libc.receiveDescriptor(ours), ErrnoError, "EPROTO");
    libc.close(ours);
  }),
);

Deno.test(
  "Libc.receiveDescriptor() takes a descriptor that another process sends",
  {
    ignore,
  },
  withLibc((libc) => {
    const [ours, theirs] = libc.socketPair();
    const folder = Deno.makeTempDirSync();
    Deno.writeTextFileSync(`${folder}/a`, "sent");
    const script = "import os,socket,sys;s=socket.socket(fileno=int(sys.argv[1]));" +
      "socket.send_fds(s,[b'x'],[os.open(sys.argv[2],os.O_RDONLY)])";
    const args = ["-c", script, String(theirs), `${folder}/a`];
    const { success, stderr } = hostCommand("python3", { args }).outputSync();
    assert(success, new TextDecoder().decode(stderr));
    const fd = libc.receiveDescriptor(ours);
    const bytes = new Uint8Array(10);
    assertEquals(libc.read(fd, bytes), 4);
    assertEquals(new TextDecoder().decode(bytes.subarray(0, 4)), "sent");
    for (const each of [fd, ours, theirs]) libc.close(each);
    Deno.removeSync(folder, { recursive: true });
  }),
);

Deno.test(
  "Libc.freeBytes() is some for a folder and not known for what is not there",
  {
    ignore,
  },
  withLibc((libc) => {
    assert(libc.freeBytes("/") > 1024 * 1024);
    assertEquals(libc.freeBytes("/no/such/folder"), Infinity);
    assertEquals([libc.isAnswering("/"), libc.isAnswering("/no/such/folder")], [true, false]);
  }),
);

Deno.test(
  "Libc.owner and isRoot say who we are",
  { ignore },
  withLibc((libc) => {
    assertEquals(libc.isRoot, Deno.uid() === 0);
    assertEquals(libc.owner, { uid: Deno.uid(), gid: Deno.gid() });
  }),
);

Deno.test("groupsOfProcess() reads the kernel's list, and nothing for a process that is gone", {
  ignore,
}, () => {
  const said = hostCommand("id", { args: ["-G"] }).outputSync().stdout;
  const all = new TextDecoder().decode(said).trim().split(" ").map(Number);
  const groups = groupsOfProcess(Deno.pid);
  assertEquals(groups.every((group) => all.includes(group)), true);
  assertEquals(groupsOfProcess(2 ** 30), []);
});
