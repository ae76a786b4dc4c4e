using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Expand;

/// <summary>Options for everything beyond the published method.</summary>
internal sealed class ExpertOptions
{
    private static readonly Dictionary<string, SparsityAllocation> s_allocations = new()
    {
        ["uniform"] = SparsityAllocation.Uniform,
        ["owl"] = SparsityAllocation.Owl(),
        ["error"] = SparsityAllocation.OutputError(),
        ["experts"] = SparsityAllocation.Experts(),
    };

    private readonly Option<Shrinkage?> _shrink = new("--shrink")
    {
        Description = "Shrink experts' statistics toward their layer's: off, auto (strength chosen on held-out tokens), or the number of tokens the layer counts as. [default: off]",
        HelpName = "off|auto|N",
        CustomParser = ParseShrinkage,
    };

    private readonly Option<int> _minTokens = new("--min-tokens")
    {
        Description = "Dissolve experts with fewer calibration tokens; 0 keeps all.",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Integer(0),
    };

    private readonly Option<int?> _refineRouter = new("--refine-router")
    {
        Description = "Rounds in which routers learn from the errors of their experts; 0 for none. [default: 0, with --recipe best 8]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(0),
    };

    private readonly Option<string?> _compensate = new("--compensate")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "Prune experts from weights that compensate for errors of earlier layers. [default: false, with --recipe best true]",
    };

    private readonly Option<int?> _fineTune = new("--fine-tune")
    {
        Description = "Fine-tuning steps per block: kept weights are fitted to the dense model, masks stay fixed; 0 for none. [default: 0, with --recipe best 800]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(0),
    };

    private readonly Option<string?> _allocate = new("--allocation")
    {
        Description = "Distribution of the kept weights, at the same total: uniform; among the layers by outliers (owl) or by output error (error); or among the experts of each layer by output error (experts).",
        DefaultValueFactory = _ => "uniform",
    };

    public ExpertOptions()
    {
        Choice.AcceptOnly(_allocate, s_allocations.Keys);
        Choice.AcceptOnly(_compensate, "true", "false");
    }

    public void AddTo(Command command)
    {
        command.Add(_shrink);
        command.Add(_minTokens);
        command.Add(_refineRouter);
        command.Add(_compensate);
        command.Add(_fineTune);
        command.Add(_allocate);
    }

    /// <exception cref="UsageException">The target cannot be divided.</exception>
    public void Check(ParseResult parsed, SparsityTarget target)
    {
        if (target is NMTarget && parsed.GetValue(_allocate) is { } method and not "uniform")
        {
            throw new UsageException($"--allocation {method} has no effect with --sparsity {target}, which keeps the same share everywhere.");
        }
    }

    /// <summary>Applies the options over those of the recipe.</summary>
    public void Apply(ParseResult parsed, Method method, ExpansionBuilder<CausalLanguageModel> builder)
    {
        builder.WithSeed(method.Seed).WithExpertStatistics(new ExpertStatisticsOptions
        {
            Shrinkage = parsed.GetValue(_shrink) ?? method.Recipe.ExpertStatistics.Shrinkage,
            MinimumTokens = parsed.GetValue(_minTokens),
        });
        builder.Allocate(s_allocations[parsed.GetValue(_allocate)!]);
        if (parsed.GetValue(_refineRouter) is > 0 and int rounds)
        {
            builder.RefineRouter((method.Recipe.Refinement ?? new RouterRefinementOptions()) with { Rounds = rounds });
        }

        if (Compensates(parsed) is true)
        {
            builder.CompensateErrors(method.Recipe.Compensation);
        }

        if (parsed.GetValue(_fineTune) is > 0 and int steps)
        {
            builder.FineTune((method.Recipe.FineTuning ?? new FineTuningOptions()) with { Steps = steps });
        }
    }

    /// <summary>True if each layer's weights are divided among its experts.</summary>
    public bool AllocatesExperts(ParseResult parsed) => s_allocations[parsed.GetValue(_allocate)!].PerExpert;

    /// <summary>True if blocks are fine-tuned.</summary>
    public bool FineTunes(ParseResult parsed, ExpansionRecipe recipe) =>
        (parsed.GetValue(_fineTune) ?? recipe.FineTuning?.Steps ?? 0) > 0;

    /// <summary>The recipe without the parts that options turn off.</summary>
    public ExpansionRecipe Reduce(ParseResult parsed, ExpansionRecipe recipe) => recipe with
    {
        Refinement = parsed.GetValue(_refineRouter) is 0 ? null : recipe.Refinement,
        Compensation = Compensates(parsed) is false ? null : recipe.Compensation,
        FineTuning = parsed.GetValue(_fineTune) is 0 ? null : recipe.FineTuning,
    };

    /// <summary>Value of <c>--compensate</c>, true for the option alone; null if it is not given.</summary>
    private bool? Compensates(ParseResult parsed) =>
        parsed.GetResult(_compensate) is null ? null : parsed.GetValue(_compensate) is null or "true";

    private static Shrinkage? ParseShrinkage(ArgumentResult result)
    {
        switch (result.Tokens[0].Value)
        {
            case "off":
                return Shrinkage.Off;
            case "auto":
                return Shrinkage.HeldOut();
            case var text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double tokens) && double.IsFinite(tokens) && tokens >= 0:
                return Shrinkage.Fixed(tokens);
            case var text:
                result.AddError($"--shrink '{text}': must be off, auto or a number of tokens of at least 0.");
                return null;
        }
    }
}
