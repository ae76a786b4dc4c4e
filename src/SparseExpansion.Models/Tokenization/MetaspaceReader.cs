using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Tokenization.Patterns;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Reads a "Metaspace" of tokenizer.json, which writes a visible mark for each blank.</summary>
internal static class MetaspaceReader
{
    public static PreTokenizer Read(ConfigObject node)
    {
        string mark = node.RequiredString("replacement");
        bool oldPrefix = node.Bool("add_prefix_space", true);
        string scheme = node.OptionalString("prepend_scheme") ?? (oldPrefix ? "always" : "never");
        bool split = node.Bool("split", true);
        node.Skip("str_rep");
        if (scheme is not ("always" or "first" or "never"))
        {
            throw node.Error("prepend_scheme", $"is '{scheme}'; supported are always, first and never");
        }

        TextMatcher pattern = TextPattern.Make(TextPattern.Escape(mark), node);
        return (text, first) =>
        {
            string marked = text.Replace(" ", mark, StringComparison.Ordinal);
            bool prepend = scheme == "always" || (scheme == "first" && first);
            marked = prepend && !marked.StartsWith(mark, StringComparison.Ordinal) ? mark + marked : marked;
            return split ? PieceCutter.Cut(marked, pattern, PieceBehavior.MergedWithNext, invert: false) : [marked];
        };
    }
}
