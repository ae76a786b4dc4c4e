using System.Text;
using System.Text.RegularExpressions;
using SparseExpansion.Execution.Errors;

namespace SparseExpansion.Models.Tokenization.Patterns;

/// <summary>
/// Finds the matches of a pattern as Oniguruma would: characters beyond U+FFFF are one character each.
/// </summary>
internal sealed class TextMatcher
{
    private const int MostCharacters = 1 << 16;
    private const int MostTranslated = 1 << 20;

    /// <summary>Bounds what a hostile pattern can cost.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly string _pattern;
    private readonly StandIns _standIns;
    private readonly Regex _regex;

    /// <param name="pattern">The pattern.</param>
    /// <exception cref="PatternException">It is malformed or asks for something unsupported.</exception>
    public TextMatcher(string pattern)
    {
        if (pattern.Length > MostCharacters)
        {
            throw new PatternException($"has {pattern.Length} characters; at most {MostCharacters} are supported");
        }

        PatternPart[] parts = PatternParser.Parse(pattern);
        _pattern = pattern;
        _standIns = new StandIns(parts.Where(part => part.Class is not null).Select(part => part.Class!.Named));
        try
        {
            _regex = new Regex(Join(parts), RegexOptions.CultureInvariant | RegexOptions.Compiled, Timeout);
        }
        catch (ArgumentException error)
        {
            throw new PatternException($"is not accepted by .NET: {PlainMessage.Clause(error)}");
        }
    }

    /// <summary>The matches in order. Empty ones count, but not right after another.</summary>
    /// <exception cref="CheckpointException">The pattern takes too long on this text.</exception>
    public IEnumerable<(int Start, int End)> Matches(string text)
    {
        (string searched, int[]? positions) = _standIns.Replace(text);
        int last = -1;
        for (Match match = Guard(() => _regex.Match(searched)); match.Success; match = Guard(match.NextMatch))
        {
            int end = match.Index + match.Length;
            if (match.Length > 0 || end != last)
            {
                yield return (positions?[match.Index] ?? match.Index, positions?[end] ?? end);
            }

            last = end;
        }
    }

    /// <summary>The text with each match replaced.</summary>
    public string Replace(string text, string content)
    {
        var result = new StringBuilder(text.Length);
        int done = 0;
        foreach ((int start, int end) in Matches(text))
        {
            result.Append(text, done, start - done).Append(content);
            done = end;
        }

        return done == 0 && result.Length == 0 ? text : result.Append(text, done, text.Length - done).ToString();
    }

    private string Join(PatternPart[] parts)
    {
        var text = new StringBuilder();
        foreach (PatternPart part in parts)
        {
            text.Append(part.Class is { } characters ? _standIns.Spell(characters) : part.Text);
            if (text.Length > MostTranslated)
            {
                throw new PatternException("has too many classes");
            }
        }

        return text.ToString();
    }

    private Match Guard(Func<Match> find)
    {
        try
        {
            return find();
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new CheckpointException(
                $"The tokenizer's pattern '{_pattern}' takes longer than {error.MatchTimeout.TotalSeconds} s on this text; mend it in tokenizer.json.", error);
        }
    }
}
