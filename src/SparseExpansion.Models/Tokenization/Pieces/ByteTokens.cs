using System.Globalization;

namespace SparseExpansion.Models.Tokenization.Pieces;

/// <summary>
/// The tokens &lt;0x00&gt; … &lt;0xFF&gt;, and the characters that stand for bytes in byte-level vocabularies (GPT-2).
/// </summary>
internal static class ByteTokens
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly Dictionary<char, byte> Values =
        Characters.Select((character, value) => (character, value))
            .ToDictionary(item => item.character, item => (byte)item.value);

    /// <summary>The ids of the byte tokens, −1 where the vocabulary has none.</summary>
    public static int[] Find(IReadOnlyDictionary<string, int> vocabulary) =>
        [.. Enumerable.Range(0, 256).Select(value => vocabulary.TryGetValue($"<0x{value:X2}>", out int id) ? id : -1)];

    /// <summary>The byte that a token such as &lt;0x0A&gt; stands for.</summary>
    public static bool TryParse(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(
                token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The UTF-8 bytes of a text, each as its character.</summary>
    public static string ToCharacters(string text) =>
        string.Concat(System.Text.Encoding.UTF8.GetBytes(text).Select(value => Characters[value]));

    /// <summary>The bytes behind characters; text with characters that stand for no byte is taken as it is.</summary>
    public static byte[] FromCharacters(string token) => token.All(Values.ContainsKey)
        ? [.. token.Select(character => Values[character])]
        : System.Text.Encoding.UTF8.GetBytes(token);

    /// <summary>
    /// Printable Latin-1 characters stand for themselves, the other bytes for the characters from U+0100 on.
    /// </summary>
    private static char[] MakeCharacters()
    {
        char[] characters = new char[256];
        int next = 256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = (char)(printable ? value : next++);
        }

        return characters;
    }
}
