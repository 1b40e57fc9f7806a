#!/bin/sh
# Compiles notes.c to WebAssembly with emcc:
#
#     sh examples/wasm_c/build.sh [output folder]
#
# It writes notes.js (an ES module that makes the program) and notes.wasm, by default beside this
# script, where they are committed. The output runs in a page, in a module worker, and in Deno with
# read permission alone. FS is exported so that a preRun can mount a volume; EXIT_RUNTIME makes the
# program close its files and report its status.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
mkdir -p "$out"
# emcc's optimiser needs acorn, which Debian keeps here; another Node on the PATH would not look.
if [ -d /usr/share/nodejs ]; then
  NODE_PATH=/usr/share/nodejs${NODE_PATH:+:$NODE_PATH}
  export NODE_PATH
fi
emcc -O2 -Wall -Wextra "$here/notes.c" -o "$out/notes.js" \
  -sMODULARIZE -sEXPORT_ES6 -sENVIRONMENT=web,worker -sEXPORT_NAME=createNotes \
  -sEXPORTED_RUNTIME_METHODS=FS -sFORCE_FILESYSTEM -sEXIT_RUNTIME
chmod 644 "$out/notes.wasm"
