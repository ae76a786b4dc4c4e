using System.Text;
using TrainingData.Domains;

namespace TrainingData;

/// <summary>Texts of many documents. Equal seeds give equal texts.</summary>
public static class Corpus
{
    /// <summary>The line between two documents.</summary>
    public const string Separator = "<|endoftext|>";

    /// <summary>The domains, in the order of tables.</summary>
    public static IReadOnlyList<Domain> Domains { get; } =
    [
        new("story", Stories.Write),
        new("dialogue", Dialogues.Write),
        new("recipe", Recipes.Write),
        new("weather", Weather.Write),
        new("arithmetic", Arithmetic.Write),
        new("table", Tables.Write),
        new("code", Code.Write),
        new("log", Logs.Write),
    ];

    /// <summary>Documents of all domains in random order, each domain with the same share of characters.</summary>
    /// <param name="seed">Random seed.</param>
    /// <param name="characters">Length of the text, at least.</param>
    public static string WriteMixed(int seed, int characters)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        var written = new int[Domains.Count];
        while (text.Length < characters)
        {
            // The domain with the fewest characters so far: documents of different lengths still get equal shares.
            int next = Enumerable.Range(0, written.Length).MinBy(i => written[i] + random.Next(2000));
            written[next] += Append(text, Domains[next].Write(random));
        }

        return text.ToString();
    }

    /// <summary>Documents of one domain.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="seed">Random seed.</param>
    /// <param name="characters">Length of the text, at least.</param>
    public static string WriteDomain(Domain domain, int seed, int characters)
    {
        ArgumentNullException.ThrowIfNull(domain);
        var random = new Random(seed);
        var text = new StringBuilder();
        while (text.Length < characters)
        {
            Append(text, domain.Write(random));
        }

        return text.ToString();
    }

    private static int Append(StringBuilder text, string document)
    {
        text.Append(document).Append('\n').Append(Separator).Append('\n');
        return document.Length;
    }
}
