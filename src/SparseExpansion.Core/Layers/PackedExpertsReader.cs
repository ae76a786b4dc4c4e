using System.Globalization;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Dispatch;
using SparseExpansion.Execution.Errors;
using SparseExpansion.Internal.Torch;
using SparseExpansion.Quantization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SparseExpansion.Layers;

/// <summary>Reads packed experts from the arrays of a checkpoint.</summary>
internal static class PackedExpertsReader
{
    /// <summary>Restores the experts of a layer.</summary>
    /// <param name="layer">For messages.</param>
    /// <param name="shape">[experts, out_features, in_features].</param>
    /// <param name="tensors">The tensors from <see cref="PackedExperts.Tensors"/>.</param>
    /// <param name="quantized">True if they are codes.</param>
    public static PackedExperts Read(
        string layer, long[] shape, IReadOnlyDictionary<string, Tensor> tensors, bool quantized)
    {
        var experts = new List<PackedExpert>();
        try
        {
            long[] layout = ReadLayout(Require(layer, tensors, PackedExperts.LayoutName));
            WeightQuantization? quantization = quantized ? ReadQuantization(layer, layout) : null;
            IReadOnlyList<string> names = PackedExpert.NamesOf(quantization);
            if (layout.Length != (quantized ? 4 : 2)
                || layout[..2].Concat(shape).Any(size => size is < 1 or > int.MaxValue)
                || tensors.Count != shape[0] * names.Count + 1)
            {
                throw new CheckpointException(
                    $"The packed experts of layer '{layer}' are not {shape[0]} in number, or have a malformed layout.");
            }

            for (int e = 0; e < shape[0]; e++)
            {
                Tensor[] arrays = [.. names.Select(name => Require(layer, tensors, PackedExperts.ArrayName(e, name)))];
                experts.Add(FromArrays(layer, e, shape, layout, quantization, arrays));
            }

            return new PackedExperts([.. experts], null);
        }
        catch
        {
            experts.ForEach(expert => expert.Dispose());
            throw;
        }
    }

    private static WeightQuantization ReadQuantization(string layer, long[] layout)
    {
        WeightQuantization? known = layout switch
        {
            [_, _, 2 or 3 or 4 or 8, 0] => new WeightQuantization { Bits = (int)layout[2], GroupSize = null },
            [_, _, 2 or 3 or 4 or 8, 64 or 128] =>
                new WeightQuantization { Bits = (int)layout[2], GroupSize = (int)layout[3] },
            _ => null,
        };
        return known ?? throw new CheckpointException(
            $"The quantized experts of layer '{layer}' have a layout that this version does not know: "
            + $"[{string.Join(", ", layout)}].");
    }

    private static PackedExpert FromArrays(
        string layer, int expert, long[] shape, long[] layout, WeightQuantization? quantization, Tensor[] arrays)
    {
        try
        {
            return PackedExpert.FromArrays(
                (int)shape[1], (int)shape[2], (int)layout[0], (int)layout[1], quantization, arrays);
        }
        catch (CheckpointException error)
        {
            throw new CheckpointException($"Expert {expert} of layer '{layer}': {PlainMessage.Clause(error)}", error);
        }
    }

    private static long[] ReadLayout(Tensor layout) =>
        layout.dtype == ScalarType.Int64 ? layout.data<long>().ToArray() : [];

    private static Tensor Require(string layer, IReadOnlyDictionary<string, Tensor> tensors, string name) =>
        tensors.TryGetValue(name, out Tensor? found)
            ? found
            : throw new CheckpointException($"The packed experts of layer '{layer}' lack the array '{name}'.");
}
