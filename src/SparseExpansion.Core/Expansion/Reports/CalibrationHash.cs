using System.Security.Cryptography;
using SparseExpansion.Calibration;
using SparseExpansion.Internal.Torch;

namespace SparseExpansion.Expansion.Reports;

/// <summary>A fingerprint of calibration data.</summary>
internal static class CalibrationHash
{
    public static string Compute(IEnumerable<CalibrationBatch> batches)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (CalibrationBatch batch in batches)
        {
            TensorHash.Append(hash, batch.Input);
            if (batch.Mask is not null)
            {
                TensorHash.Append(hash, batch.Mask);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
