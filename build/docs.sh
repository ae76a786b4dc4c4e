#!/usr/bin/env bash
# usage: build/docs.sh
# Makes a web site of the pages and of the API reference, which comes from the XML comments: artifacts/docs/site. Warnings fail.
set -euo pipefail
cd "$(dirname "$0")/.."
input=artifacts/docs/input
rm -rf artifacts/docs
mkdir -p "$input/docs" "$input/benchmarks" "$input/build"
cp ./*.md LICENSE global.json build/docs/docfx.json build/docs/toc.yml "$input/"
cp -r docs/*.md docs/decisions docs/images "$input/docs/"
cp benchmarks/*.md "$input/benchmarks/"
# Files that pages link to.
cp build/BannedSymbols.txt "$input/build/"
cp --parents samples/*.md samples/*/*.cs "$input/"
sed -i 's|(\.github/workflows/ci\.yml)|(docs/building.md)|' "$input/README.md"
dotnet tool restore
dotnet docfx "$input/docfx.json" --warningsAsErrors
cp "artifacts/docs/site/README.html" "artifacts/docs/site/index.html"
echo "artifacts/docs/site/index.html"
