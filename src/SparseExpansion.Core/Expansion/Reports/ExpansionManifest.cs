namespace SparseExpansion.Expansion.Reports;

/// <summary>Everything that decides an expansion's outcome: what to repeat to get the same experts.</summary>
public sealed record ExpansionManifest
{
    /// <summary>Version of SparseExpansion.Core.</summary>
    public required string Version { get; init; }

    /// <summary>Version of TorchSharp.</summary>
    public required string TorchSharpVersion { get; init; }

    /// <summary>Name of the pruner.</summary>
    public required string Pruner { get; init; }

    /// <summary>Sparsity asked for, as <c>0.5</c> or <c>2:4</c>.</summary>
    public required string Sparsity { get; init; }

    /// <summary>Name of the router trainer.</summary>
    public required string Router { get; init; }

    /// <summary>Options of router trainer and pruner as text.</summary>
    public required string Settings { get; init; }

    /// <summary>Description of the linears that were chosen, in words.</summary>
    public required string Targets { get; init; }

    /// <summary>Seed.</summary>
    public required long Seed { get; init; }

    /// <summary>Inputs that later layers of a block were calibrated on.</summary>
    public required BlockInputs WithinBlock { get; init; }

    /// <summary>Number of calibration batches.</summary>
    public required int Batches { get; init; }

    /// <summary>Shape of the first calibration batch; [batch, context] for token ids.</summary>
    public required IReadOnlyList<long> BatchShape { get; init; }

    /// <summary>
    /// SHA-256 over shapes, dtypes and bytes of all calibration inputs and masks, in lower-case hexadecimal.
    /// </summary>
    public required string CalibrationHash { get; init; }

    /// <summary>Exact share of zeros of each expanded layer.</summary>
    public required IReadOnlyDictionary<string, double> LayerSparsity { get; init; }
}
