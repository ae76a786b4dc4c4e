using System.Security.Cryptography;

namespace SparseExpansion.Expansion.Checkpoints;

/// <summary>A file in a journal.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Sha256">SHA-256 of its content, in lower-case hexadecimal.</param>
internal sealed record StoredFile(string Name, string Sha256)
{
    public static StoredFile Of(string folder, string name) => new(name, Hash(Path.Combine(folder, name)));

    /// <exception cref="CheckpointException">The content is another one.</exception>
    public void Check(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path) || Hash(path) != Sha256)
        {
            throw new CheckpointException(
                $"{path}: is missing or not what was written; remove the folder {folder} to begin anew.");
        }
    }

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
