#!/usr/bin/env bash
# Runs the tests that collect garbage all the time beside expansions, forwards, training and generation.
# Usage: tests/stress/run.sh [SECONDS for each of them, 1200 by default]
set -euo pipefail
cd "$(dirname "$0")/../.."
export SPARSEEXPANSION_STRESS_SECONDS=${1:-1200}
for project in Core Transformers; do
  dotnet test --project "tests/SparseExpansion.$project.Tests" -c Release ${2:+"$2"} --filter-class '*CollectionStressTests' --filter-class '*.ScalarsTests'
done
