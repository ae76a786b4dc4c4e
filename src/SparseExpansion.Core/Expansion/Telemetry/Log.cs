using Microsoft.Extensions.Logging;
using SparseExpansion.Expansion.Blocks;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Targets;

namespace SparseExpansion.Expansion.Telemetry;

/// <summary>
/// Log messages of an expansion. Their ids are documented in docs/observability.md and stay what they are.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Expanding {Layers} linear layers: router {Router}, pruner {Pruner}, sparsity {Sparsity}.")]
    public static partial void ExpansionStarted(
        ILogger logger, int layers, string router, string pruner, SparsityTarget sparsity);

    [LoggerMessage(2, LogLevel.Information, "{Layer}: {Experts} experts from {Tokens} tokens, sparsity {Sparsity:P2}, output error {OutputError:G3}.")]
    public static partial void LayerExpanded(
        ILogger logger, string layer, int experts, long tokens, double sparsity, double outputError);

    [LoggerMessage(3, LogLevel.Information, "Expanded {Layers} layers in {Seconds:F1} s.")]
    public static partial void ExpansionFinished(ILogger logger, int layers, double seconds);

    [LoggerMessage(4, LogLevel.Warning, "The expansion ended early ({Reason}); the model is as it was.")]
    public static partial void ExpansionUndone(ILogger logger, string reason);

    [LoggerMessage(5, LogLevel.Information, "Block {Block} is stored: {Layers} layers.")]
    public static partial void BlockStored(ILogger logger, int block, int layers);

    [LoggerMessage(6, LogLevel.Information, "Goes on with block {Block} of {Blocks}; those before it are stored.")]
    public static partial void ExpansionResumed(ILogger logger, int block, int blocks);
}
