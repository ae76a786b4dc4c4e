using System.CommandLine;
using System.Globalization;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Cli.Options;
using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.Magnitude;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Pruning.Wanda;
using SparseExpansion.Quantization;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Routing.Routers;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Expand;

/// <summary>Options for the method: sparsity, pruner, router, targets.</summary>
internal sealed class MethodOptions
{
    private const string PcaKMeans = "pca-kmeans";
    private const string WholeRow = "row";
    private const string KMeans = "kmeans";
    private const string Random = "random";

    private static readonly Dictionary<string, ExpansionRecipe> s_recipes = new()
    {
        ["published"] = ExpansionRecipe.Published,
        ["best"] = LanguageModelRecipe.Best,
        ["fast"] = ExpansionRecipe.Fast,
    };

    private static readonly Dictionary<string, Func<ISparsifier>> s_pruners = new()
    {
        ["sparsegpt"] = () => new SparseGptSparsifier(),
        ["alps"] = () => new AlpsSparsifier(),
        ["wanda"] = () => new WandaSparsifier(),
        ["magnitude"] = () => new MagnitudeSparsifier(),
    };

    private readonly Option<string?> _recipe = new("--recipe")
    {
        Description = "Preset; other options change parts of it. published: the paper's method. best: k-means without PCA, alps, "
            + "--refine-router 8, --compensate, --fine-tune 800; the expansion takes many times longer, the model runs as fast. fast: 4 experts, for a first look.",
        DefaultValueFactory = _ => "published",
    };

    private readonly Option<SparsityTarget?> _sparsity = new("--sparsity")
    {
        Description = "Fraction of weights to remove, such as 0.5, or weights to keep of each group, such as 2:4.",
        HelpName = "S",
        Required = true,
        CustomParser = ValueParsers.Sparsity,
    };

    private readonly Option<int?> _experts = new("--experts")
    {
        Description = "Experts per layer; 1 prunes without expanding. [default: 16, with --recipe fast 4]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(1),
    };

    private readonly Option<string?> _router = new("--router")
    {
        Description = $"Router that assigns tokens to experts; random is a control for experiments. [default: {PcaKMeans}, with --recipe best kmeans]",
    };

    private readonly Option<int?> _pcaReduction = new("--pca-reduction")
    {
        Description = $"With {PcaKMeans}: number of principal components to cluster in, as input features / N. [default: 32]",
        HelpName = "N",
        CustomParser = ValueParsers.OptionalInteger(1),
    };

    private readonly Option<string?> _pruner = new("--pruner")
    {
        Description = "Method that selects the weights to remove. [default: sparsegpt, with --recipe best alps]",
    };

    private readonly Option<bool> _refit = new("--refit")
    {
        Description = "After pruning, refit the remaining weights of every row by least squares; the mask stays. alps always does.",
    };

    private readonly Option<int?> _bits = new("--bits")
    {
        Description = "Round the remaining weights to this many bits. [default: keep the model's precision]",
    };

    private readonly Option<string?> _quantGroup = new("--quant-group")
    {
        Description = $"With --bits: input features that share a scale, or {WholeRow} for a whole row.",
        DefaultValueFactory = _ => "128",
    };

    private readonly TargetsOption _targets = new("expand");
    private readonly Option<int> _seed = CommonOptions.Seed();

    public MethodOptions()
    {
        Choice.AcceptOnly(_recipe, s_recipes.Keys);
        Choice.AcceptOnly(_router, PcaKMeans, KMeans, Random);
        Choice.AcceptOnly(_pruner, s_pruners.Keys);
        Choice.AcceptOnly(_bits, 2, 3, 4, 8);
        Choice.AcceptOnly(_quantGroup, "64", "128", WholeRow);
    }

    public void AddTo(Command command)
    {
        command.Add(_sparsity);
        command.Add(_recipe);
        command.Add(_experts);
        command.Add(_router);
        command.Add(_pcaReduction);
        command.Add(_pruner);
        command.Add(_refit);
        command.Add(_bits);
        command.Add(_quantGroup);
        _targets.AddTo(command);
        command.Add(_seed);
    }

    /// <exception cref="UsageException">Options conflict.</exception>
    public Method Read(ParseResult parsed)
    {
        ExpansionRecipe recipe = s_recipes[parsed.GetValue(_recipe)!];
        return new Method(
            recipe,
            parsed.GetRequiredValue(_sparsity)!,
            ReadRouter(parsed, ((PcaKMeansTrainer)recipe.Router).Options),
            ReadPruner(parsed, recipe),
            _targets.Read(parsed),
            parsed.GetValue(_seed),
            parsed.GetValue(_bits));
    }

    private ISparsifier ReadPruner(ParseResult parsed, ExpansionRecipe recipe)
    {
        WeightQuantization? quantization = ReadQuantization(parsed);
        bool refit = parsed.GetValue(_refit);
        ISparsifier pruner = parsed.GetValue(_pruner) is { } name ? s_pruners[name]() : recipe.Pruner;
        if (refit && pruner is AlpsSparsifier)
        {
            throw new UsageException($"--refit has no effect with --pruner {pruner.Name}, which refits by itself.");
        }

        pruner = refit ? pruner.WithRefit() : pruner;
        return quantization is null ? pruner : pruner.WithQuantization(quantization);
    }

    private WeightQuantization? ReadQuantization(ParseResult parsed)
    {
        string group = parsed.GetValue(_quantGroup)!;
        if (parsed.GetValue(_bits) is { } bits)
        {
            return new WeightQuantization { Bits = bits, GroupSize = group == WholeRow ? null : int.Parse(group, CultureInfo.InvariantCulture) };
        }

        return parsed.GetResult(_quantGroup) is { Implicit: false }
            ? throw new UsageException("--quant-group has no effect without --bits.")
            : null;
    }

    /// <summary>The router of the options, or else of the recipe.</summary>
    private IRouterTrainer ReadRouter(ParseResult parsed, PcaKMeansOptions recipe)
    {
        int? reduction = parsed.GetValue(_pcaReduction);
        string router = parsed.GetValue(_router) ?? (recipe.UsesPca || reduction is not null ? PcaKMeans : KMeans);
        if (router != PcaKMeans && reduction is not null)
        {
            throw new UsageException($"--pca-reduction has no effect with --router {router}.");
        }

        PcaKMeansOptions options = recipe with { Experts = parsed.GetValue(_experts) ?? recipe.Experts };
        return router switch
        {
            Random => new RandomRouterTrainer(options.Experts),
            KMeans => new PcaKMeansTrainer(options with { PcaReduction = null }),
            _ => new PcaKMeansTrainer(options with { PcaReduction = reduction ?? recipe.PcaReduction ?? new PcaKMeansOptions().PcaReduction }),
        };
    }
}
