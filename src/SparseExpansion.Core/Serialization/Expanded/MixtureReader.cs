using SparseExpansion.Execution.Errors;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Layers;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Routers;
using static TorchSharp.torch;

namespace SparseExpansion.Serialization.Expanded;

/// <summary>Reads the parts of mixtures from a file, and the mixtures themselves.</summary>
/// <param name="index">The layers.</param>
/// <param name="names">Names of all tensors of the file.</param>
/// <param name="open">A tensor of the file by name, for the current dispose scope; packed experts keep its
/// memory.</param>
/// <param name="kinds">Kinds of routers.</param>
/// <param name="source">The file, for messages.</param>
internal sealed class MixtureReader(
    ExpandedIndex index, IEnumerable<string> names, Func<string, Tensor> open, RouterKinds kinds, string source)
{
    /// <summary>The layers.</summary>
    public ExpandedIndex Index => index;

    /// <summary>The file, for messages.</summary>
    public string Source => source;

    /// <summary>The experts of one layer as they are stored; the caller disposes them.</summary>
    public ExpertWeights ReadExperts(ExpandedLayerEntry entry)
    {
        using var scope = NewDisposeScope();
        string prefix = ExpandedTensorNames.Expert(entry.Name, "");
        Dictionary<string, Tensor> tensors = names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(name => name[prefix.Length..], open);
        return Named(() =>
            ExpertStorage.Restore(
                entry.Storage, entry.Name, entry.Experts, entry.OutFeatures, entry.InFeatures, tensors));
    }

    /// <summary>One of the index's routers; the caller disposes it.</summary>
    public IRouter ReadRouter(int position, Device device)
    {
        ExpandedRouterEntry entry = Index.Routers[position];
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = entry.Tensors.ToDictionary(
            name => name, name => open(ExpandedTensorNames.Router(position, name)).to(device));
        return Named(() => kinds.Restore(new RouterState(entry.Kind, entry.InputFeatures, entry.Experts, tensors)));
    }

    /// <summary>One of the index's layers; the caller disposes it.</summary>
    /// <param name="entry">The layer.</param>
    /// <param name="router">Its router.</param>
    /// <param name="dense">The weight that it replaces, whose dtype and device it gets.</param>
    public SparseMixtureLayer ReadMixture(ExpandedLayerEntry entry, SharedRouter router, Tensor dense)
    {
        using var scope = NewDisposeScope();
        ExpertWeights experts = ReadExperts(entry);
        try
        {
            experts = experts.ConvertTo(dense.dtype, dense.device);
            Tensor? bias = entry.Bias
                ? open(ExpandedTensorNames.Bias(entry.Name)).to(dense.device).to(dense.dtype)
                : null;
            CheckBias(entry, bias);
            return new SparseMixtureLayer(entry.Name, router, experts, bias);
        }
        catch
        {
            experts.Dispose();
            throw;
        }
    }

    private void CheckBias(ExpandedLayerEntry entry, Tensor? bias)
    {
        long[] expected = entry.ExpertBias ? [entry.Experts, entry.OutFeatures] : [entry.OutFeatures];
        if (bias is not null && !bias.shape.SequenceEqual(expected))
        {
            throw new CheckpointException(
                $"{Source}: tensor '{ExpandedTensorNames.Bias(entry.Name)}' is [{string.Join(", ", bias.shape)}], the index says [{string.Join(", ", expected)}].");
        }
    }

    /// <summary>Routers and layers do not know the file that they come from.</summary>
    private T Named<T>(Func<T> restore)
    {
        try
        {
            return restore();
        }
        catch (CheckpointException error)
        {
            throw new CheckpointException($"{Source}: {PlainMessage.Clause(error)}", error);
        }
    }
}
