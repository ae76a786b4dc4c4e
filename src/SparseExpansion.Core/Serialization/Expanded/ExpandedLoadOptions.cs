using SparseExpansion.Routing.Routers;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Options for loading an expanded model.</summary>
public sealed record ExpandedLoadOptions
{
    /// <summary>Kinds of routers that may occur. Default: those of this library.</summary>
    public RouterKinds Routers { get; init; } = RouterKinds.Default;

    /// <summary>
    /// True (default): packed experts are used where they lie in the file, which is mapped into memory. Values are not
    /// copied, processes that run the same model hold it once, and experts that no token goes to are never read from
    /// disk. The file must not be changed or truncated while the model lives; replacing the folder as a whole, as
    /// <see cref="ExpandedModel.Save"/> does, is fine on Linux and refused on Windows. False: experts are copied into
    /// memory of their own, in 2 MB pages on Linux. Single tokens are multiplied at memory speed, so this can be faster
    /// where the system keeps files in 4 KB pages; on Linux 6.18 with ext4 both were within a few percent. Experts that
    /// must be converted to another dtype or device, and masked dense ones, are copied in any case.
    /// </summary>
    public bool MemoryMap { get; init; } = true;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentException"><see cref="Routers"/> is null.</exception>
    public void Validate()
    {
        if (Routers is null)
        {
            throw new ArgumentException($"{nameof(Routers)} must not be null.", nameof(Routers));
        }
    }
}
