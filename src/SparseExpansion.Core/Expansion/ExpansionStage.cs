namespace SparseExpansion.Expansion;

/// <summary>
/// A stage of an expansion, for progress and telemetry. Parts of an expansion may have stages of their own.
/// </summary>
public sealed record ExpansionStage
{
    internal ExpansionStage(string name) => Name = name;

    /// <summary>Finding out which linears read the same tensor.</summary>
    public static ExpansionStage Discovery { get; } = new(nameof(Discovery));

    /// <summary>Running the model to see a group's inputs.</summary>
    public static ExpansionStage Calibration { get; } = new(nameof(Calibration));

    /// <summary>Training the group's router.</summary>
    public static ExpansionStage Routing { get; } = new(nameof(Routing));

    /// <summary>Gathering statistics and pruning the experts.</summary>
    public static ExpansionStage Pruning { get; } = new(nameof(Pruning));

    /// <summary>Running the expanded block to feed the next one.</summary>
    public static ExpansionStage Propagation { get; } = new(nameof(Propagation));

    /// <summary>Packing the block's experts, and storing them where that is asked for.</summary>
    public static ExpansionStage Packing { get; } = new(nameof(Packing));

    /// <summary>All done.</summary>
    public static ExpansionStage Finished { get; } = new(nameof(Finished));

    /// <summary>The stage's name, such as <c>Pruning</c>.</summary>
    public string Name { get; }

    /// <summary>True while a block's experts are made.</summary>
    internal bool MakesExperts => this == Discovery || this == Calibration || this == Routing || this == Pruning;

    /// <summary>The stage's name.</summary>
    public override string ToString() => Name;
}
