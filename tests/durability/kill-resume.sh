#!/usr/bin/env bash
# Kills expansions by SIGKILL at random moments, resumes them, and compares every byte with an uninterrupted expansion.
# Where a small tmpfs can be mounted (root), does the same with a disk that is full.
#
#   tests/durability/kill-resume.sh [MODEL TEXT|FILE:TENSOR [more options of expand]]
#
# Without arguments it uses the model of the quick start. Environment: KILLS (20), SEED (1: of the random moments), TOOL (the built tool).
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
kills=${KILLS:-20}
RANDOM=${SEED:-1}
tool=${TOOL:-$root/src/SparseExpansion.Cli/bin/Release/net10.0/SparseExpansion.Cli}
[ -x "$tool" ] || { echo "build the tool first: dotnet build -c Release src/SparseExpansion.Cli" >&2; exit 2; }

if [ $# -ge 2 ]; then
    model=$1 tokens=$2
    shift 2
    [ -f "$tokens" ] && source=(--text "$tokens") || source=(--tokens "$tokens")
else
    model=$root/samples/QuickStart/model
    source=(--text "$model/calibration.txt" --context 256 --max-windows 64)
fi

work=$(mktemp -d)
mounted=
cleanup() {
    [ -z "$mounted" ] || umount "$mounted" || true
    rm -rf "$work"
}
trap cleanup EXIT

options=(expand --model "$model" "${source[@]}" --sparsity 0.5 --experts 8 "$@")
expand() { "$tool" "${options[@]}" --output "$1" "${@:2}" > "$work/stdout" 2> "$work/stderr"; }

# Names and contents of a folder; the times in the report do not count.
digest() {
    (cd "$1" && for file in $(find . -type f | sort); do
        printf '%s ' "$file"
        case $file in
            */expansion-report.json) grep -v '"seconds":' "$file" | sha256sum ;;
            *) sha256sum < "$file" ;;
        esac
    done)
}

started=$(date +%s%N)
expand "$work/whole"
milliseconds=$((($(date +%s%N) - started) / 1000000))
expected=$(digest "$work/whole")
echo "one go: $milliseconds ms, $(find "$work/whole" -type f | wc -l) files, $(du -sk "$work/whole" | cut -f1) KiB"

compare() {
    [ "$(digest "$1")" = "$expected" ] || { echo "$2: the output differs" >&2; diff <(echo "$expected") <(digest "$1") >&2; exit 1; }
    [ "$(find "$(dirname "$1")" -mindepth 1 -maxdepth 1 -name "$(basename "$1")*" | wc -l)" = 1 ] || { echo "$2: something is left beside the output" >&2; exit 1; }
}

for ((kill = 1; kill <= kills; kill++)); do
    out=$work/killed
    moment=$(((RANDOM * 32768 + RANDOM) % (milliseconds + milliseconds / 20)))
    "$tool" "${options[@]}" --output "$out" > /dev/null 2>&1 &
    child=$!
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    end=killed
    kill -9 "$child" 2> /dev/null || end="had ended"
    wait "$child" 2> /dev/null || true
    blocks=0
    [ ! -f "$out.partial/journal.json" ] || blocks=$(grep -c '"description"' "$out.partial/journal.json" || true)
    if [ -d "$out" ]; then
        compare_only=$(digest "$out")
        [ "$compare_only" = "$expected" ] || { echo "kill $kill at $moment ms: a half-written output appeared" >&2; exit 1; }
        [ ! -d "$out.partial" ] || expand "$out" --resume --overwrite || { cat "$work/stderr" >&2; exit 1; }
    else
        expand "$out" --resume || { echo "kill $kill at $moment ms: --resume failed" >&2; cat "$work/stderr" >&2; exit 1; }
    fi
    compare "$out" "kill $kill at $moment ms"
    echo "kill $kill at $moment ms ($end, $blocks blocks finished): the same bytes"
    rm -rf "$out" "$out.partial"
done

disk=$work/disk
mkdir "$disk"
full=$(($(du -sk "$work/whole" | cut -f1) * 3 / 4))
if mount -t tmpfs -o size="${full}k" tmpfs "$disk" 2> /dev/null; then
    mounted=$disk
    if expand "$disk/out"; then
        echo "full disk: the expansion fitted into $full KiB" >&2
        exit 1
    fi
    [ ! -d "$disk/out" ] || { echo "full disk: a half-written output appeared" >&2; exit 1; }
    echo "full disk of $full KiB: $(grep -m 1 '^sparse-expand: ' "$work/stderr" | sed "s|$work|WORK|g")"
    mount -o remount,size=$((full * 4))k "$disk"
    expand "$disk/out" --resume
    compare "$disk/out" "full disk"
    echo "full disk, then room: the same bytes"
else
    echo "full disk: not tried, no tmpfs can be mounted here"
fi
