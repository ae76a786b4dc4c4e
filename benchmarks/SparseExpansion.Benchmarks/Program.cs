using System.Reflection;
using BenchmarkDotNet.Running;
using SparseExpansion.Benchmarks.Decode;
using SparseExpansion.Benchmarks.Targets;

if (args is ["targets", .. var options])
{
    return TargetsCommand.Run(options);
}

if (args is ["decode", .. var decodeOptions])
{
    return DecodeCommand.Run(decodeOptions);
}

// The projects that BenchmarkDotNet generates ignore Directory.Build.targets, but honour this variable.
string targets = typeof(Program).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "LinuxCompatTargets").Value!;
Environment.SetEnvironmentVariable("CustomAfterMicrosoftCommonTargets", Path.GetFullPath(targets));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
