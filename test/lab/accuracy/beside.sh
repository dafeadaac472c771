#!/bin/sh
# Runs the program's `live` in both contexts at once, in the namespace that this is started in, until SIGINT.
#
#   sh beside.sh FOLDER PROGRAM… [-- OPTION…]
#
# Writes FOLDER/live.ndjson and FOLDER/live-resets.ndjson, what they said to .err and their exit codes to .code. Says
# one line on standard error when both listen.
folder=$1
shift

start() {
  name=$1
  shift
  "$@" >"$folder/$name.ndjson" 2>"$folder/$name.err" &
}

# An interrupted wait is not the end of what is waited for.
finish() {
  wait "$2"
  code=$?
  while kill -0 "$2" 2>/dev/null; do
    wait "$2"
    code=$?
  done
  echo "$code" >"$folder/$1.code"
}

trap 'kill -INT "$full" "$resets" 2>/dev/null' INT TERM
start live "$@" --context full
full=$!
start live-resets "$@"
resets=$!
listens() { grep -qs 'listening on' "$folder/$1.err"; }
until listens live && listens live-resets; do
  kill -0 "$full" && kill -0 "$resets" || break
  sleep 0.05
done 2>/dev/null
echo 'both listen' >&2
finish live "$full"
finish live-resets "$resets"
