using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using SparseExpansion.Calibration;
using static TorchSharp.torch;

namespace SparseExpansion.Expansion;

/// <summary>A fingerprint of calibration data.</summary>
internal static class CalibrationHash
{
    public static string Compute(IEnumerable<CalibrationBatch> batches)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (CalibrationBatch batch in batches)
        {
            Append(hash, batch.Input);
            if (batch.Mask is not null)
            {
                Append(hash, batch.Mask);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        hash.AppendData(Encoding.ASCII.GetBytes($"{tensor.dtype}[{string.Join(',', tensor.shape)}]"));
        hash.AppendData(MemoryMarshal.AsBytes(tensor.cpu().contiguous().bytes));
    }
}
