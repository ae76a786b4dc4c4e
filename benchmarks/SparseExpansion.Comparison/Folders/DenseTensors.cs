using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Comparison.Folders;

/// <summary>Tensors of random weights of a dense model, or what is dense of an expanded one.</summary>
/// <param name="type">float32 or bfloat16.</param>
/// <param name="seed">Seed of the weights.</param>
internal sealed class DenseTensors(ElementType type, uint seed)
{
    private readonly RandomWeights _random = new(seed);

    /// <summary>The norms of a model.</summary>
    public IEnumerable<SafetensorsContent> Norms(ModelShape shape)
    {
        yield return Ones("model.norm.weight", shape.Hidden);
        for (int block = 0; block < shape.Blocks; block++)
        {
            string prefix = $"model.layers.{block}.";
            yield return Ones($"{prefix}input_layernorm.weight", shape.Hidden);
            yield return Ones($"{prefix}post_attention_layernorm.weight", shape.Hidden);
        }
    }

    /// <summary>A matrix of random weights, made when it is written.</summary>
    public SafetensorsContent Matrix(DenseMatrix weight) => new(
        ExpandedTensorNames.Weight(weight.Module), type, [weight.Rows, weight.Columns],
        stream =>
        {
            float[] row = new float[weight.Columns];
            for (int r = 0; r < weight.Rows; r++)
            {
                _random.Fill(row);
                TensorPrimitives.Multiply(row, weight.Gain, row);
                Write(stream, row);
            }
        });

    private SafetensorsContent Ones(string name, int length) =>
        new(name, type, [length], stream => Write(stream, [.. Enumerable.Repeat(1f, length)]));

    private void Write(Stream stream, float[] values)
    {
        if (type == ElementType.BFloat16)
        {
            stream.Write(MemoryMarshal.AsBytes(Array.ConvertAll(values, BFloat16Bits.Round).AsSpan()));
        }
        else
        {
            stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        }
    }
}
