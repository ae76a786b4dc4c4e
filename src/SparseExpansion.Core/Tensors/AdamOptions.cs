namespace SparseExpansion.Tensors;

/// <summary>Settings of <see cref="AdamOptimizer"/>.</summary>
public sealed record AdamOptions
{
    /// <summary>
    /// Learning rate of the first step, positive;
    /// <see cref="AdamOptimizer.LearningRate"/> changes it on the way. Default 0.001.
    /// </summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decay of the mean of gradients (β₁), from 0 to below 1. Default 0.9.</summary>
    public double FirstDecay { get; init; } = 0.9;

    /// <summary>Decay of the mean of squared gradients (β₂), from 0 to below 1. Default 0.999.</summary>
    public double SecondDecay { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment (ε), positive. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>
    /// Share by which weights shrink in a step, times the learning rate; at least 0. Default 0, which is plain Adam.
    /// </summary>
    public double WeightDecay { get; init; }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range; the message names it.</exception>
    public void Validate()
    {
        Require(
            LearningRate is > 0 and < double.PositiveInfinity, LearningRate, "must be positive and finite",
            nameof(LearningRate));
        Require(FirstDecay is >= 0 and < 1, FirstDecay, "must be from 0 to below 1", nameof(FirstDecay));
        Require(SecondDecay is >= 0 and < 1, SecondDecay, "must be from 0 to below 1", nameof(SecondDecay));
        Require(Epsilon is > 0 and < double.PositiveInfinity, Epsilon, "must be positive and finite", nameof(Epsilon));
        Require(
            WeightDecay is >= 0 and < double.PositiveInfinity, WeightDecay, "must be at least 0 and finite",
            nameof(WeightDecay));
    }

    private static void Require(bool holds, double value, string rule, string name)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} {rule}.");
        }
    }
}
