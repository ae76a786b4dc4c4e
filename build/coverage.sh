#!/usr/bin/env bash
# usage: build/coverage.sh FOLDER [PERCENT]
# Adds up the lcov files that test runs left under a folder, and fails where tests reach less than PERCENT of the lines of Core and Execution together.
set -euo pipefail
mapfile -t files < <(find "$1" -name '*.info')
[ "${#files[@]}" -gt 0 ] || { echo "No coverage in $1: run the tests with --coverlet --coverlet-output-format lcov."; exit 1; }

awk -F '[:,]' -v least="${2:-90}" '
  /^SF:/ { file = substr($0, 4); gsub(/\\/, "/", file) }
  /^DA:/ && match(file, /src\/SparseExpansion\.[A-Za-z]+\//) {
    project = substr(file, RSTART + 4, RLENGTH - 5)
    line = file ":" $2
    if (!(line in seen)) { seen[line] = 1; lines[project]++ }
    if ($3 > 0 && !(line in hit)) { hit[line] = 1; hits[project]++ }
  }
  END {
    for (project in lines) printf "%s: %.1f %% of %d lines\n", project, 100 * hits[project] / lines[project], lines[project] | "sort"
    close("sort")
    # Together: which kernels run depends on the processor.
    all = lines["SparseExpansion.Core"] + lines["SparseExpansion.Execution"]
    reached = all ? 100 * (hits["SparseExpansion.Core"] + hits["SparseExpansion.Execution"]) / all : 0
    printf "Core and Execution: %.1f %%\n", reached
    if (reached < least) { printf "Tests reach %.1f %% of the lines of Core and Execution, less than %d %%.\n", reached, least; exit 1 }
  }' "${files[@]}"
