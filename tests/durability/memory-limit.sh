#!/usr/bin/env bash
# Runs a command with at most LIMIT bytes of memory (a control group; needs root), and tells the most that it took: what is its own, and
# all with the pages of files, which the system takes back at the limit.
#
#   tests/durability/memory-limit.sh LIMIT COMMAND [ARGUMENTS]
set -euo pipefail

limit=$1
shift
name=sparse-expansion-$$
if [ -d /sys/fs/cgroup/memory ]; then
    group=/sys/fs/cgroup/memory/$name maximum=memory.limit_in_bytes peak=memory.max_usage_in_bytes
else
    group=/sys/fs/cgroup/$name maximum=memory.max peak=memory.peak
fi
mkdir "$group"
echo "$limit" > "$group/$maximum"
trap 'rmdir "$group" 2> /dev/null || true' EXIT

started=$(date +%s)
bash -c 'echo $$ > "$0/cgroup.procs"; exec "$@"' "$group" "$@" &
child=$!
own=0
while kill -0 "$child" 2> /dev/null; do
    now=$(awk '/^RssAnon:/ { print $2 }' "/proc/$child/status" 2> /dev/null || echo 0)
    [ "${now:-0}" -le "$own" ] || own=$now
    sleep 0.2
done
code=0
wait "$child" || code=$?
echo "exit code $code, $(($(date +%s) - started)) s, most memory of its own $((own / 1024)) MiB, with pages of files $(($(cat "$group/$peak") / 1048576)) MiB of $((limit / 1048576)) MiB" >&2
exit "$code"
