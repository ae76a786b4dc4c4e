using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Prints the tool's version, without the commit that it was built from.</summary>
internal sealed class VersionAction(TextWriter output) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        string version = typeof(VersionAction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        output.WriteLine(version.Split('+')[0]);
        return ExitCode.Success;
    }
}
