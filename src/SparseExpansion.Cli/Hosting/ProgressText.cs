namespace SparseExpansion.Cli.Hosting;

/// <summary>Description of the current activity.</summary>
/// <param name="Full">Full text.</param>
/// <param name="Shorter">Ever shorter forms, for narrow terminals.</param>
internal sealed record ProgressText(string Full, params string[] Shorter)
{
    public static implicit operator ProgressText(string full) => new(full);

    /// <summary>The first form that fits, or else the last one, truncated.</summary>
    public string Fit(int width) =>
        Shorter.Prepend(Full).FirstOrDefault(form => form.Length <= width) ?? ModulePath.Shorten(Shorter.LastOrDefault() ?? Full, width);
}
