using SparseExpansion.Benchmarks.Targets;
using SparseExpansion.Transformers;
using TorchSharp;

namespace SparseExpansion.Benchmarks.Decode;

/// <summary>
/// decode [--blocks 4] [--experts 16] [--seconds 20] [--all-linears]: tokens per second of a whole model, dense and
/// expanded, interleaved.
/// </summary>
internal static class DecodeCommand
{
    private static readonly (double Sparsity, double Target)[] s_cases = [(0.5, 1.6), (0.75, 0), (0.9, 0)];

    public static int Run(string[] args)
    {
        int blocks = TargetsCommand.Integer(args, "--blocks", 4), experts = TargetsCommand.Integer(args, "--experts", 16);
        var timer = new InterleavedTimer(TargetsCommand.Integer(args, "--seconds", 20), cpuTime: false);
        bool attention = args.Contains("--all-linears");
        torch.random.manual_seed(1);
        Console.WriteLine(Machine.Describe());
        Console.WriteLine($"{blocks} blocks of TinyLlama-1.1B shape, {experts} experts in {(attention ? "all linears of the blocks" : "the feed-forward layers")}, float32, one token at a time");
        using var dense = new Decoder(LargeModel.Create(blocks));
        foreach ((double sparsity, double target) in s_cases)
        {
            CausalLanguageModel model = LargeModel.Create(blocks);
            LargeModel.Expand(model, experts, sparsity, attention);
            using var expanded = new Decoder(model);
            TargetRow row = timer.Measure(new TargetCase($"decode {sparsity:P0}", target, dense.Step, expanded.Step));
            Console.WriteLine(FormattableString.Invariant(
                $"{row.Case,-14} dense {1e3 / row.DenseMs,7:F2} tokens/s  expanded {1e3 / row.SparseMs,7:F2} tokens/s  ratio {row.Ratio:F2}"));
        }

        return 0;
    }
}
