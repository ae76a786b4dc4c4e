namespace SparseExpansion.Expansion.Memory;

/// <summary>Amount of memory that an expansion may take, and what it may use instead.</summary>
public sealed record MemoryBudget
{
    /// <summary>
    /// Bytes of memory on the device of the weights, for the whole process. Pages of mapped files do not count: the
    /// system takes them back when it needs them.
    /// </summary>
    public required long Bytes { get; init; }

    /// <summary>
    /// Folder on a disk for activations that do not fit into memory; nothing stays there. Default: the system's
    /// temporary folder, which on some systems is memory too.
    /// </summary>
    public string ScratchFolder { get; init; } = Path.GetTempPath();

    /// <summary>True if the dense weights lie in mapped files and take no memory of their own. Default false.</summary>
    public bool WeightsAreMapped { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentException">Names the property.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Bytes, 1, nameof(Bytes));
        ArgumentException.ThrowIfNullOrWhiteSpace(ScratchFolder, nameof(ScratchFolder));
    }
}
