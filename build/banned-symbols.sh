#!/usr/bin/env bash
# Writes BannedSymbols.txt anew: what in the referenced version of TorchSharp hands temporary scalars to libtorch.
set -euo pipefail
cd "$(dirname "$0")/.."
SPARSEEXPANSION_WRITE_BANNED_SYMBOLS=1 dotnet test --project tests/SparseExpansion.Core.Tests -c Release --filter-class '*TemporaryScalarTests' || true
git diff --stat build/BannedSymbols.txt
