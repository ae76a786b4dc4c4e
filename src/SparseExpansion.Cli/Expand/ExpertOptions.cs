using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Allocation;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Refinement;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli;

/// <summary>What goes beyond the published method.</summary>
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
        Description = "How far the statistic of an expert leans on its layer's: off, auto (chosen by held-out tokens), or as many tokens as the layer shall count. [default: off]",
        HelpName = "off|auto|N",
        CustomParser = ParseShrinkage,
    };

    private readonly Option<int> _minTokens = new("--min-tokens")
    {
        Description = "Dissolve experts that fewer calibration tokens go to; 0 keeps all.",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
        CustomParser = ValueParsers.Integer(0),
    };

    private readonly Option<int?> _refineRouter = new("--refine-router")
    {
        Description = "Rounds in which routers learn from the errors of their experts; 0 leaves them as they are trained. [default: 0, with --recipe best 8]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(0),
    };

    private readonly Option<string?> _compensate = new("--compensate")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "Prune experts from weights that make up for what was lost before them. [default: false, with --recipe best true]",
    };

    private readonly Option<int?> _fineTune = new("--fine-tune")
    {
        Description = "Steps in which the kept weights of each block are fitted to the dense model, masks fixed; 0: none. [default: 0, with --recipe best 800]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(0),
    };

    private readonly Option<string?> _allocate = new("--allocation")
    {
        Description = "How the weights that stay are divided among the layers, at the same total: by outliers (owl), where the output error falls most (error), or so among the experts of each layer (experts).",
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
            throw new UsageException($"--allocation {method} has no meaning with --sparsity {target}, which keeps the same share everywhere.");
        }
    }

    /// <summary>Sets what the options ask for, over what the recipe has.</summary>
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
    public bool FineTunes(ParseResult parsed, ExpansionRecipe recipe) => (parsed.GetValue(_fineTune) ?? recipe.FineTuning?.Steps ?? 0) > 0;

    /// <summary>The recipe without what options switch off.</summary>
    public ExpansionRecipe Reduce(ParseResult parsed, ExpansionRecipe recipe) => recipe with
    {
        Refinement = parsed.GetValue(_refineRouter) is 0 ? null : recipe.Refinement,
        Compensation = Compensates(parsed) is false ? null : recipe.Compensation,
        FineTuning = parsed.GetValue(_fineTune) is 0 ? null : recipe.FineTuning,
    };

    /// <summary>What was asked for, the option alone being true; null: nothing.</summary>
    private bool? Compensates(ParseResult parsed) => parsed.GetResult(_compensate) is null ? null : parsed.GetValue(_compensate) is null or "true";

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
                result.AddError($"--shrink '{text}': it must be off, auto or a number of tokens of at least 0.");
                return null;
        }
    }
}
