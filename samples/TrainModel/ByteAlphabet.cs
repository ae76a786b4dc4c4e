namespace TrainModel;

/// <summary>The printable characters that represent bytes in byte-level vocabularies, introduced by GPT-2.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_characters = Build();

    /// <summary>The 256 characters, in the order of the bytes.</summary>
    public static IReadOnlyList<char> Characters => s_characters;

    /// <summary>The characters for the UTF-8 bytes of a text.</summary>
    public static string Encode(ReadOnlySpan<char> text)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text.ToString());
        return string.Create(bytes.Length, bytes, (target, source) =>
        {
            for (int i = 0; i < target.Length; i++)
            {
                target[i] = s_characters[source[i]];
            }
        });
    }

    /// <summary>Printable bytes represent themselves; the others are characters from U+0100 on, in order.</summary>
    private static char[] Build()
    {
        var characters = new char[256];
        int next = 0x100;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[b] = (char)(printable ? b : next++);
        }

        return characters;
    }
}
