using System.Reflection;
using BenchmarkDotNet.Running;
using SparseExpansion.Benchmarks.Accuracy;
using SparseExpansion.Benchmarks.Decode;
using SparseExpansion.Benchmarks.Memory;
using SparseExpansion.Benchmarks.Peers;
using SparseExpansion.Benchmarks.Pruners;
using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Execution;

// For dense and sparse alike; set OMP_WAIT_POLICY=active to measure the other way.
OpenMPWaiting.UsePassive();
if (args is ["targets", .. var options])
{
    return TargetsCommand.Run(options);
}

if (args is ["decode", .. var decodeOptions])
{
    return DecodeCommand.Run(decodeOptions);
}

if (args is ["accuracy", .. var accuracyOptions])
{
    return AccuracyCommand.Run(accuracyOptions);
}

if (args is ["kernels", .. var kernelOptions])
{
    return KernelCostsCommand.Run(kernelOptions);
}

if (args is ["pruners", .. var prunerOptions])
{
    return PrunersCommand.Run(prunerOptions);
}

if (args is ["peers", .. var peerOptions])
{
    return PeersCommand.Run(peerOptions);
}

if (args is ["serve", .. var serveOptions])
{
    return new ServeCommand().Run(serveOptions, Console.In, Console.Out);
}

if (args is ["write-model", .. { Length: > 0 } modelOptions])
{
    return WriteModelCommand.Run(modelOptions);
}

// The projects that BenchmarkDotNet generates ignore Directory.Build.targets, but honor this variable.
string targets = typeof(Program).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
    .Single(a => a.Key == "LinuxCompatTargets").Value!;
Environment.SetEnvironmentVariable("CustomAfterMicrosoftCommonTargets", Path.GetFullPath(targets));
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
