using SparseExpansion.Cli.Hosting;
using SparseExpansion.Serialization;
using SparseExpansion.Transformers;

namespace SparseExpansion.Cli.Options;

/// <summary>Windows of token ids in a safetensors file, written <c>FILE:TENSOR</c>.</summary>
internal static class TokenFile
{
    private const int NamesShown = 8;

    /// <exception cref="UsageException">The file or the tensor in it does not exist.</exception>
    /// <exception cref="CheckpointException">The file is damaged, or the tensor contains no windows.</exception>
    public static TokenWindows Read(string value)
    {
        (string path, string name) = Split(value);
        return TokenWindows.FromSafetensors(path, name);
    }

    /// <summary>
    /// Cuts each window into shorter ones. None of them spans two old ones, whose texts may be unrelated.
    /// </summary>
    public static TokenWindows Shorten(TokenWindows windows, int width)
    {
        if (width == windows.Context)
        {
            return windows;
        }

        int pieces = windows.Context / width;
        var ids = new List<int>(windows.Count * pieces * width);
        for (int window = 0; window < windows.Count; window++)
        {
            foreach (long id in windows.Ids.Slice(window * windows.Context, pieces * width))
            {
                ids.Add((int)id);
            }
        }

        return TokenWindows.FromTokens(ids, width);
    }

    private static string Names(SafetensorsReader reader)
    {
        string[] shown = [.. reader.Entries.Keys.Order(StringComparer.Ordinal).Take(NamesShown)];
        int others = reader.Entries.Count - shown.Length;
        return (shown.Length, others) switch
        {
            (0, _) => "no tensors",
            (_, 0) => string.Join(", ", shown),
            _ => $"{string.Join(", ", shown)} and {others} more",
        };
    }

    private static (string Path, string Name) Split(string value)
    {
        int colon = value.LastIndexOf(':');
        bool hasName = colon > 0 && colon < value.Length - 1 && !File.Exists(value);
        string path = hasName ? value[..colon] : value.TrimEnd(':');
        if (!File.Exists(path))
        {
            throw new UsageException($"--tokens {value}: there is no file {path}.");
        }

        using SafetensorsReader reader = SafetensorsReader.Open(path);
        string names = Names(reader);
        if (!hasName)
        {
            throw new UsageException($"--tokens {value}: write FILE:TENSOR; the file has {names}.");
        }

        string name = value[(colon + 1)..];
        return reader.Entries.ContainsKey(name)
            ? (path, name)
            : throw new UsageException($"--tokens {value}: the file has no tensor '{name}'; it has {names}.");
    }
}
