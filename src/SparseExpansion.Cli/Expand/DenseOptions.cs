using System.CommandLine;
using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.DenseQuantization;
using SparseExpansion.Quantization;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Expand;

/// <summary>Options for the weights that stay dense.</summary>
internal sealed class DenseOptions
{
    private const string WholeRow = "row";

    private readonly Option<int?> _bits = new("--dense-bits")
    {
        Description = "Round the linears that are not expanded, and the embeddings, to this many bits. [default: keep the model's precision]",
    };

    private readonly Option<string?> _group = new("--dense-quant-group")
    {
        Description = $"With --dense-bits: input features that share a scale, or {WholeRow} for a whole row.",
        DefaultValueFactory = _ => "128",
    };

    public DenseOptions()
    {
        Choice.AcceptOnly(_bits, 2, 3, 4, 8);
        Choice.AcceptOnly(_group, "64", "128", WholeRow);
    }

    public void AddTo(Command command)
    {
        command.Add(_bits);
        command.Add(_group);
    }

    /// <exception cref="UsageException">Options conflict.</exception>
    public void Check(ParseResult parsed)
    {
        if (parsed.GetValue(_bits) is null && parsed.GetResult(_group) is { Implicit: false })
        {
            throw new UsageException("--dense-quant-group has no effect without --dense-bits.");
        }
    }

    /// <summary>Applies the options.</summary>
    public void Apply(ParseResult parsed, ExpansionBuilder<CausalLanguageModel> builder)
    {
        string group = parsed.GetValue(_group)!;
        if (parsed.GetValue(_bits) is { } bits)
        {
            builder.QuantizeDense(new DenseQuantizationOptions
            {
                Weights = new WeightQuantization { Bits = bits, GroupSize = group == WholeRow ? null : int.Parse(group, CultureInfo.InvariantCulture) },
            });
        }
    }
}
