using Microsoft.Extensions.Logging;
using SparseExpansion.Pruning;

namespace SparseExpansion.Expansion;

/// <summary>Log messages of an expansion.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Expanding {Layers} linear layers: router {Router}, pruner {Pruner}, sparsity {Sparsity}.")]
    public static partial void ExpansionStarted(ILogger logger, int layers, string router, string pruner, SparsityTarget sparsity);

    [LoggerMessage(2, LogLevel.Information, "{Layer}: {Experts} experts from {Tokens} tokens, sparsity {Sparsity:P2}, output error {OutputError:G3}.")]
    public static partial void LayerExpanded(ILogger logger, string layer, int experts, long tokens, double sparsity, double outputError);

    [LoggerMessage(3, LogLevel.Information, "Expanded {Layers} layers in {Seconds:F1} s.")]
    public static partial void ExpansionFinished(ILogger logger, int layers, double seconds);

    [LoggerMessage(4, LogLevel.Warning, "The expansion ended early ({Reason}); the model is as it was.")]
    public static partial void ExpansionUndone(ILogger logger, string reason);
}
