using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Internal.Files;
using SparseExpansion.Layers;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Rewrites the experts of a folder in another format. Knows no model: all it needs is in the files.</summary>
internal sealed class ExpandedModelConverter : IDisposable
{
    private readonly string _source;
    private readonly ExpertFormat _format;
    private readonly ExpandedIndex _index;
    private readonly SafetensorsReader _experts;
    private readonly List<IDisposable> _owned = [];

    public ExpandedModelConverter(string source, ExpertFormat format)
    {
        _source = Path.TrimEndingDirectorySeparator(Path.GetFullPath(source));
        _format = format;
        _index = ExpandedIndex.Read(source);
        _experts = SafetensorsReader.Open(Path.Combine(source, ExpandedTensorNames.ExpertsFile));
    }

    public void Write(string target, bool overwrite)
    {
        if (Path.TrimEndingDirectorySeparator(Path.GetFullPath(target)) == _source)
        {
            throw new CheckpointException($"{target}: is the model itself; name another folder.");
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using AtomicFolder output = AtomicFolder.Create(target, overwrite);
        var tensors = new Dictionary<string, TensorSource>(StringComparer.Ordinal);
        ExpandedLayerEntry[] layers = [.. _index.Layers.Select(layer => Convert(layer, tensors))];
        string[] prefixes = [.. _index.Layers.Select(layer => ExpandedTensorNames.Expert(layer.Name, ""))];
        foreach (string name in _experts.Entries.Keys
            .Where(name => !prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))))
        {
            tensors.Add(name, TensorSource.Of(name, _experts.Map(name)));
        }

        bool decodes = _format == ExpertFormat.Dense && _index.Quantized is { Count: > 0 };
        if (decodes)
        {
            Decode(output.Path, tensors);
        }

        SafetensorsWriter.WriteSources(Path.Combine(output.Path, ExpandedTensorNames.ExpertsFile), tensors);
        (_index with { Layers = layers, Quantized = decodes ? null : _index.Quantized }).Write(output.Path);
        CopyOthers(output.Path, decodes);
        output.Commit();
    }

    /// <summary>Writes the file of the model with the values of its codes, which leave the other tensors.</summary>
    private void Decode(string folder, Dictionary<string, TensorSource> tensors)
    {
        using SafetensorsReader model = SafetensorsReader.Open(Path.Combine(_source, ExpandedTensorNames.ModelFile));
        var dense = model.Entries.Keys.ToDictionary(name => name, name => TensorSource.Of(name, model.Map(name)));
        foreach (ExpandedQuantizedEntry entry in _index.Quantized!)
        {
            StoredRounding stored = StoredRounding.Open(entry, _experts);
            _owned.Add(stored);
            dense.Add(ExpandedTensorNames.Weight(entry.Name), stored.Values());
            tensors.Remove(ExpandedTensorNames.Codes(entry.Name));
            tensors.Remove(ExpandedTensorNames.Scales(entry.Name));
            tensors.Remove(ExpandedTensorNames.Zeros(entry.Name));
        }

        SafetensorsWriter.WriteSources(Path.Combine(folder, ExpandedTensorNames.ModelFile), dense);
    }

    private ExpandedLayerEntry Convert(ExpandedLayerEntry layer, Dictionary<string, TensorSource> tensors)
    {
        Dictionary<string, Tensor> stored = _experts.ReadAll(ExpandedTensorNames.Expert(layer.Name, ""), _experts.Map);
        ExpertWeights experts = ExpertStorage.Restore(
            layer.Storage, layer.Name, layer.Experts, layer.OutFeatures, layer.InFeatures, stored, share: true);
        _owned.Add(experts);
        StoredExperts converted = StoredExperts.Of(layer.Name, experts, _format);
        _owned.Add(converted);
        if (converted.Owned is not null)
        {
            // Packed anew; what is written lies in the former ones otherwise.
            Release(experts, stored.Values);
        }

        foreach ((string name, TensorSource tensor) in converted.Tensors)
        {
            tensors.Add(ExpandedTensorNames.Expert(layer.Name, name), tensor);
        }

        return layer with { Storage = converted.Kind };
    }

    /// <summary>A tensor that could not be mapped is a copy, and layers are many.</summary>
    private void Release(ExpertWeights experts, IEnumerable<Tensor> stored)
    {
        _owned.Remove(experts);
        experts.Dispose();
        foreach (Tensor tensor in stored)
        {
            tensor.Dispose();
        }
    }

    private void CopyOthers(string folder, bool withoutModel)
    {
        string[] written =
            [ExpandedIndex.FileName, ExpandedTensorNames.ExpertsFile, .. withoutModel ? [ExpandedTensorNames.ModelFile] : Array.Empty<string>()];
        try
        {
            foreach (string file in Directory.EnumerateFiles(_source)
                .Where(file => !written.Contains(Path.GetFileName(file), StringComparer.Ordinal)))
            {
                FileCopy.Replace(file, Path.Combine(folder, Path.GetFileName(file)));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{_source}: cannot be copied: {PlainMessage.Clause(e)}", e);
        }
    }

    public void Dispose()
    {
        _owned.ForEach(part => part.Dispose());
        _experts.Dispose();
    }
}
