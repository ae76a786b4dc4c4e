#!/usr/bin/env bash
# Uses the packages as a stranger would: packs them to a folder, builds and runs programs outside of this repository
# that know nothing but the packages, and installs the tool. Packages of others come from this machine's sources.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Programs need ICU or this; the repository's own are built without globalization.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}

passed=0 failed=0
check() { # name, command...
  local name=$1 start=$SECONDS
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $name ($((SECONDS - start)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    tail -n 30 "$work/log" | sed 's/^/        /'
  fi
}

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Darwin-arm64) platform=osx-arm64 ;;
  *) echo "There is no package of the tool for $(uname -s) on $(uname -m)."; exit 1 ;;
esac
property() { dotnet msbuild "$root/src/SparseExpansion.Core" -getProperty:"$1"; }
torch=$(property TorchSharpVersion)
global=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')

# New packages go to the scratch folder; what the machine has already (libtorch is large) is taken from where it lies.
mkdir "$work/feed"
cat > "$work/nuget.config" <<CONFIG
<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <fallbackPackageFolders><add key="machine" value="$global" /></fallbackPackageFolders>
  <packageSources><add key="packed" value="$work/feed" /></packageSources>
</configuration>
CONFIG

pack() {
  cd "$root"
  for project in Execution Models Inference Core Transformers Cli; do
    dotnet pack "src/SparseExpansion.$project" -o "$work/feed" -p:ToolPackageRuntimeIdentifiers=$platform || return 1
  done
  cd "$work/feed"
  version=$(ls SparseExpansion.Core.*.nupkg | sed -E 's/^SparseExpansion\.Core\.(.*)\.nupkg$/\1/') # from git tags
  for id in Execution Models Inference Core Transformers Cli.$platform; do
    [ -f "SparseExpansion.$id.$version.nupkg" ] && [ -f "SparseExpansion.$id.$version.snupkg" ] || return 1
    # Registries take no more than 250 MB.
    [ "$(wc -c < "SparseExpansion.$id.$version.nupkg")" -lt 250000000 ] || return 1
  done
}

# A console program with the sources of a sample, which may use public API only.
program() { # sample, package
  dotnet new console -o "$work/$1" && cd "$work/$1" && rm Program.cs && cp "$root/samples/$1/"*.cs . &&
    dotnet add package "$2" --version "$version" && dotnet add package TorchSharp-cpu --version "$torch" &&
    dotnet build -c Release -warnaserror -p:NuGetAudit=false -p:CreateHardLinksForCopyLocalIfPossible=true -p:WarningsNotAsErrors=NU1603 &&
    [ -f "$work/packages/$(echo "$2" | tr A-Z a-z)/$version/lib/net10.0/$2.xml" ] &&
    cmp bin/Release/net10.0/SparseExpansion.Core.dll "$root/src/SparseExpansion.Core/bin/Release/net10.0/SparseExpansion.Core.dll"
}
run() { # sample, expected text, arguments...
  local sample=$1 expected=$2
  shift 2
  dotnet "$work/$sample/bin/Release/net10.0/$sample.dll" "$@" | tee "$work/output" && grep -q "$expected" "$work/output"
}
# The package repairs a copy of TorchSharp's native library (where asked to, or where this system needs it), or leaves it alone.
linux_compat() { # property, whether the program's library is TorchSharp's own
  cd "$work/OwnModel" && rm -rf bin obj/Release && dotnet build -c Release -p:NuGetAudit=false -p:CreateHardLinksForCopyLocalIfPossible=true -p:TorchSharpLinuxCompat="$1" || return 1
  local library=runtimes/linux-x64/native/libLibTorchSharp.so original result=false
  original=$(ls -d "$work/packages/torchsharp/$torch" "$global/torchsharp/$torch" 2>/dev/null | head -n 1)
  cmp "bin/Release/net10.0/$library" "$original/$library" && result=true
  [ $result = "$2" ]
}
# What decodes without libtorch must not bring it.
without_torch() {
  dotnet new console -o "$work/Below" && cd "$work/Below" && dotnet add package SparseExpansion.Inference --version "$version" &&
    dotnet build -c Release -warnaserror -p:NuGetAudit=false && [ -f bin/Release/net10.0/SparseExpansion.Execution.dll ] &&
    ! ls bin/Release/net10.0 | grep -i torch
}
tool() { cd "$work" && tools/sparse-expand "$@"; }
version_of_tool() { [ "$(tool --version)" = "$version" ]; }
continuation() { tool generate --model "$root/samples/QuickStart/model" --prompt "Once upon a time" | tee "$work/output" && grep -q "Once upon a time.*[a-z]" "$work/output"; }

check "pack" pack
export NUGET_PACKAGES=$work/packages
check "a program builds against SparseExpansion.Core" program OwnModel SparseExpansion.Core
check "it expands, saves and loads a model" run OwnModel "outputs are equal"
if [ $platform = linux-x64 ]; then
  check "TorchSharpLinuxCompat=true repairs the native library" linux_compat true false
  check "TorchSharpLinuxCompat=false leaves the native library" linux_compat false true
fi
check "a program builds against SparseExpansion.Transformers" program LanguageModel SparseExpansion.Transformers
check "it expands, saves and loads a language model" run LanguageModel "perplexity" "$root/samples/QuickStart/model" "$root/samples/QuickStart/model/calibration.txt" "$root/samples/QuickStart/model/evaluation.txt" "$work/expanded"
check "a program builds against SparseExpansion.Inference, without TorchSharp" without_torch
cd "$work"
check "the tool installs" dotnet tool install SparseExpansion.Cli --tool-path tools --version "$version"
check "sparse-expand --version" version_of_tool
check "sparse-expand inspect" tool inspect --model "$root/samples/QuickStart/model"
check "sparse-expand generate" continuation

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
