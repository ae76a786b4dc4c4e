namespace SparseExpansion.Cli.Hosting;

/// <summary>Shortens module paths.</summary>
internal static class ModulePath
{
    private const char Cut = '…';

    /// <summary>
    /// Shortens <c>model.layers.0.mlp.up_proj</c> to <c>…0.mlp.up_proj</c>; keeps a path without a number.
    /// </summary>
    public static string FromBlock(string path)
    {
        string[] parts = path.Split('.');
        int block = Array.FindIndex(parts, part => part.Length > 0 && part.All(char.IsAsciiDigit));
        return block > 0 ? $"{Cut}{string.Join('.', parts[block..])}" : path;
    }

    /// <summary>The last parts of a path.</summary>
    public static string Last(string path, int parts) => string.Join('.', path.Split('.').TakeLast(parts));

    /// <summary>
    /// Cuts a path to a number of characters, keeping its beginning and its end, which is the most informative part.
    /// </summary>
    public static string Shorten(string text, int length)
    {
        int head = Math.Max(0, (length - 1) / 2);
        int tail = Math.Max(0, length - 1 - head);
        return text.Length <= length ? text : $"{text[..head]}{Cut}{text[^tail..]}";
    }
}
