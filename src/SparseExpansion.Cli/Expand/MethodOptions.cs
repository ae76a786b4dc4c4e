using System.CommandLine;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;

namespace SparseExpansion.Cli;

/// <summary>How a model is expanded: sparsity, pruner, router, targets.</summary>
internal sealed class MethodOptions
{
    private const string PcaKMeans = "pca-kmeans";

    private static readonly Dictionary<string, Func<ISparsifier>> s_pruners = new()
    {
        ["sparsegpt"] = () => new SparseGptSparsifier(),
        ["wanda"] = () => new WandaSparsifier(),
        ["magnitude"] = () => new MagnitudeSparsifier(),
    };

    private static readonly Dictionary<string, Func<int, int, IRouterTrainer>> s_routers = new()
    {
        [PcaKMeans] = (experts, reduction) => new PcaKMeansTrainer(new PcaKMeansOptions { Experts = experts, PcaReduction = reduction }),
        ["kmeans"] = (experts, _) => new PcaKMeansTrainer(new PcaKMeansOptions { Experts = experts, PcaReduction = null }),
        ["random"] = (experts, _) => new RandomRouterTrainer(experts),
    };

    private readonly Option<SparsityTarget?> _sparsity = new("--sparsity")
    {
        Description = "Share of weights to remove, such as 0.5, or weights kept of each group, such as 2:4.",
        HelpName = "S",
        Required = true,
        CustomParser = ValueParsers.Sparsity,
    };

    private readonly Option<int> _experts = new("--experts")
    {
        Description = "Experts of a layer; 1 prunes without expanding.",
        HelpName = "N",
        DefaultValueFactory = _ => 16,
        CustomParser = ValueParsers.Integer(1),
    };

    private readonly Option<string> _router = new("--router")
    {
        Description = "How tokens find their expert; random is a control for experiments.",
        DefaultValueFactory = _ => PcaKMeans,
    };

    private readonly Option<int> _pcaReduction = new("--pca-reduction")
    {
        Description = $"With {PcaKMeans}: cluster in input features / N principal components.",
        HelpName = "N",
        DefaultValueFactory = _ => 32,
        CustomParser = ValueParsers.Integer(1),
    };

    private readonly Option<string> _pruner = new("--pruner")
    {
        Description = "What chooses the weights to remove.",
        DefaultValueFactory = _ => "sparsegpt",
    };

    private readonly Option<string[]> _targets = new("--targets")
    {
        Description = "Linear layers to expand, by module path (see 'inspect'); * stands for any characters. May be given several times.",
        HelpName = "GLOB",
        DefaultValueFactory = _ => ["*.mlp.*"],
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<int> _seed = CommonOptions.Seed();

    public MethodOptions()
    {
        _router.AcceptOnlyFromAmong([.. s_routers.Keys]);
        _pruner.AcceptOnlyFromAmong([.. s_pruners.Keys]);
    }

    public void AddTo(Command command)
    {
        command.Add(_sparsity);
        command.Add(_experts);
        command.Add(_router);
        command.Add(_pcaReduction);
        command.Add(_pruner);
        command.Add(_targets);
        command.Add(_seed);
    }

    /// <exception cref="UsageException">Options do not go together.</exception>
    public Method Read(ParseResult parsed)
    {
        string router = parsed.GetValue(_router)!;
        if (router != PcaKMeans && parsed.GetResult(_pcaReduction) is { Implicit: false })
        {
            throw new UsageException($"--pca-reduction has no meaning with --router {router}.");
        }

        return new Method(
            parsed.GetRequiredValue(_sparsity)!,
            s_routers[router](parsed.GetValue(_experts), parsed.GetValue(_pcaReduction)),
            s_pruners[parsed.GetValue(_pruner)!](),
            parsed.GetValue(_targets)!,
            parsed.GetValue(_seed));
    }
}
