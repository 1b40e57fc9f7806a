/**
 * C projects built inside the mount by make and the compiler: one written on the spot, and Lua.
 */
import { must, type Workload } from "./workload.ts";

const FILES = 40;

/** Build, run, build again (nothing to do), change one header, build again, clean. */
export const buildWorkload: Workload = {
  name: "build",
  programs: ["make", "cc", "ar"],
  isVictim: true,
  async run({ directory }) {
    const cwd = `${directory}/project`;
    writeProject(cwd);
    await must(["make", "-j2"], { cwd });
    const expected = FILES * (FILES - 1) / 2;
    await mustPrint([`${cwd}/program`], `${expected}\n`);
    await must(["make", "-q"], { cwd });
    Deno.writeTextFileSync(`${cwd}/common.h`, header(2));
    await must(["make", "-j2"], { cwd });
    await mustPrint([`${cwd}/program`], `${expected * 2}\n`);
    await must(["make", "clean"], { cwd });
    const left = [...Deno.readDirSync(cwd)].length;
    if (left !== FILES + 3) throw new Error(`${left} files are left after "make clean"`);
    return `${FILES + 1} C files compiled twice, archived, linked and run`;
  },
};

/** Lua's own source: built, asked, installed, cleaned. */
export const luaWorkload: Workload = {
  name: "lua",
  programs: ["make", "gcc", "ar", "cp", "diff"],
  outside: { variable: "CAIRN_LUA", what: "an unpacked source of Lua" },
  isVictim: true,
  async run({ directory, outside }) {
    const cwd = `${directory}/lua`;
    await must(["cp", "-a", outside, cwd]);
    await must(["make", "-j2", "posix"], { cwd });
    const question = "local t = {} for i = 1, 1e5 do t[i] = i * i end print(#t, t[1e5])";
    await mustPrint([`${cwd}/src/lua`, "-e", question], "100000\t10000000000\n");
    await must([`${cwd}/src/luac`, "-o", `${directory}/out.luac`, "-"], { input: question });
    await mustPrint([`${cwd}/src/lua`, `${directory}/out.luac`], "100000\t10000000000\n");
    await must(["make", "install", `INSTALL_TOP=${directory}/installed`], { cwd });
    await mustPrint([`${directory}/installed/bin/lua`, "-e", "print(6 * 7)"], "42\n");
    await must(["make", "clean"], { cwd });
    await must(["diff", "-r", outside, cwd]);
    return "Lua copied in, compiled, run, installed and cleaned";
  },
};

async function mustPrint(command: string[], expected: string): Promise<void> {
  const printed = await must(command);
  if (printed !== expected) throw new Error(`the program printed ${printed} and not ${expected}`);
}

function header(factor: number): string {
  return `#include <stdio.h>\n#include <string.h>\n#define FACTOR ${factor}\n`;
}

function writeProject(folder: string): void {
  Deno.mkdirSync(folder);
  const parts = Array.from({ length: FILES }, (_, index) => `part${index}`);
  for (const [index, part] of parts.entries()) {
    const text = `#include "common.h"\nint ${part}(void) { return ${index} * FACTOR; }\n`;
    Deno.writeTextFileSync(`${folder}/${part}.c`, text);
  }
  const calls = parts.map((part) => `sum += ${part}();`).join("\n  ");
  const main = '#include "common.h"\n' + parts.map((part) => `int ${part}(void);\n`).join("") +
    `int main(void) {\n  int sum = 0;\n  ${calls}\n  printf("%d\\n", sum);\n  return 0;\n}\n`;
  Deno.writeTextFileSync(`${folder}/main.c`, main);
  Deno.writeTextFileSync(`${folder}/common.h`, header(1));
  const objects = parts.map((part) => `${part}.o`).join(" ");
  const rules = [
    "program: main.o libparts.a\n\tcc -o $@ main.o -L. -lparts\n",
    `libparts.a: ${objects}\n\tar rcs $@ $^\n`,
    "%.o: %.c common.h\n\tcc -O1 -g -c -o $@ $<\n",
    "clean:\n\trm -f program libparts.a *.o\n.PHONY: clean\n",
  ];
  Deno.writeTextFileSync(`${folder}/Makefile`, rules.join("\n"));
}
