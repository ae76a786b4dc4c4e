#!/usr/bin/env bash
# usage: build/coverage.sh FOLDER [PERCENT]
# Adds up the lcov files that test runs left in a folder, and fails where tests reach less than PERCENT of the lines of Core or of Execution.
set -euo pipefail
files=("$1"/*.info)
[ -e "${files[0]}" ] || { echo "No coverage in $1: run the tests with --coverlet --coverlet-output-format lcov."; exit 1; }

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
    split("SparseExpansion.Core SparseExpansion.Execution", required, " ")
    for (i in required) {
      reached = lines[required[i]] ? 100 * hits[required[i]] / lines[required[i]] : 0
      if (reached < least) { printf "Tests reach %.1f %% of the lines of %s, less than %d %%.\n", reached, required[i], least; failed = 1 }
    }
    exit failed
  }' "${files[@]}"
