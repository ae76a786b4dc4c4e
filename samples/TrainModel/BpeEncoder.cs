using System.Text.RegularExpressions;
using TrainingData;

namespace TrainModel;

/// <summary>Text to ids; remembers the words it has seen.</summary>
internal sealed class BpeEncoder
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<(string Left, string Right), int> _ranks;
    private readonly Dictionary<string, int[]> _known = [];

    public BpeEncoder(BpeVocabulary vocabulary)
    {
        _ids = vocabulary.Tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id);
        _ranks = vocabulary.Merges.Select((merge, rank) => (merge, rank)).ToDictionary(pair => pair.merge, pair => pair.rank);
    }

    /// <summary>Start token, tokens and end token of all documents, one after the other.</summary>
    public int[] Encode(string text, int start, int end)
    {
        var ids = new List<int>();
        foreach (string document in text.Split(Corpus.Separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            ids.Add(start);
            foreach (Match word in BpeTrainer.Word().Matches(document))
            {
                ids.AddRange(EncodeWord(word.Value));
            }

            ids.Add(end);
        }

        return [.. ids];
    }

    private int[] EncodeWord(string word)
    {
        if (!_known.TryGetValue(word, out int[]? ids))
        {
            _known[word] = ids = [.. Split(ByteAlphabet.Encode(word)).Select(piece => _ids[piece])];
        }

        return ids;
    }

    private List<string> Split(string word)
    {
        List<string> pieces = [.. word.Select(character => character.ToString())];
        while (true)
        {
            int best = -1;
            int bestRank = int.MaxValue;
            for (int i = 1; i < pieces.Count; i++)
            {
                if (_ranks.TryGetValue((pieces[i - 1], pieces[i]), out int rank) && rank < bestRank)
                {
                    (best, bestRank) = (i, rank);
                }
            }

            if (best < 0)
            {
                return pieces;
            }

            pieces[best - 1] += pieces[best];
            pieces.RemoveAt(best);
        }
    }
}
