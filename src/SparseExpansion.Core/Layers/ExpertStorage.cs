using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Restores experts from the tensors of a checkpoint, by the name of their layout.</summary>
internal static class ExpertStorage
{
    /// <param name="kind">Name of the layout.</param>
    /// <param name="layer">For messages.</param>
    /// <param name="count">Number of experts.</param>
    /// <param name="outFeatures">Rows.</param>
    /// <param name="inFeatures">Columns.</param>
    /// <param name="tensors">The tensors from <see cref="ExpertWeights.Tensors"/>; packed ones are shared, not copied,
    /// and may lie in a mapped file.</param>
    /// <param name="share">True: dense ones are shared too, by experts that are only read.</param>
    /// <exception cref="CheckpointException">Unknown layout, or tensors that do not fit.</exception>
    public static ExpertWeights Restore(
        string kind, string layer, int count, long outFeatures, long inFeatures,
        IReadOnlyDictionary<string, Tensor> tensors, bool share = false) =>
        kind switch
        {
            MaskedDenseExperts.Kind =>
                MaskedDenseExperts.FromTensors(layer, [count, outFeatures, inFeatures], tensors, share),
            PackedExperts.Kind =>
                PackedExpertsReader.Read(layer, [count, outFeatures, inFeatures], tensors, quantized: false),
            PackedExperts.QuantizedKind =>
                PackedExpertsReader.Read(layer, [count, outFeatures, inFeatures], tensors, quantized: true),
            _ => throw new CheckpointException(
                $"The experts of layer '{layer}' are stored as '{kind}', which this version does not know."),
        };
}
