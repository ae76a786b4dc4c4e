using System.Text;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Models.Tokenization.Unicode;

namespace SparseExpansion.Models.Tokenization;

/// <summary>Reads the "normalizer" of tokenizer.json into a function.</summary>
internal static class NormalizerReader
{
    public static Func<string, string> Read(ConfigObject? node)
    {
        if (node is null)
        {
            return text => text;
        }

        string type = node.RequiredString("type");
        Func<string, string> result = type switch
        {
            "Sequence" => TextPattern.Chain([.. node.Objects("normalizers").Select(Read)]),
            "Prepend" => Prepend(node.RequiredString("prepend")),
            "Replace" => TextPattern.ReadReplacement(node),
            "NFC" => text => UnicodeForms.Normalize(text, NormalizationForm.FormC),
            "NFD" => text => UnicodeForms.Normalize(text, NormalizationForm.FormD),
            "NFKC" => text => UnicodeForms.Normalize(text, NormalizationForm.FormKC),
            "NFKD" => text => UnicodeForms.Normalize(text, NormalizationForm.FormKD),
            "Lowercase" => UnicodeCasing.ToLower,
            _ => throw node.Error(
                "type", $"is '{type}'; supported are Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD and Lowercase"),
        };
        node.RequireAllUsed(TokenizerJsonReader.NoKeys);
        return result;
    }

    private static Func<string, string> Prepend(string start) => text => text.Length == 0 ? text : start + text;
}
