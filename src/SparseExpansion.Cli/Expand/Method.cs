using SparseExpansion.Expansion;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;

namespace SparseExpansion.Cli.Expand;

/// <summary>Settings of an expansion that the options choose.</summary>
internal sealed record Method(
    ExpansionRecipe Recipe, SparsityTarget Sparsity, IRouterTrainer Router, ISparsifier Pruner, string[] Targets,
    int Seed, int? Bits);
