namespace SparseExpansion.Cli;

/// <summary>What is being done, in words.</summary>
/// <param name="Full">All there is to say.</param>
/// <param name="Shorter">The same in fewer and fewer words, for narrow terminals.</param>
internal sealed record ProgressText(string Full, params string[] Shorter)
{
    public static implicit operator ProgressText(string full) => new(full);

    /// <summary>The first form that is short enough, or else the last one, cut.</summary>
    public string Fit(int width) => Shorter.Prepend(Full).FirstOrDefault(form => form.Length <= width) ?? ModulePath.Shorten(Shorter.LastOrDefault() ?? Full, width);
}
