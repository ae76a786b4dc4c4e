using SparseExpansion.Models.Tokenization.AddedTokens;
using SparseExpansion.Models.Tokenization.Pieces;

namespace SparseExpansion.Models.Tokenization;

/// <summary>
/// Makes a tokenizer of <c>tokenizer.model</c>, as Llama 2 and Mistral bring it, and the files beside it.
/// </summary>
internal static class SentencePieceReader
{
    private const char Mark = '\u2581';

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="named">Contents of the files beside it.</param>
    public static (TextCodec Codec, TextFrame Frame) Read(string path, SpecialTokens named)
    {
        SentencePieceFile file = SentencePieceFile.Read(path);
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < file.Pieces.Count; id++)
        {
            vocabulary.Add(file.Pieces[id].Text, id);
        }

        // The ids that are no text are found by their names, as in the text of a chat.
        var added = new AddedTokenTable(path, vocabulary);
        added.AddNamed(named, raw: true);
        added.AddNamed(new SpecialTokens { ConfigFile = path, Roles = [.. OwnRoles(file)] }, raw: true);

        bool eachPrefix = file.AddBlank && named.AddPrefixSpace && named.Legacy;
        bool firstPrefix = file.AddBlank && named.AddPrefixSpace && !named.Legacy;
        var codec = new TextCodec(
            new PieceMerger(file, vocabulary),
            vocabulary,
            added.Tokens,
            text => AddBlank(file, Normalize(file, text), eachPrefix),
            (text, first) => [AddBlank(file, text, firstPrefix && first && !text.StartsWith(Blank(file)))],
            DecoderReader.ForSentencePiece(
                Mark, start: file.AddBlank && named.AddPrefixSpace && !file.BlankAtEnd,
                end: file.AddBlank && named.AddPrefixSpace && file.BlankAtEnd));
        return (codec, TextFrame.OfSentencePiece(named, codec, file.BosId, file.EosId));
    }

    private static IEnumerable<AddedToken> OwnRoles(SentencePieceFile file) => file.Pieces
        .Where(piece => piece.Type is SentencePieceType.Control or SentencePieceType.Unknown)
        .Select(piece => new AddedToken(0, piece.Text, Special: true, Normalized: false, StripLeft: false, StripRight: false));

    private static char Blank(SentencePieceFile file) => file.EscapeBlanks ? Mark : ' ';

    private static string Normalize(SentencePieceFile file, string text)
    {
        if (file.RemoveExtraBlanks)
        {
            text = string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        return file.EscapeBlanks ? text.Replace(' ', Mark) : text;
    }

    private static string AddBlank(SentencePieceFile file, string text, bool add) =>
        !add || text.Length == 0 ? text : file.BlankAtEnd ? text + Blank(file) : Blank(file) + text;
}
