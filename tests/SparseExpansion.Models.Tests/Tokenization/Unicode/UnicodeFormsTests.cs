using System.Globalization;
using System.IO.Compression;
using System.Text;
using CsCheck;

namespace SparseExpansion.Models.Tokenization.Unicode;

public sealed class UnicodeFormsTests
{
    private static readonly NormalizationForm[] Forms =
        [NormalizationForm.FormC, NormalizationForm.FormD, NormalizationForm.FormKC, NormalizationForm.FormKD];

    [Fact]
    public void Normalize_TheTestOfUnicode_Passes()
    {
        string[][] rows = [.. Rows()];
        Assert.True(rows.Length > 8000);
        foreach (string[] row in rows)
        {
            // The conformance conditions of NormalizationTest.txt: forms of the source and of its canonical forms agree, and so on.
            (string source, string c, string d, string kc, string kd) = (row[0], row[1], row[2], row[3], row[4]);
            Assert.All([source, c, d], text => Assert.Equal((c, d), (UnicodeForms.Normalize(text, NormalizationForm.FormC), UnicodeForms.Normalize(text, NormalizationForm.FormD))));
            Assert.Equal((kc, kc), (UnicodeForms.Normalize(kc, NormalizationForm.FormC), UnicodeForms.Normalize(kd, NormalizationForm.FormC)));
            Assert.All([source, c, d, kc, kd], text => Assert.Equal((kc, kd), (UnicodeForms.Normalize(text, NormalizationForm.FormKC), UnicodeForms.Normalize(text, NormalizationForm.FormKD))));
        }
    }

    [Fact]
    public void Normalize_CharactersThatTheTestOfUnicodeLeavesOut_AreTheirOwnForms()
    {
        HashSet<string> listed = [.. Rows().Select(row => row[0])];
        foreach (int code in Enumerable.Range(0, 0x110000).Where(code => code is not (>= 0xAC00 and <= 0xD7A3) and not (>= 0xD800 and <= 0xDFFF)))
        {
            string text = char.ConvertFromUtf32(code);
            if (!listed.Contains(text)
                && Array.Exists(Forms, form => !ReferenceEquals(text, UnicodeForms.Normalize(text, form))))
            {
                Assert.Fail($"U+{code:X4} changes");
            }
        }
    }

    [Fact]
    public void Normalize_KoreanSyllables_AreComposedAndDecomposed()
    {
        for (int code = 0xAC00; code <= 0xD7A3; code++)
        {
            string syllable = char.ConvertFromUtf32(code);
            string letters = UnicodeForms.Normalize(syllable, NormalizationForm.FormD);
            int index = code - 0xAC00;
            string expected = $"{(char)(0x1100 + (index / 588))}{(char)(0x1161 + (index % 588 / 28))}" + (index % 28 == 0 ? "" : (char)(0x11A7 + (index % 28)));
            Assert.Equal(expected, letters);
            Assert.Equal(syllable, UnicodeForms.Normalize(letters, NormalizationForm.FormC));
        }
    }

    [Fact]
    public void Normalize_AnyText_ComesOutNormalizedAndWhole()
    {
        string[] pieces =
        [
            "a", "e", "\u0301", "\u0323", "\u0345", "\u1100", "\u1161", "\u11A8", "\uAC00", "가", "é", "ﬁ", "Å",
            "\u0F71", "\u0F72", "\U0001D15E", "🙂", "ｶ", "\uFF9E", " ", "\u0928\u093C",
        ];
        Gen.Int[0, pieces.Length - 1].Array[0, 12].Select(parts => string.Concat(parts.Select(index => pieces[index])))
            .Sample(
            text =>
            {
                foreach (NormalizationForm form in Forms)
                {
                    string once = UnicodeForms.Normalize(text, form);
                    Assert.Same(once, UnicodeForms.Normalize(once, form));
                    Assert.Equal(once, UnicodeForms.Normalize("x" + text + "x", form)[1..^1]);
                    Assert.Equal(
                        UnicodeForms.Normalize(text, form),
                        UnicodeForms.Normalize(UnicodeForms.Normalize(text, NormalizationForm.FormD), form));
                }
            },
            iter: 3000, threads: 1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("plain ASCII")]
    [InlineData("I love you ❤️ so much.")]
    [InlineData("हिन्दी ไทย עברית العَرَبِيَّة 漢字 한국어 é")]
    public void Normalize_ComposedText_IsTheSameInstance(string text) =>
        Assert.Same(text, UnicodeForms.Normalize(text, NormalizationForm.FormC));

    [Fact]
    public void Normalize_EndlessMarks_TakesNoLongTime()
    {
        string marks = "a" + string.Concat(Enumerable.Repeat("\u0301\u0323", 200_000));
        Assert.StartsWith(
            "\u1EA1\u0323", UnicodeForms.Normalize(marks, NormalizationForm.FormC), StringComparison.Ordinal);
    }

    private static IEnumerable<string[]> Rows()
    {
        using var file = new GZipStream(
            File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Fixtures", "unicode", "normalization-test.txt.gz")),
            CompressionMode.Decompress);
        using var reader = new StreamReader(file);
        while (reader.ReadLine() is { } line)
        {
            string[] cells = line.Split(';');
            yield return [.. cells.Select(cell => ToText(cell.Length == 0 ? cells[0] : cell))];
        }
    }

    private static string ToText(string codes) =>
        string.Concat(codes.Split(' ').Select(code => char.ConvertFromUtf32(int.Parse(code, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))));
}
