namespace TrainingData;

/// <summary>Random choices.</summary>
internal static class RandomExtensions
{
    /// <summary>One of the items.</summary>
    public static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];

    /// <summary>Different items in random order.</summary>
    public static T[] PickSome<T>(this Random random, IReadOnlyList<T> items, int count)
    {
        T[] all = [.. items];
        random.Shuffle(all);
        return all[..count];
    }

    /// <summary>True with a probability.</summary>
    public static bool Chance(this Random random, double probability) => random.NextDouble() < probability;
}
