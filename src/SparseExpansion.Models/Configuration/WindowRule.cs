namespace SparseExpansion.Models.Configuration;

/// <summary>The keys of sliding windows in a model type's configurations, and their meaning.</summary>
internal sealed record WindowRule
{
    /// <summary>A type without windows: one that would matter is refused.</summary>
    public static WindowRule None { get; } = new() { Exists = false };

    /// <summary>A window in all layers, or in none.</summary>
    public static WindowRule AllLayers { get; } = new() { IsUniform = true };

    /// <summary>False if no layer of this type has a window.</summary>
    public bool Exists { get; private init; } = true;

    /// <summary>True if layers cannot differ, so that <c>layer_types</c> must name one kind.</summary>
    public bool IsUniform { get; private init; }

    /// <summary>True if the window is off unless <c>use_sliding_window</c> is true.</summary>
    public bool NeedsSwitch { get; init; }

    /// <summary>The window in files that do not say.</summary>
    public int? Missing { get; init; }

    /// <summary>Layers that have the window, in files without <c>layer_types</c>.</summary>
    public Func<int, bool> IsSliding { get; init; } = _ => true;
}
