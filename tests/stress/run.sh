#!/usr/bin/env bash
# Collects garbage all the time beside expansions, forwards, training, saving, loading, evaluation and generation, and compares with undisturbed runs.
# Then uses models of the managed engine from eight threads at once, and compares results and memory.
# Usage: tests/stress/run.sh [SECONDS for each of the three test programs, 600 by default] [more arguments of dotnet test]
set -euo pipefail
cd "$(dirname "$0")/../.."
export SPARSEEXPANSION_STRESS_SECONDS=${1:-600}
for project in Core Transformers Inference; do
  dotnet test --project "tests/SparseExpansion.$project.Tests" -c Release --output Detailed "${@:2}" --filter-class '*StressTests'
done
