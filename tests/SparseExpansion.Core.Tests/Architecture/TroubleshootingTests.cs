using SparseExpansion.Testing;

namespace SparseExpansion.Architecture;

public sealed class TroubleshootingTests
{
    /// <summary>docs/troubleshooting.md quotes nothing that the program does not say.</summary>
    [Fact]
    public void Troubleshooting_Quotes_StandInTheTables()
    {
        string said = string.Concat(MessageTable.Files.Select(File.ReadAllText));
        var quotes = new List<string>();
        bool inside = false;
        foreach (string line in File.ReadLines(Path.Combine(Repository.Root, "docs", "troubleshooting.md")))
        {
            bool fence = line.StartsWith("```", StringComparison.Ordinal);
            inside ^= fence;
            if (inside && !fence)
            {
                quotes.Add(line);
            }
        }

        Assert.True(quotes.Count > 20);
        Assert.All(quotes, quote => Assert.Contains(quote, said, StringComparison.Ordinal));
    }
}
