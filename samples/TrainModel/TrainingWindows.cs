using static TorchSharp.torch;

namespace TrainModel;

/// <summary>Random windows of a token stream. Half of them begin with a document, as a prompt does.</summary>
internal sealed class TrainingWindows
{
    private readonly long[] _tokens;
    private readonly int[] _documents;
    private readonly Random _random;

    /// <param name="tokens">The stream.</param>
    /// <param name="start">Id of the token that begins each document.</param>
    /// <param name="seed">Seed of the choice.</param>
    public TrainingWindows(long[] tokens, int start, int seed)
    {
        (_tokens, _random) = (tokens, new Random(seed));
        _documents = [.. Enumerable.Range(0, tokens.Length).Where(i => tokens[i] == start)];
    }

    /// <summary>Windows [batch, length + 1], int64: inputs and, one place on, targets.</summary>
    public Tensor Draw(int batch, int length)
    {
        var windows = new long[batch, length + 1];
        for (int row = 0; row < batch; row++)
        {
            int position = _random.Next(2) == 0
                ? _documents[_random.Next(_documents.Length)]
                : _random.Next(_tokens.Length);
            for (int column = 0; column <= length; column++)
            {
                windows[row, column] = _tokens[(position + column) % _tokens.Length];
            }
        }

        return tensor(windows);
    }
}
