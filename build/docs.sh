#!/usr/bin/env bash
# usage: build/docs.sh
# Makes a web site of the pages and of the API reference, which comes from the XML comments: artifacts/docs/site. Warnings fail.
set -euo pipefail
cd "$(dirname "$0")/.."
input=artifacts/docs/input
rm -rf artifacts/docs
mkdir -p "$input/docs" "$input/benchmarks" "$input/samples"
cp ./*.md LICENSE global.json build/docs/docfx.json build/docs/toc.yml "$input/"
cp -r docs/*.md docs/decisions docs/images "$input/docs/"
cp benchmarks/*.md "$input/benchmarks/"
cp samples/*.md "$input/samples/"
dotnet tool restore
dotnet docfx "$input/docfx.json" --warningsAsErrors
cp "artifacts/docs/site/README.html" "artifacts/docs/site/index.html"
echo "artifacts/docs/site/index.html"
