namespace SparseExpansion;

/// <summary>The targets of an expansion, or one pattern of several, match no linear layer of the model.</summary>
public sealed class NoMatchingLayerException : SparseExpansionException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Names the targets and says what there is instead.</param>
    /// <param name="unmatched">The patterns that match no layer, or a description of the targets.</param>
    /// <param name="layers">Module paths of all linears that could have been matched.</param>
    public NoMatchingLayerException(string message, string unmatched, IReadOnlyList<string> layers) : base(message) =>
        (Unmatched, Layers) = (unmatched, layers);

    /// <summary>The patterns that match no layer, or a description of the targets.</summary>
    public string Unmatched { get; }

    /// <summary>Module paths of all linears that are not expanded yet, in the order of the model.</summary>
    public IReadOnlyList<string> Layers { get; }
}
