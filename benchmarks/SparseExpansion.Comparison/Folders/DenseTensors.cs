using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Comparison.Folders;

/// <summary>Tensors of random weights of a dense model, or what is dense of an expanded one.</summary>
/// <param name="type">float32 or bfloat16.</param>
/// <param name="seed">Seed of the weights.</param>
internal sealed class DenseTensors(ElementType type, uint seed)
{
    /// <summary>Embeddings of deviation 2, larger than what the blocks add: tokens stay different in all blocks. With
    /// small ones the attention makes them all alike, and routers send them to one expert.</summary>
    private const float EmbeddingGain = 2 / RandomWeights.Deviation;

    private readonly RandomWeights _random = new(seed);

    /// <summary>Embedding, norms and head, and the blocks' linears where they are dense.</summary>
    public IEnumerable<SafetensorsContent> Of(ModelShape shape, bool linears)
    {
        yield return Matrix("model.embed_tokens.weight", shape.Vocabulary, shape.Hidden, EmbeddingGain);
        yield return Matrix("lm_head.weight", shape.Vocabulary, shape.Hidden);
        yield return Ones("model.norm.weight", shape.Hidden);
        for (int block = 0; block < shape.Blocks; block++)
        {
            string prefix = $"model.layers.{block}.";
            yield return Ones($"{prefix}input_layernorm.weight", shape.Hidden);
            yield return Ones($"{prefix}post_attention_layernorm.weight", shape.Hidden);
            foreach (LinearShape linear in linears ? shape.Linears : [])
            {
                yield return Matrix($"{prefix}{linear.Module}.weight", linear.Rows, linear.Columns, linear.Gain);
            }
        }
    }

    /// <summary>A matrix of random weights, made when it is written.</summary>
    public SafetensorsContent Matrix(string name, int rows, int columns, float gain = 1) => new(name, type, [rows, columns], stream =>
    {
        float[] row = new float[columns];
        for (int r = 0; r < rows; r++)
        {
            _random.Fill(row);
            TensorPrimitives.Multiply(row, gain, row);
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
