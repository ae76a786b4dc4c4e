using Microsoft.Extensions.Logging;
using SparseExpansion.Expansion.Blocks;

namespace SparseExpansion.Expansion.FineTuning;

/// <summary>Log messages of fine-tuning; their ids are documented with all others in docs/observability.md.</summary>
internal static partial class FineTuningLog
{
    [LoggerMessage(9, LogLevel.Information, "{Block}: fine-tuned from {Before:G4} to {After:G4}, by step {Kept} of {Steps}.")]
    public static partial void BlockFineTuned(
        ILogger logger, string block, double before, double after, int kept, int steps);
}
