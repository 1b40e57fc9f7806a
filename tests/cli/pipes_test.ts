/** "-" as a file of the host is the input or the output, in every verb that takes one. */
import { assertEquals, assertMatch } from "@std/assert";
import { damage, sampleImage } from "../support/bad_images.ts";
import { inFolder } from "../support/command_line.ts";
import { inShell } from "../support/hostile_host.ts";

Deno.test("cairn takes - for the input and the output, and makes no file of that name", () => {
  inFolder((folder) => {
    const { status, out, err } = inShell(
      `set -e
cairn mkfs v; cairn mkdir v /d
echo one | cairn put v - /one
echo two | cairn cp - v:/two
echo none | cairn cp -n - v:/two
cairn cp v:/one - ; cairn cp v:/one v:/two - ; cairn get v /two - ; cairn cat v /one
cairn dump --svg - v | tail -c 7
cairn export v - | cairn import - w > /dev/null; cairn cat w /two
ls`,
      folder,
    );
    assertEquals(status, 0, err);
    assertEquals(out, "one\none\ntwo\ntwo\none\n</svg>\ntwo\nv\nw\n");
  });
});

Deno.test("cairn refuses - where it can be neither", () => {
  inFolder((folder) => {
    const { out } = inShell(
      `cairn mkfs v; cairn mkdir v /d; touch f; cairn put v f /one
for words in "cp - v:/d" "cp - v:/" "cp - f v:/d" "cp f v:/one -" "cp v:/d -" "cp -r v:/d -" "get v /d -" \\
  "mkfs -" "import f -" "put v -"; do
  cairn $words < /dev/null 2>&1; echo "$? $words"
done
ls; cairn ls -a v /d`,
      folder,
    );
    const lines = out.split("\n");
    for (
      const line of lines.filter((line) =>
        / (cp|get|mkfs|import|put) /.test(line) && /^\d/.test(line)
      )
    ) {
      assertMatch(line, /^2 /);
    }
    assertMatch(out, /"v:\/d": EISDIR/);
    assertMatch(out, /"-" is copied alone/);
    assertMatch(out, /no side is in an image: write IMAGE:\/path[^]*2 cp f v:\/one -/);
    assertMatch(out, /write ".\/-" for a file of that name/);
    assertEquals(lines.slice(-5), ["f", "v", ".", "..", ""]);
  });
});

Deno.test("cairn has -h where others have it, and help elsewhere", () => {
  inFolder((folder) => {
    const { status, out } = inShell(
      `set -e
cairn mkfs v; head -c 3000000 /dev/zero | cairn put v - /big; cairn ls -h v; cairn ls -lh v
cairn du -sh v; cairn du -ah --bytes v /big; cairn df -h v; cairn df -ih v; cairn tree -h v
cairn chown -h v 1 /big; cairn cat -h | head -1; cairn du --help | head -1`,
      folder,
    );
    assertEquals(status, 0);
    assertMatch(out, /^big\n-rw.* 2\.9 MiB .* big\n +2\.9 MiB {2}\/\n +2\.9 MiB {2}\/big\n/);
    assertMatch(out, /size +used[^]*MiB[^]*inodes +used[^]* \d+\.\dM[^]*big \(2\.9 MiB\)\n/);
    assertMatch(out, /\ncairn cat IMAGE.*\ncairn du .*\n$/);
  });
});

Deno.test("cairn does all of its work and says how it ended, though its output is not read", () => {
  inFolder((folder) => {
    sampleImage(`${folder}/bad`);
    damage(`${folder}/bad`);
    const { out, err } = inShell(
      `cairn mkfs v; mkdir s1 s2; touch s2/f "s1/$(printf '\\377')"
exec 3> ended
{ cairn ls v /none; echo "ls $?" >&3; } 2>&1 | true
{ cairn check bad; echo "check $?" >&3; } 2>&1 | true
{ cairn cp -r s1 s2 v:/; echo "cp $?" >&3; } 2>&1 | true
cairn ls v /none 2> /dev/full; echo "full $?" >&3
cairn ls v /s2 > /dev/full; echo "out $?" >&3
cat ended; cairn ls v`,
      folder,
    );
    assertEquals(out, "ls 2\ncheck 1\ncp 1\nfull 2\nout 2\ns1\ns2\n", err);
  });
});
