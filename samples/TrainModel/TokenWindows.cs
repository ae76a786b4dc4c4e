using static TorchSharp.torch;

namespace TrainModel;

/// <summary>Random windows of a token stream. Half of them begin with a document, behind the start token, as a prompt does.</summary>
internal sealed class TokenWindows
{
    private readonly int[] _tokens;
    private readonly int[] _documents;
    private readonly int _start;
    private readonly Random _random;

    /// <param name="tokens">The stream.</param>
    /// <param name="start">Id of the start token.</param>
    /// <param name="end">Id of the token behind each document.</param>
    /// <param name="seed">Seed of the choice.</param>
    public TokenWindows(int[] tokens, int start, int end, int seed)
    {
        (_tokens, _start, _random) = (tokens, start, new Random(seed));

        // Behind the end token comes the line break of its line; the next document begins behind that.
        _documents = [.. Enumerable.Range(0, tokens.Length - 2).Where(i => tokens[i] == end).Select(i => i + 2)];
    }

    /// <summary>Windows [batch, length + 1], int64: inputs and, one place on, targets.</summary>
    public Tensor Draw(int batch, int length)
    {
        var windows = new long[batch, length + 1];
        for (int row = 0; row < batch; row++)
        {
            bool document = _random.Next(2) == 0;
            int position = document ? _documents[_random.Next(_documents.Length)] : _random.Next(_tokens.Length);
            int column = 0;
            if (document)
            {
                windows[row, column++] = _start;
            }

            for (; column <= length; column++)
            {
                windows[row, column] = _tokens[position++ % _tokens.Length];
            }
        }

        return tensor(windows);
    }
}
