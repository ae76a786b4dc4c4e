using System.Numerics.Tensors;

namespace SparseExpansion.Inference;

/// <summary>Several sequences, memory, and arguments.</summary>
public sealed class InferenceSessionTests : IDisposable
{
    private readonly InferenceModel _model = InferenceModel.Load(Fixture.Folder("qwen3"));

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(Fixture.Models), MemberType = typeof(Fixture))]
    public void Step_SeveralSequences_GivesEachTheLogitsThatItGetsAlone(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name));
        using InferenceSession session = model.CreateSession();
        int[][] texts = [[3, 9, 27, 81, 1, 7, 5], [4], [11, 30, 12, 40, 2, 2, 2, 2, 8, 90, 17]];
        InferenceSequence[] sequences = [.. texts.Select(_ => model.CreateSequence())];
        for (int i = 0; i < texts.Length; i++)
        {
            session.Append(sequences[i], texts[i]);
        }

        for (int step = 0; step < 5; step++)
        {
            int[] next = [5 + step, 17, 60 - step];
            float[] together = session.Step(sequences, next).ToArray();
            for (int i = 0; i < texts.Length; i++)
            {
                texts[i] = [.. texts[i], next[i]];
                using InferenceSequence alone = model.CreateSequence();
                ReadOnlySpan<float> expected = session.Append(alone, texts[i]);
                ReadOnlySpan<float> actual = together.AsSpan(i * expected.Length, expected.Length);
                Assert.InRange(TensorPrimitives.Distance(actual, expected) / TensorPrimitives.Norm(expected), 0, 1e-5f);
            }
        }

        Array.ForEach(sequences, sequence => sequence.Dispose());
    }

    [Theory]
    [MemberData(nameof(Fixture.Models), MemberType = typeof(Fixture))]
    public void Append_InTheSteadyState_AllocatesNothing(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name));
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        session.Append(sequence, [3, 9, 27]);
        session.Append(sequence, [5]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int token = 0; token < 20; token++)
        {
            session.Append(sequence, [token]);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Truncate_AndOtherTokens_GivesTheLogitsOfTheNewText()
    {
        using InferenceSession session = _model.CreateSession();
        using InferenceSequence sequence = _model.CreateSequence(), plain = _model.CreateSequence();
        session.Append(sequence, [1, 2, 3, 4, 5]);
        sequence.Truncate(2);
        float[] expected = session.Append(plain, [1, 2, 7, 8]).ToArray();

        Assert.Equal(expected, session.Append(sequence, [7, 8]).ToArray(), (x, y) => Math.Abs(x - y) < 1e-5);
        Assert.Equal(4, sequence.Length);
    }

    [Fact]
    public void Append_BadArguments_Throws()
    {
        using InferenceModel other = InferenceModel.Load(Fixture.Folder("phi"));
        using InferenceSession session = _model.CreateSession();
        using InferenceSequence sequence = _model.CreateSequence(), foreign = other.CreateSequence();

        Assert.Throws<ArgumentException>(() => session.Append(sequence, []).Length);
        Assert.Contains("-1", Assert.Throws<ArgumentException>(() => session.Append(sequence, [-1]).Length).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => session.Append(sequence, [_model.Config.VocabularySize]).Length);
        Assert.Throws<ArgumentException>(() => session.Append(foreign, [1]).Length);
        Assert.Throws<ArgumentException>(() => session.Append(sequence, [1], new float[3]));
        Assert.Throws<ArgumentException>(() => session.Step([sequence, sequence], [1, 2]).Length);
        Assert.Throws<ArgumentException>(() => session.Step([sequence], [1, 2]).Length);
        Assert.Throws<ArgumentException>(() => session.Step([], []).Length);
        Assert.Equal(0, sequence.Length);
    }

    [Fact]
    public void Append_BeyondTheLearnedPositions_Throws()
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder("gpt2"));
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();

        Assert.Contains("positions", Assert.Throws<ArgumentException>(
            () => session.Append(sequence, new int[model.Config.MaxPositions + 1]).Length).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Append_CacheFull_ThrowsAndKeepsTheSequence()
    {
        using InferenceModel model = InferenceModel.Load(
            Fixture.Folder("qwen3"), new InferenceOptions { CacheBytes = 1 << 19, ChunkTokens = 32 });
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();

        Assert.Contains("Raise the cache's budget", Assert.Throws<SparseExpansionException>(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                session.Append(sequence, new int[32]);
            }
        }).Message, StringComparison.Ordinal);
        sequence.Truncate(0);
        Assert.Equal(model.Config.VocabularySize, session.Append(sequence, [1, 2]).Length);
    }

    [Theory]
    [InlineData(CacheFormat.BFloat16, 0.02)]
    [InlineData(CacheFormat.Int8, 0.02)]
    public void Append_SmallerCacheFormat_GivesNearlyTheSameLogits(CacheFormat format, double tolerance)
    {
        using InferenceModel small = InferenceModel.Load(Fixture.Folder("qwen3"), new InferenceOptions { Cache = format });
        int[] text = Fixture.Ids("qwen3")[0];
        float[] expected = Last(_model, text), actual = Last(small, text);

        Assert.InRange(TensorPrimitives.Distance(actual, expected) / TensorPrimitives.Norm(expected), 1e-7, tolerance);
    }

    private static float[] Last(InferenceModel model, int[] text)
    {
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        return session.Append(sequence, text).ToArray();
    }
}
