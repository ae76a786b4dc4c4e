#!/usr/bin/env bash
# usage: build/docs.sh
# Makes a web site of the pages and of the API reference, which comes from the XML comments: artifacts/docs/site. Warnings fail.
set -euo pipefail
cd "$(dirname "$0")/.."
input=artifacts/docs/input
rm -rf artifacts/docs
mkdir -p "$input/docs" "$input/benchmarks"
cp README.md CHANGELOG.md LICENSE build/docs/docfx.json build/docs/toc.yml "$input/"
cp docs/*.md "$input/docs/"
cp benchmarks/*.md "$input/benchmarks/"
dotnet tool restore
dotnet docfx "$input/docfx.json" --warningsAsErrors
cp "artifacts/docs/site/README.html" "artifacts/docs/site/index.html"
echo "artifacts/docs/site/index.html"
