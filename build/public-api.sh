#!/usr/bin/env bash
# Writes PublicAPI.Unshipped.txt of every library anew: what is public and not in PublicAPI.Shipped.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

for project in src/*/; do
  if [ -f "$project/PublicAPI.Unshipped.txt" ]; then
    dotnet restore "$project"
    echo '#nullable enable' > "$project/PublicAPI.Unshipped.txt"
    dotnet format analyzers "$project" --diagnostics RS0016 --severity warn --no-restore
    echo "$project: $(grep -vc '^#' "$project/PublicAPI.Unshipped.txt") members not yet shipped"
  fi
done
