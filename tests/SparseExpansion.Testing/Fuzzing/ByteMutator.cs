using System.Buffers.Binary;

namespace SparseExpansion.Testing.Fuzzing;

/// <summary>
/// Changes files without knowing their structure: flipped bits, cut, grown, spliced, and numbers at the limits of their
/// types.
/// </summary>
public static class ByteMutator
{
    private static readonly long[] Limits =
        [0, 1, -1, 8, int.MaxValue, uint.MaxValue, long.MaxValue, long.MinValue, 100_000_000, 100_000_001];

    /// <summary>A changed copy of a file.</summary>
    public static byte[] Mutate(byte[] seed, Random random)
    {
        ArgumentNullException.ThrowIfNull(seed);
        ArgumentNullException.ThrowIfNull(random);
        List<byte> bytes = [.. seed];
        for (int change = random.Next(1, 5); change > 0; change--)
        {
            Change(bytes, random);
        }

        return [.. bytes];
    }

    private static void Change(List<byte> bytes, Random random)
    {
        int at = random.Next(bytes.Count + 1);
        switch (random.Next(6))
        {
            case 0:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 1:
                bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), random.Next(1, 40)));
                break;
            case 2 when bytes.Count > 0:
                int length = random.Next(1, Math.Min(bytes.Count, 30) + 1);
                bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length));
                break;
            case 3 when bytes.Count >= 8:
                byte[] number = new byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(number, Limits[random.Next(Limits.Length)]);
                int start = random.Next(3) == 0 ? 0 : random.Next(bytes.Count - 7);
                bytes.RemoveRange(start, 8);
                bytes.InsertRange(start, number);
                break;
            default:
                if (at < bytes.Count)
                {
                    bytes[at] = (byte)(random.Next(2) == 0 ? bytes[at] ^ (1 << random.Next(8)) : random.Next(256));
                }

                break;
        }
    }
}
