using System.CommandLine;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Cli;

/// <summary>Where to compute.</summary>
internal sealed class DeviceOption
{
    private readonly Option<string?> _option = new("--device") { Description = "Where to compute.", DefaultValueFactory = _ => "cpu" };

    public DeviceOption() => Choice.AcceptOnly(_option, "cpu", "cuda");

    public void AddTo(Command command) => command.Add(_option);

    /// <exception cref="UsageException">There is no such device.</exception>
    public Device Read(ParseResult parsed)
    {
        if (parsed.GetValue(_option) != "cuda")
        {
            return CPU;
        }

        return cuda.is_available()
            ? CUDA
            : throw new UsageException(
                "--device cuda: there is no CUDA device, or the tool was built for the CPU alone (build it with TorchBackend=cuda-linux or cuda-windows).");
    }
}
