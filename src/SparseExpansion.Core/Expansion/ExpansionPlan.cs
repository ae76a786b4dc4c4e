using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SparseExpansion.Calibration;
using SparseExpansion.Pruning;
using SparseExpansion.Routing;
using TorchSharp;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>What the builder has collected.</summary>
internal sealed record ExpansionPlan(nn.Module Model)
{
    public IReadOnlyList<nn.Module<Tensor, Tensor>> Blocks { get; init; } = [];

    public TargetFilter Targets { get; init; } = TargetFilter.All;

    public IRouterTrainer? Trainer { get; init; }

    public ISparsifier? Sparsifier { get; init; }

    public SparsityTarget? Target { get; init; }

    public IReadOnlyList<CalibrationBatch> Batches { get; init; } = [];

    public Func<Tensor, Tensor>? Forward { get; init; }

    public ExpansionOptions Options { get; init; } = new();

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public void Validate()
    {
        string? missing =
            Trainer is null ? "RouteWith"
            : Sparsifier is null ? "PruneWith"
            : Batches.Count == 0 ? "CalibrateOn"
            : Forward is null ? "ForwardWith (the model is no Module<Tensor, Tensor>)"
            : null;
        if (missing is not null)
        {
            throw new InvalidOperationException($"The expansion is incomplete: call {missing} before Run.");
        }
    }
}
