/**
 * Measures a folder: `write|read FOLDER SCALE`. Prints pairs of a name and how often a second.
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";

const [part = "", folder = "", scale = "1"] = Deno.args;
const files = 2000 * Number(scale);
const mebibytes = 128 * Number(scale);
const large = new Uint8Array(1024 * 1024).map((_, index) => index * 31);
const page = large.subarray(0, 4096);
const results: [string, number][] = [];

function measured(name: string, count: number, body: (index: number) => void): void {
  const started = performance.now();
  for (let index = 0; index < count; index++) body(index);
  results.push([name, count / (performance.now() - started) * 1000]);
}

function write(): void {
  measured("create", files, (index) => closeSync(openSync(`${folder}/f${index}`, "wx")));
  measured("write of a small file", files, (index) => {
    writeFileSync(`${folder}/f${index}`, "small");
  });
  measured("rename", files, (index) => renameSync(`${folder}/f${index}`, `${folder}/g${index}`));
  const fd = openSync(`${folder}/large`, "w");
  measured("write of 1 MiB", mebibytes, (index) => {
    writeSync(fd, large);
    if (index === mebibytes - 1) fsyncSync(fd);
  });
  measured("write of 4 KiB", files * 5, () => writeSync(fd, page));
  measured("write of 4 KiB and fsync", files / 10, () => {
    writeSync(fd, page);
    fsyncSync(fd);
  });
  closeSync(fd);
}

function read(): void {
  const bytes = new Uint8Array(large.length);
  const fd = openSync(`${folder}/large`, "r");
  measured("read of 1 MiB", mebibytes, () => {
    const count = readSync(fd, bytes);
    if (count !== bytes.length || bytes[12_345] !== large[12_345]) {
      throw new Error("what is read is not what was written");
    }
  });
  closeSync(fd);
  const names = readdirSync(folder).filter((name) => name.startsWith("g"));
  measured("first lstat", names.length, (index) => void lstatSync(`${folder}/${names[index]}`));
  measured("unlink", names.length, (index) => unlinkSync(`${folder}/${names[index]}`));
}

if (part === "write") write();
else read();
console.log(JSON.stringify(results));
