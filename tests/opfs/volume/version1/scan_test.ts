/**
 * The scan: each kind of damage by its code, refused or resolved.
 */
import { assertEquals } from "@std/assert";
import { scanBytes } from "../../../support/version1_rig.ts";
import { Version1Builder } from "../../../support/version1_builder.ts";

function base(): Version1Builder {
  const builder = new Version1Builder();
  builder.directory("/");
  builder.file("/a", "x".repeat(2000));
  return builder;
}

/** A test of what a scan finds, without a repair and with one. */
function finds(
  what: string,
  prepare: (builder: Version1Builder) => void,
  { plain, repair = plain }: { plain: string[]; repair?: string[] },
): void {
  Deno.test(`scanVersion1() finds ${what}`, () => {
    const builder = base();
    prepare(builder);
    const bytes = builder.build();
    assertEquals(scanBytes(bytes), plain);
    assertEquals(scanBytes(bytes, { repair: true }), repair);
  });
}

finds("nothing in a whole image", (image) => {
  image.directory("/d");
  image.symlink("/d/s", "../a");
  image.link("/d/l", 1);
  image.slots[9] = undefined;
  image.file("/d/later", "", 10);
}, { plain: [] });

// What the peer mounts.
finds("a wrong counter", (image) => {
  image.superblock = { freeBlocks: 3 };
}, { plain: ["note free-count -"] });
finds("leaked blocks", (image) => {
  image.leaked.push(40, 41);
}, { plain: ["note blocks-leaked -"] });
finds("clear bits under a file", (image) => {
  image.cleared.push(0);
}, { plain: ["note bits-clear -"] });
finds("bytes past the last block", (image) => {
  image.trailingBytes = 77;
}, { plain: ["note bytes-past-end -"] });
finds("implicit directories, which are no finding of the scan", (image) => {
  image.file("/no/such/parent", "x");
}, { plain: [] });
finds("preallocated blocks, which are no finding", (image) => {
  image.slots[1]!.blockCount = 9;
}, { plain: [] });
finds("the root in any slot", (image) => {
  image.slots[5] = image.slots[0];
  image.slots[0] = undefined;
}, { plain: [] });
finds("a size that its blocks do not hold", (image) => {
  image.slots[1]!.size = 4000;
}, { plain: ["changed size-wrong /a"] });

Deno.test("scanVersion1() finds data that does not begin at a multiple of the block size", () => {
  const builder = new Version1Builder({ blockSize: 1024, bitmapBytes: 61 });
  builder.directory("/");
  assertEquals(scanBytes(builder.build()), ["note data-unaligned -"]);
});

// What its crashes leave.
finds("a path counter that is out of date", (image) => {
  image.superblock = { pathUsed: 1 };
}, { plain: ["note path-used -"] });
finds("a path counter beyond the table", (image) => {
  image.superblock = { pathUsed: 0xffffffff };
}, { plain: ["note path-used -"] });
finds("a path of which no byte was written", (image) => {
  image.add({ type: 1, path: new Uint8Array(5) });
}, { plain: ["lost name-lost -"], repair: ["changed name-lost -"] });
finds("a file with two slots of one name, which are the same file", (image) => {
  image.link("/a", 1);
}, { plain: ["note name-twice /a"] });
finds("a file whose blocks the superblock does not count yet", (image) => {
  image.superblock = { totalBlocks: 1 };
}, { plain: ["note blocks-past-end /a", "note bytes-past-end -", "note free-count -"] });

// What would mix data.
finds("two files with one path", (image) => {
  image.file("/a", "other");
}, {
  plain: ["refused path-duplicate /a", "lost name-lost /a"],
  repair: ["changed path-duplicate /a", "changed name-lost /a"],
});
finds("a file and a directory with one path", (image) => {
  image.directory("/a");
}, {
  plain: ["refused path-duplicate /a", "lost name-lost /a"],
  repair: ["changed path-duplicate /a", "changed name-lost /a"],
});
finds("files that share a block", (image) => {
  image.file("/b", "yy");
  image.slots[2]!.firstBlock = 1;
}, {
  plain: ["refused blocks-shared /b", "lost name-lost /a", "lost name-lost /b"],
  repair: ["lost blocks-shared /b", "changed name-lost /a", "changed name-lost /b"],
});
finds("files that share a block, one of which has a second name", (image) => {
  image.link("/l", 1);
  image.file("/b", "yy");
  image.slots[3]!.firstBlock = 1;
}, {
  plain: [
    "refused blocks-shared /b",
    "lost name-lost /l",
    "lost name-lost /a",
    "lost name-lost /b",
  ],
  repair: [
    "lost blocks-shared /b",
    "lost name-lost /l",
    "changed name-lost /a",
    "changed name-lost /b",
  ],
});
finds("an image that was cut off", (image) => {
  image.trailingBytes = -63 * 1024 + 500;
}, {
  plain: ["refused contents-cut /a", "note image-short -"],
  repair: ["lost contents-cut /a", "note image-short -"],
});

// What has no known place.
finds("a file below a file", (image) => {
  image.directory("/a/dir");
  image.file("/a/dir/b");
}, {
  plain: ["lost name-lost /a/dir", "lost name-lost /a/dir/b"],
  repair: ["lost name-lost /a/dir", "changed name-lost /a/dir/b"],
});
finds("a NUL in a path", (image) => {
  image.file("/x\0y", "contents");
}, { plain: ["lost name-lost -"], repair: ["changed name-lost -"] });
finds("a file with the root's path", (image) => {
  image.file("/");
}, { plain: ["lost name-lost /"], repair: ["changed name-lost /"] });
finds("no root", (image) => {
  image.slots[0] = undefined;
}, { plain: ["lost root-missing /"] });
finds("an unknown type", (image) => {
  image.add({ type: 9, path: "/x" });
}, { plain: ["lost slot-type -"] });
finds("a second name without an inode", (image) => {
  image.link("/l1", 63);
  image.link("/l2", 0xffffffff);
  image.link("/l3", 0);
  image.link("/l4", 2);
}, {
  plain: ["lost link-lost /l1", "lost link-lost /l2", "lost link-lost /l3", "lost link-lost /l4"],
});
finds("a second name without a path", (image) => {
  image.add({ type: 4, path: "", firstBlock: 1 });
}, { plain: ["lost link-lost -"] });
finds("a first name that is gone while a second one is there", (image) => {
  image.slots[1]!.path = "a";
  image.link("/l", 1);
}, { plain: ["lost name-lost -"] });
finds("a first name and a second one that are both gone", (image) => {
  image.file("/f");
  image.slots[1]!.path = "/f/a";
  image.link("/f/l", 1);
}, {
  plain: ["lost name-lost /f/l", "lost name-lost /f/a"],
  repair: ["lost name-lost /f/l", "changed name-lost /f/a"],
});
finds("bytes of a path that are no UTF-8", (image) => {
  image.add({ type: 1, path: new Uint8Array([0x2f, 0xff]) });
}, { plain: ["note path-replaced /\ufffd"] });
finds("two paths that are one after bytes were replaced", (image) => {
  image.add({ type: 1, path: new Uint8Array([0x2f, 0xff]) });
  image.add({ type: 1, path: new Uint8Array([0x2f, 0xfe]) });
}, {
  plain: [
    "note path-replaced /\ufffd",
    "note path-replaced /\ufffd",
    "refused path-duplicate /\ufffd",
    "lost name-lost /\ufffd",
  ],
  repair: [
    "note path-replaced /\ufffd",
    "note path-replaced /\ufffd",
    "changed path-duplicate /\ufffd",
    "changed name-lost /\ufffd",
  ],
});
