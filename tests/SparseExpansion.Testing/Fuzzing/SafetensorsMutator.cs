using System.Buffers.Binary;

namespace SparseExpansion.Testing.Fuzzing;

/// <summary>Changes safetensors files: the header by its structure with a length that fits, or any bytes.</summary>
public sealed class SafetensorsMutator
{
    private readonly JsonMutator _header = new(
        "\"F64\"", "\"F32\"", "\"BF16\"", "\"F16\"", "\"I64\"", "\"I32\"", "\"U8\"", "\"BOOL\"", "\"F8_E5M2\"", "[0,0]",
        "[0,8]", "[1]", "[0]", "[9223372036854775807]", "[4611686018427387904,4]", "[0,9223372036854775807]",
        "\"__metadata__\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"");

    /// <summary>A changed copy of a file.</summary>
    public byte[] Mutate(byte[] seed, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (random.Next(3) == 0)
        {
            return ByteMutator.Mutate(seed, random);
        }

        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(seed);
        byte[] header = _header.Mutate(seed[8..(8 + length)], random);
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        return [.. prefix, .. header, .. seed.AsSpan(8 + length)];
    }
}
