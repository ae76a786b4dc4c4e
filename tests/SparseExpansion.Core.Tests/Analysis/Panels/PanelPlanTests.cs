using CsCheck;
using SparseExpansion.Analysis.Distances;
using SparseExpansion.Analysis.Neurons;

namespace SparseExpansion.Analysis.Panels;

public sealed class PanelPlanTests
{
    [Fact]
    public void Create_AnySizeAndBudget_StaysWithinTheBudgetOrSaysSo() =>
        Gen.Select(Gen.Long[2, 200_000], Gen.Int[1, 12_000], Gen.Int[1, 8_192], Gen.Int[1, 2], Gen.Int[1, 32], Gen.Long[1_000, 4_000_000_000])
            .Sample((tokens, neurons, inFeatures, maps, experts, budget) =>
            {
                var size = new AnalysisSize("layer", tokens, neurons, inFeatures, maps, maps * experts, GaussianQuantiles.Bytes(tokens));
                PanelPlan plan;
                try
                {
                    plan = PanelPlan.Create(size, budget, 4_096);
                }
                catch (SparseExpansionException)
                {
                    Assert.True(Bytes(size, 1, 1, 1) > budget);
                    return;
                }

                Assert.InRange(plan.Bytes, 1, budget);
                Assert.InRange(plan.ChunkTokens, 1, 4_096);
                Assert.InRange(plan.PanelNeurons, 1, neurons);
                Assert.InRange(plan.SliceNeurons, 1, plan.PanelNeurons);
                Assert.InRange(Bytes(size, plan.PanelNeurons, plan.SliceNeurons, plan.ChunkTokens), 1, budget);
            });

    [Theory]
    [InlineData(65_536, 4_096, 4_096, 1)]
    [InlineData(131_072, 11_008, 4_096, 4)]
    [InlineData(131_072, 4_096, 11_008, 2)]
    public void Create_LlamaLayers_FitTwoGigabytesInFewPasses(long tokens, int neurons, int inFeatures, int passes)
    {
        var size = new AnalysisSize("layer", tokens, neurons, inFeatures, 1, 1, GaussianQuantiles.Bytes(tokens) + MappingPairs.Bytes(50_000, tokens));

        PanelPlan plan = PanelPlan.Create(size, 2_000_000_000, 4_096);

        Assert.InRange(plan.Bytes, 1, 2_000_000_000);
        Assert.Equal(passes, PanelPlan.Panels(neurons, plan.PanelNeurons));
    }

    /// <summary>The bytes that are alive at the same time, counted out.</summary>
    private static long Bytes(AnalysisSize size, long panel, long slice, long chunk)
    {
        long outputs = 4 * size.Maps * panel * size.Tokens;
        long weights = 4 * (long)size.Weights * panel * size.InFeatures;
        long sorting = (4 + 8 + 4 + 4) * size.Maps * slice * size.Tokens;
        long multiplying = (4 * 2 * chunk * size.InFeatures) + (4 * panel * chunk);
        return size.FixedBytes + outputs + weights + sorting + multiplying;
    }
}
