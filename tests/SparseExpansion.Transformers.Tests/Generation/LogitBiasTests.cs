using SparseExpansion.Models;

namespace SparseExpansion.Transformers.Generation;

public sealed class LogitBiasTests : IDisposable
{
    private static readonly int[] s_prompt = [5, 9, 2];

    private readonly CausalLanguageModel _model = PretrainedModel.Load(Fixture.Model(Fixture.Llama));

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Generate_TokensAreForbidden_TakesTheMostProbableOfTheOthers()
    {
        int[] free = [.. Generate([])];
        int[] forbidden = [.. free.Distinct().Take(3)];
        List<int> text = [.. s_prompt];
        for (int i = 0; i < free.Length; i++)
        {
            float[] logits = PlainModel.LastLogits(_model, text);
            Array.ForEach(forbidden, id => logits[id] = float.NegativeInfinity);
            text.Add(Array.IndexOf(logits, logits.Max()));
        }

        int[] generated = [.. Generate(forbidden.ToDictionary(id => id, _ => double.NegativeInfinity))];

        Assert.Equal(text.Skip(s_prompt.Length), generated);
        Assert.Empty(generated.Intersect(forbidden));
    }

    [Fact]
    public void Generate_LargestNumberAsBias_TakesThatTokenAlways() =>
        Assert.All(Generate(new() { [17] = double.MaxValue }), id => Assert.Equal(17, id));

    [Fact]
    public void Generate_AllTokensAreForbidden_Throws() =>
        Assert.Throws<SparseExpansionException>(() => Generate(
            Enumerable.Range(0, _model.Config.VocabularySize).ToDictionary(id => id, _ => double.NegativeInfinity)).First());

    [Fact]
    public void Generate_IdOutsideOfTheVocabulary_IsNamedBeforeTheModelRuns()
    {
        int vocabulary = _model.Config.VocabularySize;
        ArgumentException error =
            Assert.Throws<ArgumentException>(() => Generate(new() { [3] = 1, [vocabulary + 4] = 1, [vocabulary] = 1 }));
        Assert.Contains(
            $"LogitBias has the id {vocabulary}, which is outside of the vocabulary of {vocabulary}.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Generate(new() { [-1] = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Generate(new() { [1] = double.NaN }));
    }

    private IEnumerable<int> Generate(Dictionary<int, double> bias) => TextGenerator.Generate(
        _model, s_prompt, new GenerationOptions { MaxNewTokens = 12, EosIds = [], LogitBias = bias }, TestContext.Current.CancellationToken);
}
