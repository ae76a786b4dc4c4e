using System.CommandLine;
using SparseExpansion.Cli.Hosting;
using static TorchSharp.torch;

namespace SparseExpansion.Cli.Options;

/// <summary>Option for the device.</summary>
internal sealed class DeviceOption
{
    private readonly Option<string?> _option = new("--device") { Description = "Device to compute on.", DefaultValueFactory = _ => "cpu" };

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
                "--device cuda: there is no CUDA device, or the tool was built for the CPU only (build it with TorchBackend=cuda-linux or cuda-windows).");
    }
}
