/** The words of the suite's command as numbers. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  makedev,
  OPEN_FLAGS,
  parseNumber,
  parseOpenFlags,
  showStat,
} from "../../../tools/pjdfstest/numbers.ts";

Deno.test("parseNumber() reads as strtoll does", () => {
  assertEquals(["0644", "17", "-1", "+5", "0x10", "0"].map(parseNumber), [420, 17, -1, 5, 16, 0]);
  assertThrows(() => parseNumber("x"));
});

Deno.test("parseOpenFlags() takes commas and bars", () => {
  assertEquals(parseOpenFlags("O_RDWR,O_CREAT"), 0o102);
  assertEquals(parseOpenFlags("O_WRONLY|O_TRUNC"), 0o1001);
  assertEquals([parseOpenFlags("none"), OPEN_FLAGS.O_RDONLY], [0, 0]);
  assertThrows(() => parseOpenFlags("O_UNKNOWN"));
});

Deno.test("showStat() prints the fields that are asked for", () => {
  const stat = {
    ino: 7,
    mode: 0o104755,
    nlink: 2,
    uid: 65534,
    gid: 0xffffffff,
    size: 5,
    blocks: 8,
    rdev: makedev(1, 3),
    atimeNs: 1_000_000_001n,
    mtimeNs: 2n,
    ctimeNs: 3_500_000_000n,
  };
  assertEquals(
    showStat(stat, "mode,inode,nlink,uid,gid,size,blocks"),
    "04755,7,2,65534,-1,5,8",
  );
  assertEquals(showStat(stat, "atime,atime_ns,mtime_ns,ctime,ctime_ns"), "1,1,2,3,500000000");
  assertEquals(showStat(stat, "type,major,minor,weight"), "regular,1,3,unknown");
});
