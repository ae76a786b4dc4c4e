namespace SparseExpansion.Execution.Expanded;

/// <summary>Checks that the parts of an <see cref="ExpandedIndex"/> fit each other; messages name the file.</summary>
internal static class ExpandedIndexCheck
{
    /// <exception cref="CheckpointException">It is of another version, or its parts do not fit.</exception>
    public static void Require(ExpandedIndex index, string path)
    {
        if (index.Format != ExpandedIndex.FormatName || index.Version != ExpandedIndex.CurrentVersion)
        {
            throw new CheckpointException(
                $"{path}: format '{index.Format}' version {index.Version} is unknown; "
                + $"this library reads '{ExpandedIndex.FormatName}' version {ExpandedIndex.CurrentVersion}.");
        }

        if (index.Routers.Any(router => router is null || router.Tensors.Any(name => name is null))
            || index.Layers.Any(layer => layer is null))
        {
            throw new CheckpointException($"{path}: a router, a layer or the name of a tensor is null.");
        }

        if (index.Routers.Any(router => router.Tensors.Distinct(StringComparer.Ordinal).Count() != router.Tensors.Count))
        {
            throw new CheckpointException($"{path}: a router names a tensor twice.");
        }

        if (index.Routers.Any(router => router.Experts < 1 || router.InputFeatures < 1))
        {
            throw new CheckpointException($"{path}: a router has no experts or no features.");
        }

        if (index.Layers.Select(layer => layer.Name).Distinct(StringComparer.Ordinal).Count() != index.Layers.Count)
        {
            throw new CheckpointException($"{path}: two layers have the same name.");
        }

        RequireQuantized(index, path);
        foreach (ExpandedLayerEntry layer in index.Layers)
        {
            if (layer.Router < 0 || layer.Router >= index.Routers.Count)
            {
                throw new CheckpointException(
                    $"{path}: layer '{layer.Name}' names router {layer.Router}, but there are {index.Routers.Count}.");
            }

            if (layer.Experts != index.Routers[layer.Router].Experts
                || layer.InFeatures != index.Routers[layer.Router].InputFeatures)
            {
                throw new CheckpointException(
                    $"{path}: layer '{layer.Name}' does not fit its router {layer.Router} in experts or features.");
            }
        }
    }

    private static void RequireQuantized(ExpandedIndex index, string path)
    {
        var names = new HashSet<string>(index.Layers.Select(layer => layer.Name), StringComparer.Ordinal);
        foreach (ExpandedQuantizedEntry? entry in index.Quantized ?? [])
        {
            if (entry is null)
            {
                throw new CheckpointException($"{path}: a quantized weight is null.");
            }

            if (!names.Add(entry.Name))
            {
                throw new CheckpointException($"{path}: '{entry.Name}' is there twice.");
            }

            if (entry.OutFeatures is < 1 or > int.MaxValue || entry.InFeatures is < 1 or > int.MaxValue
                || entry.Bits is not (2 or 3 or 4 or 8) || entry.GroupSize is not (0 or 64 or 128))
            {
                throw new CheckpointException(
                    $"{path}: quantized weight '{entry.Name}' is [{entry.OutFeatures}, {entry.InFeatures}] with {entry.Bits} bits in groups of {entry.GroupSize}; "
                    + "there are 2, 3, 4 and 8 bits, and groups of 64, 128 or 0 for the whole row.");
            }
        }
    }
}
