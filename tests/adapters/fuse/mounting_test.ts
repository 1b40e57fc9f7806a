import { assertEquals } from "@std/assert";
import { findMount, waitAwhile } from "../../../adapters/fuse/mounting.ts";

const MOUNTINFO = [
  "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
  "88 22 0:45 / /mnt/with\\040space rw,nosuid,nodev - fuse.cairn /home/a/notes.cairn rw,user_id=0",
  "89 22 0:46 / /mnt/other rw shared:5 master:1 - fuse.sshfs host: rw",
  "90 22 0:47 / /mnt/back\\134slash ro - fuse.cairn /a\\040-\\040b ro",
  "",
].join("\n");

Deno.test("findMount() finds our own mounts by the directory's real name", () => {
  assertEquals(findMount(MOUNTINFO, "/mnt/with space"), true);
  assertEquals(findMount(MOUNTINFO, "/mnt/back\\slash"), true);
});

Deno.test("findMount() leaves other filesystems and parts of names alone", () => {
  assertEquals(findMount(MOUNTINFO, "/mnt/other"), false);
  assertEquals(findMount(MOUNTINFO, "/mnt/with"), false);
  assertEquals(findMount(MOUNTINFO, "/"), false);
  assertEquals(findMount("", "/"), false);
});

Deno.test("waitAwhile() counts its looks, and ends as soon as what it waits for is over", async () => {
  let looks = 0;
  const pause = (): Promise<void> => {
    looks++;
    return Promise.resolve();
  };
  assertEquals([await waitAwhile(() => false, pause), looks], [false, 20]);
  looks = 0;
  assertEquals([await waitAwhile(() => looks === 3, pause), looks], [true, 3]);
  assertEquals([await waitAwhile(() => true, pause), looks], [true, 3]);
});
