namespace SparseExpansion.Models.Generation;

/// <summary>Runs a model until all sequences of a batch have ended.</summary>
internal static class TokenLoop
{
    /// <summary>The tokens of a batch as they come; in each step one for each sequence that goes on.</summary>
    /// <param name="request">The source of logits, and options.</param>
    /// <param name="prompts">The prompts.</param>
    /// <param name="isDone">Asked after each token with the number of the sequence; true ends the sequence there.</param>
    /// <param name="cancellationToken">Looked at before each step.</param>
    /// <returns>Number of the sequence, and its next token; null where a token ended the text.</returns>
    public static IEnumerable<(int Sequence, GeneratedToken? Token)> Run(
        GenerationRequest request, IReadOnlyList<IReadOnlyList<int>> prompts, Func<int, bool> isDone,
        CancellationToken cancellationToken)
    {
        SequenceSampler[] samplers = [.. prompts.Select(request.Sampler)];
        using ISequenceBatch batch = request.Source.Begin(prompts);
        List<int> running = [.. Enumerable.Range(0, prompts.Count)];
        for (int count = 0; count < request.Options.MaxNewTokens && running.Count > 0; count++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            batch.Advance();
            var kept = new List<int>();
            for (int row = 0; row < running.Count; row++)
            {
                int sequence = running[row];
                GeneratedToken token = samplers[sequence].Next(batch.Logits(row));
                bool isEnd = samplers[sequence].IsEnd(token.Id);
                batch.Append(row, token.Id);
                yield return (sequence, isEnd ? null : token);
                if (!isEnd && !isDone(sequence))
                {
                    kept.Add(row);
                }
            }

            batch.Keep(kept);
            running = [.. kept.Select(row => running[row])];
        }
    }
}
