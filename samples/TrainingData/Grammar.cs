using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace TrainingData;

/// <summary>
/// Text from templates: <c>{animal}</c> is replaced by a random alternative of the rule "animal", which may hold slots
/// itself; <c>{animal:pet}</c> also remembers it, so that <c>{pet}</c> repeats it; <c>{3-20}</c> is a random number.
/// </summary>
internal sealed partial class Grammar
{
    private readonly Dictionary<string, string[]> _rules = [];

    /// <summary>Adds a rule. Alternatives are separated by bars.</summary>
    public Grammar With(string name, string alternatives)
    {
        _rules[name] = alternatives.Split('|', StringSplitOptions.TrimEntries);
        return this;
    }

    /// <summary>Adds a rule of whole sentences.</summary>
    public Grammar With(string name, params string[] alternatives)
    {
        _rules[name] = alternatives;
        return this;
    }

    /// <summary>Expands a template with an empty memory.</summary>
    public string Expand(string template, Random random) => Expand(template, random, []);

    /// <summary>Expands a template with the values in <paramref name="memory"/>, and adds new ones.</summary>
    public string Expand(string template, Random random, Dictionary<string, string> memory)
    {
        var text = new StringBuilder();
        int end = 0;
        foreach (Match slot in Slot().Matches(template))
        {
            text.Append(template, end, slot.Index - end).Append(Fill(slot, random, memory));
            end = slot.Index + slot.Length;
        }

        return text.Append(template, end, template.Length - end).ToString();
    }

    private string Fill(Match slot, Random random, Dictionary<string, string> memory)
    {
        string name = slot.Groups["name"].Value;
        string value = memory.TryGetValue(name, out string? known) ? known
            : slot.Groups["low"].Success ? Number(slot, random)
            : Expand(random.Pick(_rules[name]), random, memory);
        if (slot.Groups["as"].Success)
        {
            memory[slot.Groups["as"].Value] = value;
        }

        return value;
    }

    private static string Number(Match slot, Random random)
    {
        int low = int.Parse(slot.Groups["low"].ValueSpan, CultureInfo.InvariantCulture);
        int high = int.Parse(slot.Groups["high"].ValueSpan, CultureInfo.InvariantCulture);
        return random.Next(low, high + 1).ToString(CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"\{(?:(?<low>\d+)-(?<high>\d+)|(?<name>[a-zA-Z]+))(?::(?<as>[a-zA-Z]+))?\}")]
    private static partial Regex Slot();
}
