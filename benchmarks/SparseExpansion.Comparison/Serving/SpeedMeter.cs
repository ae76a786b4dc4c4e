using System.Diagnostics;

namespace SparseExpansion.Comparison.Serving;

/// <summary>Tokens per second of a model; the same code for both sides of a comparison.</summary>
/// <param name="vocabulary">Tokens of the model.</param>
internal sealed class SpeedMeter(int vocabulary)
{
    private const int PromptTokens = 32;

    /// <summary>Tokens after the prompt that are not counted.</summary>
    private const int WarmTokens = 4;

    private readonly Random _random = new(1);

    /// <summary>Reading a prompt in one pass.</summary>
    public double Prefill(IServedModel model, int count)
    {
        int[] tokens = Tokens(count);
        model.Clear();
        long start = Stopwatch.GetTimestamp();
        Read(model, tokens);
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>One token after the other, behind a prompt. The tokens are random, so that routers choose other experts
    /// each time.</summary>
    public double Decode(IServedModel model, int count)
    {
        model.Clear();
        Read(model, Tokens(PromptTokens));
        for (int i = 0; i < WarmTokens; i++)
        {
            Read(model, Tokens(1));
        }

        int[] tokens = Tokens(count);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            Read(model, tokens.AsSpan(i, 1));
        }

        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Read(IServedModel model, ReadOnlySpan<int> tokens)
    {
        float logit = model.Read(tokens);
        if (!float.IsFinite(logit))
        {
            throw new InvalidOperationException($"A logit is {logit}: the model's weights are too large to be measured.");
        }
    }

    private int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.Next(vocabulary / 4, vocabulary))];
}
