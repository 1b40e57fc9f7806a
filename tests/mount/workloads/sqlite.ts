/**
 * sqlite3's own shell on the mount: a write-ahead log (shared memory maps), a rollback journal, and
 * the integrity check.
 */
import { existsSync } from "node:fs";
import { must, type Workload } from "./workload.ts";

const INSERTS = 10_000;

/** 10,000 inserts, each its own transaction, in both journal modes. */
export const sqliteWorkload: Workload = {
  name: "sqlite",
  programs: ["sqlite3"],
  isVictim: true,
  async run({ directory }) {
    const times: string[] = [];
    for (const mode of ["wal", "delete"]) {
      const database = `${directory}/${mode}.db`;
      const started = performance.now();
      const lines = [
        `PRAGMA journal_mode=${mode};`,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);",
      ];
      lines.push("CREATE INDEX i ON t(a);");
      const inserts = mode === "wal" ? INSERTS : INSERTS / 10;
      for (let index = 0; index < inserts; index++) {
        lines.push(`INSERT INTO t(a, b) VALUES(${index * 7919 % 10_007}, hex(randomblob(40)));`);
      }
      lines.push("DELETE FROM t WHERE id % 3 = 0;", "VACUUM;");
      await must(["sqlite3", "-bail", database], { input: lines.join("\n") });
      const questions = "PRAGMA integrity_check; SELECT count(*), sum(a) FROM t;";
      const [integrity, row] = (await must(["sqlite3", database, questions])).split("\n");
      const kept = Array.from({ length: inserts }, (_, index) => index)
        .filter((index) => (index + 1) % 3 !== 0);
      const sum = kept.reduce((all, index) => all + index * 7919 % 10_007, 0);
      if (integrity !== "ok" || row !== `${kept.length}|${sum}`) {
        throw new Error(`${mode}: ${integrity}, ${row} instead of ${kept.length}|${sum}`);
      }
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      times.push(`${inserts} transactions with a ${mode} journal in ${seconds} s`);
    }
    return `${times.join(", ")}; integrity ok`;
  },
  async verifyKilled(directory) {
    for (const mode of ["wal", "delete"]) {
      const database = `${directory}/${mode}.db`;
      if (!existsSync(database)) continue;
      const integrity = await must(["sqlite3", database, "PRAGMA integrity_check;"]);
      if (integrity.trim() !== "ok") throw new Error(`${mode}, after the kill: ${integrity}`);
    }
  },
};
