using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace SparseExpansion.Internal.Torch;

/// <summary>Fingerprints of tensors: dtype, shape and bytes.</summary>
internal static class TensorHash
{
    private const long PieceElements = 1L << 24;

    /// <summary>Adds a tensor of any size on any device.</summary>
    public static void Append(IncrementalHash hash, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        hash.AppendData(Encoding.ASCII.GetBytes($"{tensor.dtype}[{string.Join(',', tensor.shape)}]"));
        Tensor flat = tensor.detach().contiguous().view(-1);
        for (long start = 0; start < flat.numel(); start += PieceElements)
        {
            using var pieceScope = NewDisposeScope();
            hash.AppendData(flat.narrow(0, start, Math.Min(PieceElements, flat.numel() - start)).cpu().bytes);
        }
    }

    /// <summary>SHA-256 over named tensors in ordinal order, in lower-case hexadecimal.</summary>
    public static string OfState(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Tensor tensor) in tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            Append(hash, tensor);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
