using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace TrainModel;

/// <summary>A byte-level BPE vocabulary.</summary>
/// <param name="Tokens">Special tokens, then the byte alphabet, then one token per merge; the index is the id.</param>
/// <param name="Merges">The pairs in the order of their application.</param>
internal sealed record BpeVocabulary(IReadOnlyList<string> Tokens, IReadOnlyList<(string Left, string Right)> Merges);

/// <summary>
/// Byte-pair encoding: merges the most frequent pair of neighbors until the vocabulary is full (Sennrich et al. 2016).
/// </summary>
internal static partial class BpeTrainer
{
    /// <summary>Learns a vocabulary.</summary>
    /// <param name="text">The text, without special tokens.</param>
    /// <param name="specialTokens">They get the first ids.</param>
    /// <param name="size">Number of tokens in all.</param>
    public static BpeVocabulary Train(string text, IReadOnlyList<string> specialTokens, int size)
    {
        List<string> tokens = [.. specialTokens, .. ByteAlphabet.Characters.Select(character => character.ToString())];
        var merges = new List<(string Left, string Right)>();
        (List<string> Pieces, int Count)[] words = CountWords(text);
        while (tokens.Count < size && MostFrequentPair(words) is { } pair)
        {
            merges.Add(pair);
            tokens.Add(pair.Left + pair.Right);
            foreach ((List<string> pieces, _) in words)
            {
                Merge(pieces, pair);
            }
        }

        return new BpeVocabulary(tokens, merges);
    }

    private static (List<string> Pieces, int Count)[] CountWords(string text)
    {
        var counts = new Dictionary<string, int>();
        var bySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (ValueMatch word in Word().EnumerateMatches(text))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(bySpan, text.AsSpan(word.Index, word.Length), out _)++;
        }

        return [.. counts.Select(word => (ByteAlphabet.Encode(word.Key).Select(c => c.ToString()).ToList(), word.Value))];
    }

    /// <summary>
    /// The pair that occurs most often, the ordinally first of several; null if no pair occurs twice.
    /// </summary>
    private static (string Left, string Right)? MostFrequentPair((List<string> Pieces, int Count)[] words)
    {
        var counts = new Dictionary<(string Left, string Right), int>();
        foreach ((List<string> pieces, int count) in words)
        {
            for (int i = 1; i < pieces.Count; i++)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, (pieces[i - 1], pieces[i]), out _) += count;
            }
        }

        // Digits stay apart, so that numbers are read digit by digit.
        return counts
            .Where(pair => pair.Value > 1)
            .Where(pair => !pair.Key.Left.Any(char.IsAsciiDigit) && !pair.Key.Right.Any(char.IsAsciiDigit))
            .OrderByDescending(pair => pair.Value)
            .ThenBy(pair => pair.Key.Left, StringComparer.Ordinal)
            .ThenBy(pair => pair.Key.Right, StringComparer.Ordinal)
            .Select(pair => ((string Left, string Right)?)pair.Key)
            .FirstOrDefault();
    }

    private static void Merge(List<string> pieces, (string Left, string Right) pair)
    {
        for (int i = 1; i < pieces.Count; i++)
        {
            if (pieces[i - 1] == pair.Left && pieces[i] == pair.Right)
            {
                pieces[i - 1] += pair.Right;
                pieces.RemoveAt(i);
            }
        }
    }

    /// <summary>The word boundaries of GPT-2, as <c>"ByteLevel"</c> in tokenizer.json.</summary>
    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    internal static partial Regex Word();
}
