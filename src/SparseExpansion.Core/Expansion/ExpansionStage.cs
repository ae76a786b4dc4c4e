namespace SparseExpansion.Expansion;

/// <summary>What an expansion is doing.</summary>
public enum ExpansionStage
{
    /// <summary>Finding out which linears read the same tensor.</summary>
    Discovery,

    /// <summary>Running the model to see a group's inputs.</summary>
    Calibration,

    /// <summary>Training the group's router.</summary>
    Routing,

    /// <summary>Gathering statistics and pruning the experts.</summary>
    Pruning,

    /// <summary>Fitting the expanded block to the dense one.</summary>
    FineTuning,

    /// <summary>Running the expanded block to feed the next one.</summary>
    Propagation,

    /// <summary>Packing the block's experts, and storing them where that is asked for.</summary>
    Packing,

    /// <summary>All done.</summary>
    Finished,
}
