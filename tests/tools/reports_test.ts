/**
 * How tools/reports.ts counts, above all where a report is missing or says nothing.
 */
import { assertEquals } from "@std/assert";
import { countTests, readJunit, readPlaywright } from "../../tools/reports.ts";

const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="2" errors="1" time="0.050">
  <testsuite name="./x_test.ts" tests="6" disabled="1" errors="1" failures="2">
    <testcase name="c"><skipped/></testcase>
    <testcase name="d"><failure message="x">&lt;skipped/&gt; tests="99"</failure></testcase>
  </testsuite>
</testsuites>`;

const PLAYWRIGHT = {
  errors: [],
  stats: { expected: 5, unexpected: 1, flaky: 1, skipped: 2 },
};

Deno.test("readJunit() counts failures, errors and ignored tests apart", () => {
  assertEquals(readJunit(JUNIT), { passed: 2, failed: 3, ignored: 1 });
});

Deno.test("readJunit() gives null for anything else", () => {
  assertEquals(readJunit(""), null);
  assertEquals(readJunit("<testsuites name='x'>"), null);
});

Deno.test("readPlaywright() counts a flaky test as failed", () => {
  assertEquals(readPlaywright(JSON.stringify(PLAYWRIGHT)), { passed: 5, failed: 2, ignored: 2 });
});

Deno.test("readPlaywright() counts errors outside of tests", () => {
  const report = { ...PLAYWRIGHT, errors: [{ message: "no server" }] };
  assertEquals(readPlaywright(JSON.stringify(report))?.failed, 3);
});

Deno.test("readPlaywright() gives null for anything else", () => {
  assertEquals([readPlaywright(""), readPlaywright("null"), readPlaywright("{}")], [
    null,
    null,
    null,
  ]);
});

Deno.test("countTests() takes a missing report for one failure", () => {
  const expected = { passed: 0, failed: 1, ignored: 0 };
  assertEquals(countTests("junit", { text: null, status: 0 }), expected);
  assertEquals(countTests("playwright", { text: "{", status: 0 }), expected);
});

Deno.test("countTests() counts a failing status after a clean report", () => {
  const text = `<testsuites tests="4" failures="0" errors="0">`;
  assertEquals(countTests("junit", { text, status: 0 }), { passed: 4, failed: 0, ignored: 0 });
  assertEquals(countTests("junit", { text, status: 1 }), { passed: 4, failed: 1, ignored: 0 });
});

Deno.test("countTests() does not believe a suite that ran nothing", () => {
  const text = `<testsuites tests="0" failures="0" errors="0">`;
  assertEquals(countTests("junit", { text, status: 0 }).failed, 1);
});

Deno.test("countTests() takes a program for one test", () => {
  assertEquals(countTests("exit", { text: null, status: 0 }).passed, 1);
  assertEquals(countTests("exit", { text: null, status: 3 }).failed, 1);
});
