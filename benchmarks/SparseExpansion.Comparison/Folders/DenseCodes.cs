using System.Runtime.InteropServices;
using SparseExpansion.Execution;
using SparseExpansion.Execution.Expanded;
using SparseExpansion.Execution.Safetensors;

namespace SparseExpansion.Comparison.Folders;

/// <summary>Dense weights in random codes, as docs/format.md describes them.</summary>
/// <param name="bits">Bits of a code.</param>
/// <param name="seed">Seed of the codes.</param>
internal sealed class DenseCodes(int bits, uint seed)
{
    private readonly RandomWeights _random = new(seed);

    /// <summary>The entry of a weight in <c>expansion.json</c>.</summary>
    public ExpandedQuantizedEntry Entry(DenseMatrix weight) =>
        new(weight.Module, weight.Rows, weight.Columns, bits, WeightStorage.GroupSize);

    /// <summary>The tensors of a weight.</summary>
    public IEnumerable<SafetensorsContent> Of(DenseMatrix weight)
    {
        RandomGrid grid = RandomGrid.Create(weight.Rows, weight.Columns, weight.Gain, bits, _random);
        long length = QuantizedWeight.CodeLength(weight.Rows, weight.Columns, bits),
            padding = QuantizedWeight.CodeLength(0, weight.Columns, bits);
        yield return new SafetensorsContent(
            ExpandedTensorNames.Codes(weight.Module), ElementType.Byte, [length],
            stream => Write(stream, length - padding, padding));
        long[] shape = [weight.Rows, grid.Groups];
        yield return SafetensorsContent.Of<ushort>(
            ExpandedTensorNames.Scales(weight.Module), ElementType.BFloat16, shape, grid.Scales);
        yield return SafetensorsContent.Of<byte>(
            ExpandedTensorNames.Zeros(weight.Module), ElementType.Byte, shape, grid.Zeros);
    }

    /// <summary>Random bytes are random codes of any number of bits.</summary>
    private void Write(Stream stream, long codes, long padding)
    {
        uint[] piece = new uint[1 << 14];
        Span<byte> bytes = MemoryMarshal.AsBytes(piece.AsSpan());
        for (long done = 0; done < codes; done += bytes.Length)
        {
            for (int i = 0; i < piece.Length; i++)
            {
                piece[i] = _random.NextBits();
            }

            stream.Write(bytes[..(int)Math.Min(bytes.Length, codes - done)]);
        }

        stream.Write(new byte[padding]);
    }
}
