using System.Text;
using System.Text.RegularExpressions;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization.AddedTokens;

/// <summary>Cuts a text at added tokens: leftmost first, the longest where several start together.</summary>
internal sealed class AddedTokenFinder
{
    private readonly Regex? _pattern;
    private readonly Dictionary<string, AddedToken> _tokens = new(StringComparer.Ordinal);

    /// <param name="tokens">The tokens.</param>
    /// <param name="normalize">Turns their contents into their form in the searched text.</param>
    public AddedTokenFinder(IEnumerable<AddedToken> tokens, Func<string, string> normalize)
    {
        foreach (AddedToken token in tokens)
        {
            _tokens.TryAdd(normalize(token.Content), token);
        }

        _tokens.Remove("");
        if (_tokens.Count > 0)
        {
            IEnumerable<string> longestFirst = _tokens.Keys.OrderByDescending(content => content.Length)
                .Select(Regex.Escape);
            _pattern = new Regex(string.Join('|', longestFirst), RegexOptions.CultureInvariant);
        }
    }

    /// <summary>The pieces in order: text, or a token.</summary>
    public IEnumerable<(string Text, AddedToken? Token)> Cut(string text)
    {
        int done = 0;
        for (Match? match = _pattern?.Match(text); match is { Success: true }; match = match.NextMatch())
        {
            AddedToken token = _tokens[match.Value];
            if (token.SingleWord && !StandsAlone(text, match.Index, match.Index + match.Length))
            {
                continue;
            }

            string before = text[done..Math.Max(done, match.Index)];
            before = token.StripLeft ? before.TrimEnd() : before;
            if (before.Length > 0)
            {
                yield return (before, null);
            }

            yield return (match.Value, token);
            done = match.Index + match.Length;
            while (token.StripRight && done < text.Length && char.IsWhiteSpace(text[done]))
            {
                done++;
            }
        }

        if (done < text.Length)
        {
            yield return (text[done..], null);
        }
    }

    private static bool StandsAlone(string text, int start, int end)
    {
        Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out Rune before, out int read);
        bool afterWord = read > 0 && UnicodeProperties.WordWithJoiners.Contains(before.Value);
        Rune.DecodeFromUtf16(text.AsSpan(end), out Rune behind, out read);
        return !afterWord && !(read > 0 && UnicodeProperties.WordWithJoiners.Contains(behind.Value));
    }
}
