namespace SparseExpansion.Models.Configuration;

/// <summary>Settings that files spell in several ways, some of them in several ways at once.</summary>
internal static class Spellings
{
    /// <summary>The value that all spellings that are there agree on; null where none is.</summary>
    /// <param name="config">Names the file in the message.</param>
    /// <param name="values">Keys, with those inside of another object written "outer.inner", and their values.</param>
    /// <exception cref="CheckpointException">Two spellings have different values; the message names both.</exception>
    public static T? Agree<T>(ConfigObject config, IEnumerable<(string Key, T? Value)> values) where T : struct
    {
        (string Key, T? Value) first = default;
        foreach ((string key, T? value) in values.Where(item => item.Value is not null))
        {
            first = first.Value is null ? (key, value) : first;
            if (!value.Equals(first.Value))
            {
                throw Contradiction(
                    config, first.Key, FormattableString.Invariant($"{first.Value}"), key,
                    FormattableString.Invariant($"{value}"));
            }
        }

        return first.Value;
    }

    /// <summary>An error about two spellings.</summary>
    public static CheckpointException Contradiction(
        ConfigObject config, string first, string firstText, string second, string secondText) =>
        config.Error(first, $"is {firstText}, but '{second}' is {secondText}; both spell the same setting, so one of them must be mended or removed");
}
