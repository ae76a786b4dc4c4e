using SparseExpansion.Testing;

namespace SparseExpansion.Models.Configuration;

/// <summary>Scaled frequencies of configurations, against the published formulas in another form.</summary>
public sealed class RotaryScalingTests : IDisposable
{
    private const double Theta = 10000;
    private const int Dimensions = 64;
    private const int Positions = 4096;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Peng et al. 2023, arXiv 2309.00071, with the ramp of the authors' code, which runs over indices.</summary>
    [Theory]
    [InlineData("", 32, 1, true)]
    [InlineData(", \"truncate\": true, \"beta_fast\": 32, \"beta_slow\": 1", 32, 1, true)]
    [InlineData(", \"truncate\": false", 32, 1, false)]
    [InlineData(", \"beta_fast\": 16.0, \"beta_slow\": 2.0", 16, 2, true)]
    [InlineData(", \"beta_fast\": 16, \"beta_slow\": 2, \"truncate\": false", 16, 2, false)]
    [InlineData(", \"beta_fast\": 5000, \"beta_slow\": 0.001", 5000, 0.001, true)]
    public void Compute_Yarn_IsARampBetweenKeptAndDividedFrequencies(string keys, double fast, double slow, bool whole)
    {
        RotaryOptions options = Load("\"type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 1024" + keys);
        double low = IndexWhereTurnsFallTo(fast, 1024), high = IndexWhereTurnsFallTo(slow, 1024);
        if (whole)
        {
            low = Math.Floor(low);
            high = Math.Ceiling(high);
        }

        low = low < 0 ? 0 : low;
        high = high > Dimensions - 1 ? Dimensions - 1 : high;
        AssertClose(
            index => index <= low ? Plain(index)
                : index >= high ? Plain(index) / 4
                : Plain(index) * (1 - (0.75 * (index - low) / (high - low))),
            RotaryFrequencies.Compute(options));
    }

    [Theory]
    [InlineData("\"factor\": 4.0", 4)]
    [InlineData("\"factor\": 40", 40)]
    [InlineData("\"factor\": 1.0", 1)]
    [InlineData("\"original_max_position_embeddings\": 512", 8)]
    [InlineData("\"factor\": 4, \"mscale\": 0.5", 4)]
    [InlineData("\"factor\": 4, \"mscale\": 0, \"mscale_all_dim\": 1", 4)]
    public void Load_Yarn_HasThePapersAttentionFactor(string keys, double scale) =>
        Assert.Equal(1 + (0.1 * Math.Log(scale)), Load("\"type\": \"yarn\", " + keys).AttentionFactor, 1e-15);

    [Theory]
    [InlineData("\"mscale\": 0.707, \"mscale_all_dim\": 1.0", 0.9210423553)]
    [InlineData("\"mscale\": 1.0, \"mscale_all_dim\": 1.0", 1)]
    [InlineData("\"mscale\": 0.707, \"mscale_all_dim\": 0.707", 1)]
    [InlineData("\"mscale\": 1.0, \"mscale_all_dim\": 0.5", 1.1557219902)]
    [InlineData("\"mscale\": 1.0, \"mscale_all_dim\": 0.5, \"attention_factor\": 1.25", 1.25)]
    public void Load_YarnWithScalesOfAttention_HasTheirRatio(string keys, double expected) =>
        Assert.Equal(expected, Load("\"rope_type\": \"yarn\", \"factor\": 40, " + keys).AttentionFactor, 1e-8);

    /// <summary>Ding et al. 2024, arXiv 2402.13753.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1024, false)]
    [InlineData(1025, true)]
    [InlineData(4096, true)]
    public void Compute_LongRope_DividesByTheListOfTheLength(int length, bool isLong)
    {
        double[] shortFactors = [.. Enumerable.Range(0, Dimensions / 2).Select(index => 1 + (index / 100.0))];
        double[] longFactors = [.. Enumerable.Range(0, Dimensions / 2).Select(index => 1 + (index * index / 10.0))];
        RotaryOptions options = Load(FormattableString.Invariant(
            $"\"type\": \"longrope\", \"original_max_position_embeddings\": 1024, \"short_factor\": [{string.Join(", ", shortFactors)}], \"long_factor\": [{string.Join(", ", longFactors)}]"));

        AssertClose(index => Plain(index) / (isLong ? longFactors : shortFactors)[index], RotaryFrequencies.Compute(options, length));
        Assert.Equal(Math.Sqrt(Math.Log(4 * 1024) / Math.Log(1024)), options.AttentionFactor, 1e-12); // 1 + ln s / ln L = ln sL / ln L.
        Assert.Equal(isLong ? 1 : 0, RotaryFrequencies.Regime(options, length));
    }

    [Theory]
    [InlineData("\"factor\": 32", 1.1902380714)]
    [InlineData("\"factor\": 1.0", 1)]
    [InlineData("\"attention_factor\": 1.5", 1.5)]
    public void Load_LongRope_ReadsFactorAndAttention(string keys, double expected)
    {
        string ones = string.Join(", ", Enumerable.Repeat("1.0", Dimensions / 2));
        Assert.Equal(
            expected,
            Load($"\"rope_type\": \"longrope\", \"short_factor\": [{ones}], \"long_factor\": [{ones}], \"original_max_position_embeddings\": 4096, {keys}").AttentionFactor, 1e-8);
    }

    /// <summary>
    /// NTK-aware scaling: the base is chosen so that the lowest frequency is divided by the whole ratio and the highest
    /// by nothing.
    /// </summary>
    [Theory]
    [InlineData(100)]
    [InlineData(4096)]
    [InlineData(5000)]
    [InlineData(16384)]
    public void Compute_Dynamic_StretchesFromTheHighestToTheLowestFrequency(int length)
    {
        RotaryOptions options = Load("\"type\": \"dynamic\", \"factor\": 3.0");
        double ratio = length <= Positions ? 1 : (3.0 * length / Positions) - 2;

        double[] actual = RotaryFrequencies.Compute(options, length);

        AssertClose(index => Plain(index) * Math.Exp(-index / ((Dimensions / 2) - 1.0) * Math.Log(ratio)), actual);
        Assert.Equal(Plain((Dimensions / 2) - 1) / ratio, actual[^1], 1e-15);
        Assert.Equal(Math.Max(length, Positions), RotaryFrequencies.Regime(options, length));
    }

    [Fact]
    public void Load_Dynamic_IsThereForLongerSequences()
    {
        WriteConfig("\"type\": \"dynamic\", \"factor\": 3.0");
        Assert.Equal(3 * Positions, ModelConfig.Load(_folder.Path).MaxPositions);
    }

    /// <summary>Llama 3.1's formula in wavelengths.</summary>
    [Theory]
    [InlineData(1, 4, 8)]
    [InlineData(2, 16, 32)]
    public void Compute_Llama3_InterpolatesByWavelength(double low, double high, double factor)
    {
        RotaryOptions options = Load(FormattableString.Invariant(
            $"\"rope_type\": \"llama3\", \"factor\": {factor}, \"low_freq_factor\": {low}, \"high_freq_factor\": {high}, \"original_max_position_embeddings\": 1024"));
        AssertClose(
            index =>
            {
                double wavelength = 2 * Math.PI / Plain(index);
                if (wavelength < 1024 / high)
                {
                    return Plain(index);
                }

                double smooth = ((1024 / wavelength) - low) / (high - low);
                return wavelength > 1024 / low ? Plain(index) / factor : (smooth * Plain(index)) + ((1 - smooth) * Plain(index) / factor);
            },
            RotaryFrequencies.Compute(options));
    }

    private static double Plain(int index) => Math.Exp(-2.0 * index / Dimensions * Math.Log(Theta));

    /// <summary>
    /// The index, between whole numbers, of the frequency that turns so often in the context; by bisection.
    /// </summary>
    private static double IndexWhereTurnsFallTo(double turns, int context)
    {
        double low = -1000, high = 1000;
        for (int i = 0; i < 200; i++)
        {
            double middle = (low + high) / 2;
            double there = context / (2 * Math.PI) * Math.Pow(Theta, -2 * middle / Dimensions);
            (low, high) = there > turns ? (middle, high) : (low, middle);
        }

        return low;
    }

    private static void AssertClose(Func<int, double> expected, double[] actual)
    {
        Assert.Equal(Dimensions / 2, actual.Length);
        Assert.All(actual, (frequency, index) => Assert.Equal(1, frequency / expected(index), 1e-12));
    }

    private RotaryOptions Load(string scaling)
    {
        WriteConfig(scaling);
        return ModelConfig.Load(_folder.Path).Layers[0].Rotary!;
    }

    private void WriteConfig(string scaling) => File.WriteAllText(_folder.File("config.json"), $$"""
        {
          "model_type": "llama", "hidden_size": 256, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 100,
          "max_position_embeddings": {{Positions}}, "rope_theta": {{Theta}}, "rope_scaling": {{{scaling}}}
        }
        """);
}
