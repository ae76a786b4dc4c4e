namespace SparseExpansion.Inference;

/// <summary>One tiny model of every family, against the library that defines them.</summary>
public sealed class FamilyTests
{
    private const int PromptTokens = 6;

    [Theory]
    [MemberData(nameof(Fixture.Models), MemberType = typeof(Fixture))]
    public void Append_AllAtOnce_GivesTheReferenceLogits(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name));
        AssertLogits(model, name, int.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Fixture.Models), MemberType = typeof(Fixture))]
    public void Append_InChunks_GivesTheReferenceLogits(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name), new InferenceOptions { ChunkTokens = 5 });
        AssertLogits(model, name, int.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Fixture.Models), MemberType = typeof(Fixture))]
    public void Append_TokenByToken_GivesTheReferenceLogits(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name), new InferenceOptions { Threads = 1 });
        AssertLogits(model, name, 1);
    }

    [Theory]
    [MemberData(nameof(Fixture.Families), MemberType = typeof(Fixture))]
    public void Append_Greedily_GivesTheReferenceTokens(string name)
    {
        using InferenceModel model = InferenceModel.Load(Fixture.Folder(name));
        using InferenceSession session = model.CreateSession();
        using InferenceSequence sequence = model.CreateSequence();
        int[] expected = Fixture.Ids(name, "generated")[0];
        List<int> text = [.. expected[..PromptTokens]];
        while (text.Count < expected.Length)
        {
            ReadOnlySpan<float> logits = session.Append(sequence, text.ToArray().AsSpan(sequence.Length));
            text.Add(System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits));
        }

        Assert.Equal(expected, text);
    }

    private static void AssertLogits(InferenceModel model, string name, int piece)
    {
        using InferenceSession session = model.CreateSession();
        int[][] ids = Fixture.Ids(name);
        double[][] expected = Fixture.Logits(name);
        for (int row = 0; row < ids.Length; row++)
        {
            using InferenceSequence sequence = model.CreateSequence();
            int vocabulary = model.Config.VocabularySize;
            float[] logits = new float[ids[row].Length * vocabulary];
            for (int done = 0, count; done < ids[row].Length; done += count)
            {
                count = Math.Min(piece, ids[row].Length - done);
                session.Append(
                    sequence, ids[row].AsSpan(done, count), logits.AsSpan(done * vocabulary, count * vocabulary));
            }

            Assert.InRange(Fixture.RelativeError(logits, expected[row]), 0, 1e-5);
        }
    }
}
