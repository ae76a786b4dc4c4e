#!/usr/bin/env bash
# How much of what the library does its tests hold: changes a library in one small place, runs the tests that reach it, and counts how often they notice.
#
#   tests/mutation/run.sh [FOLDER…]
#
# FOLDER is a folder of src/SparseExpansion.Core or a part of one, such as Pruning/Selection, or Execution, which means src/SparseExpansion.Execution,
# or a part of that, such as Execution/Packing; Pruning and Execution by default. The tests are those of the same folder of tests/SparseExpansion.Core.Tests. Environment: COUNT (200), mutants of a folder, taken at random;
# SEED (1) of that choice; OUT (artifacts/mutation).
#
# A mutant takes some seconds, and one that survives as long as all tests that reach it: 200 of each folder about an hour on two cores.
# OUT/FOLDER.tsv has a line for each: Killed (a test failed or the program crashed), Timeout, Survived (no test noticed: write one, or the
# change makes no difference) or Invalid (does not compile), then where, what, how long. Where there is a report already, its mutants are
# taken and only those tested again that had survived; remove it for others.
# Members that no test reaches on this processor (AVX-512 kernels where it has none) are counted apart.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT:-$root/artifacts/mutation}
[ $# -gt 0 ] || set -- Pruning Execution
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

dotnet build "$root/tests/SparseExpansion.Core.Tests" -c Release -v quiet
dotnet build "$root/tests/mutation/Sampler" -c Release -v quiet

for folder in "$@"; do
    project=Core part=$folder
    case $folder in
    Execution | Execution/*) project=Execution part=$(echo "$folder" | cut -s -d / -f 2-) ;;
    esac
    dotnet msbuild "$root/src/SparseExpansion.$project" -nologo -p:Configuration=Release "-t:ResolveReferences;CoreCompile" -p:NonExistentFile=none \
        -p:ProvideCommandLineArgs=true -p:SkipCompilerExecution=true -getItem:CscCommandLineArgs > "$work/arguments.json"
    # Links cost nothing, and the library among them is replaced, not written to.
    rm -rf "$work/tests"
    cp -al "$root/tests/SparseExpansion.Core.Tests/bin/Release/net10.0" "$work/tests" 2> /dev/null \
        || { rm -rf "$work/tests" && cp -a "$root/tests/SparseExpansion.Core.Tests/bin/Release/net10.0" "$work/tests"; }
    "$root/tests/mutation/Sampler/bin/Release/net10.0/SparseExpansion.MutationSampler" \
        "$root" "$project" "$work/arguments.json" "$work/tests" "$out/${folder//\//-}.tsv" "${COUNT:-200}" "${SEED:-1}" "$part"
done
